"""The area under the curve agrees with its definition, and its interval covers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from excise.core.errors import NotComparable
from excise.stats.ranking import auc, expected_auc

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=30)


@given(ROWS)
def test_it_is_the_chance_that_a_hit_scores_above_a_miss(rows):
    above, below = ([score for hit, score in rows if hit is side] for side in (True, False))
    hits, scores = zip(*rows, strict=True)
    if not (above and below):
        with pytest.raises(NotComparable, match="one class"):
            auc(hits, scores)
        return
    pairs = [(a > b) + 0.5 * (a == b) for a in above for b in below]
    assert auc(hits, scores).value == pytest.approx(np.mean(pairs))
    assert expected_auc(hits, scores) == pytest.approx(np.mean(pairs))


def test_its_interval_covers_as_often_as_stated():
    rng, runs = np.random.default_rng(1), 500
    truth = stats.norm.cdf(1.2 / np.sqrt(2))
    found = [auc(hits, rng.normal(1.2 * hits, 1)) for hits in rng.random((runs, 300)) < 0.25]
    missed = sum(not one.covers(truth) for one in found)
    assert stats.binom.ppf(0.001, runs, 0.05) <= missed <= stats.binom.ppf(0.999, runs, 0.05)


def test_a_perfect_ranking_stays_within_bounds():
    found = auc([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
    assert auc([0, 0, 1], [0.1, 0.2, 0.8]).low is None
