import numpy as np
import pytest

from excise.stats.proportions import proportion


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(3, 100, 0.00623, 0.08518), (10, 20, 0.27196, 0.72804), (1, 1, 0.025, 1.0), (500, 1000, 0.46855, 0.53145)],
)
def test_intervals_are_the_textbooks(hits, trials, low, high):
    """Clopper & Pearson's, as published tables give them."""
    found = proportion(hits, trials)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize("share", [0.01, 0.03, 0.2])
def test_the_interval_covers_at_least_as_often_as_it_says(share):
    hits = np.random.default_rng(0).binomial(200, share, 2000)
    covers = {one: proportion(one, 200).covers(share) for one in set(hits.tolist())}
    assert np.mean([covers[one] for one in hits.tolist()]) >= 0.95


def test_large_counts_do_not_underflow():
    found = proportion(3000, 100_000)
    assert 0.0289 < found.low < 0.03 < found.high < 0.0312
