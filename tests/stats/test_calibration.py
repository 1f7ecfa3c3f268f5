"""Maps make probabilities of scores, and the test of probabilities rejects wrong ones only."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from excise.core.errors import NotComparable
from excise.stats.calibration import CalibrationMap, isotonic, miscalibration

SIZED = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=20)


def overconfident(rng, rows):
    chance = rng.beta(1, 2, rows)
    odds = (chance / (1 - chance)) ** 2.5
    return odds / (1 + odds), (rng.random(rows) < chance).astype(float), chance


@given(SIZED)
def test_isotonic_shares_never_fall_and_keep_the_hits(cells):
    rows = np.array([count for _, count in cells], dtype=float)
    hits = np.minimum([hit for hit, _ in cells], rows)
    found = isotonic(hits, rows)
    assert (np.diff(found) >= -1e-12).all()
    assert (found * rows).sum() == pytest.approx(hits.sum())


def test_isotonic_is_what_scikit_learn_finds():
    sklearn = pytest.importorskip("sklearn.isotonic")
    rng = np.random.default_rng(1)
    rows = rng.integers(1, 50, 60).astype(float)
    hits = rng.binomial(rows.astype(int), np.linspace(0.1, 0.8, 60)).astype(float)
    theirs = sklearn.IsotonicRegression().fit_transform(np.arange(60), hits / rows, sample_weight=rows)
    assert isotonic(hits, rows) == pytest.approx(theirs)


@pytest.mark.parametrize(("rows", "method"), [(400, "platt"), (5000, "isotonic")])
def test_a_map_brings_overconfident_scores_near_the_truth(rows, method):
    rng = np.random.default_rng(2)
    scores, hits, _ = overconfident(rng, rows)
    learned = CalibrationMap.learn(scores, hits)
    fresh, _, chance = overconfident(rng, 20_000)
    assert learned.method == method
    assert np.abs(learned(fresh) - chance).mean() < 0.04
    assert np.abs(fresh - chance).mean() > 0.08


def test_scores_that_are_no_probabilities_get_some():
    rng = np.random.default_rng(3)
    margin = rng.normal(0, 3, 600)
    learned = CalibrationMap.learn(margin, rng.random(600) < 1 / (1 + np.exp(-margin)))
    assert np.abs(learned(margin) - 1 / (1 + np.exp(-margin))).mean() < 0.04


@pytest.mark.parametrize("rows", [300, 4000])
def test_right_probabilities_are_rejected_no_more_often_than_stated(rows):
    rng, runs = np.random.default_rng(rows), 1000
    rejected = 0
    for _ in range(runs):
        chance = rng.beta(1, 2, rows)
        rejected += miscalibration(chance, rng.random(rows) < chance).p_value < 0.05
    assert rejected <= stats.binom.ppf(0.999, runs, 0.05)


@pytest.mark.parametrize("rows", [600, 6000])
def test_a_map_is_rejected_on_other_rows_no_more_often_than_stated(rows):
    rng, runs = np.random.default_rng(rows), 300
    rejected = 0
    for _ in range(runs):
        scores, hits, _ = overconfident(rng, rows)
        learned = CalibrationMap.learn(scores[: rows // 2], hits[: rows // 2])
        chances = learned(scores[rows // 2 :])
        rejected += miscalibration(chances, hits[rows // 2 :], learned_on=rows // 2).p_value < 0.05
    assert rejected <= stats.binom.ppf(0.999, runs, 0.05)


def test_wrong_probabilities_are_rejected():
    rng = np.random.default_rng(4)
    scores, hits, _ = overconfident(rng, 2000)
    found = miscalibration(scores, hits)
    assert found.p_value < 1e-6
    assert found.gap > 0.05


def test_a_single_score_and_no_rows():
    assert CalibrationMap.learn([0.5] * 2000, [1, 0] * 1000)([0.1, 0.9]).tolist() == [0.5, 0.5]
    with pytest.raises(NotComparable, match="no rows"):
        CalibrationMap.learn([], [])
