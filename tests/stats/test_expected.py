"""Quality without labels: nothing is lost where nothing moved, and intervals cover where only inputs moved."""

import numpy as np
import pytest
from scipy import stats

from excise.stats.expected import OWN_ANSWER, TWO_CLASSES, expected_quality


def world(rng, rows, shift, sharpness):
    """Scores of a model that is too sure of itself, or not, and the true chances behind them."""
    inputs = rng.normal(shift, 1.2, rows)
    return 1 / (1 + np.exp(-sharpness * inputs)), 1 / (1 + np.exp(-inputs))


def labeled(rng, chances):
    return (rng.random(len(chances)) < chances).astype(float)


SETTINGS = {
    "calibrated, nothing moved": (3000, 3000, 0.0, 1.0),
    "overconfident, inputs moved": (3000, 2000, 0.7, 1.8),
    "few labels, inputs moved": (500, 4000, -0.6, 1.3),
}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("setting", SETTINGS)
def test_intervals_cover_the_truth_as_often_as_stated(setting):
    then_rows, now_rows, shift, sharpness = SETTINGS[setting]
    rng, runs = np.random.default_rng(1), 200
    scores, chances = world(rng, 1_000_000, shift, sharpness)
    before, chances_before = world(rng, 1_000_000, 0.0, sharpness)
    truth = {name: measure(chances, scores) for name, measure in TWO_CLASSES.items()}
    gone = {name: measure(chances_before, before) - truth[name] for name, measure in TWO_CLASSES.items()}
    missed = dict.fromkeys([(name, what) for name in truth for what in ("now", "lost")], 0)
    for run in range(runs):
        reference, known = world(rng, then_rows, 0.0, sharpness)
        current, _ = world(rng, now_rows, shift, sharpness)
        found = expected_quality(reference, labeled(rng, known), current, seed=run)
        for name, quality in found.items():
            missed[name, "now"] += not quality.now.covers(truth[name])
            missed[name, "lost"] += not quality.lost.covers(gone[name])
    assert max(missed.values()) <= stats.binom.ppf(0.999, runs, 0.05), missed


def test_nothing_is_lost_on_the_reference_itself():
    rng = np.random.default_rng(2)
    scores, chances = world(rng, 2000, 0.0, 1.5)
    for quality in expected_quality(scores, labeled(rng, chances), scores).values():
        assert quality.lost.value == 0.0
        assert quality.then.value == quality.now.value


def test_harder_rows_are_expected_to_be_answered_worse():
    rng = np.random.default_rng(3)
    scores, chances = world(rng, 4000, 0.0, 1.0)
    hard = np.clip(rng.normal(0.5, 0.08, 4000), 0, 1)
    found = expected_quality(scores, labeled(rng, chances), hard)
    for name in ("skill", "accuracy", "auc"):
        assert found[name].lost.low > 0.05


def test_of_more_classes_the_share_of_right_answers_is_told():
    rng = np.random.default_rng(4)
    sure, right = (values := rng.uniform(0.4, 1, 3000)), labeled(rng, values)
    found = expected_quality(sure, right, rng.uniform(0.4, 0.7, 3000), measures=OWN_ANSWER)
    assert set(found) == {"accuracy"}
    assert found["accuracy"].now.covers(0.55)


def test_what_cannot_be_told_is_left_out():
    assert "skill" not in expected_quality([0.2, 0.8] * 50, [0.0] * 100, [0.5] * 20)
