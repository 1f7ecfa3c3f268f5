from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from excise.stats.percentiles import needed, percentile, upper_bound


@pytest.mark.parametrize(("q", "floor"), [(0.9, 64), (0.99, 662)])
def test_the_floors_are_those_of_mlperf(q, floor):
    assert needed(q) == floor
    assert percentile(np.arange(floor - 1.0), q) is None
    assert percentile(np.arange(float(floor)), q) is not None


@pytest.mark.parametrize(("q", "n"), [(0.5, 40), (0.9, 200), (0.99, 700)])
def test_intervals_cover_for_any_distribution(q, n):
    rng = np.random.default_rng(n)
    truth = float(np.exp(np.sqrt(2) * _erfinv(2 * q - 1)))
    hits = [percentile(rng.lognormal(size=n), q).covers(truth) for _ in range(800)]
    assert 0.94 <= np.mean(hits) <= 0.999


def _erfinv(y):
    return NormalDist().inv_cdf((y + 1) / 2) / np.sqrt(2)


def test_the_upper_bound_needs_less_and_holds():
    rng = np.random.default_rng(4)
    assert upper_bound(rng.random(298), 0.99) is None
    hits = [upper_bound(rng.random(400), 0.99).high >= 0.99 for _ in range(800)]
    assert np.mean(hits) >= 0.935


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.001, 1e4), min_size=64, max_size=100), st.floats(0.01, 100))
def test_percentiles_scale_with_the_unit(values, factor):
    one, two = percentile(values, 0.9), percentile(np.array(values) * factor, 0.9)
    assert two.value == pytest.approx(one.value * factor)
    assert two.low == pytest.approx(one.low * factor)
    assert one.low <= one.value
    assert one.high is None or one.value <= one.high


def test_missing_calls_do_not_count():
    samples = np.concatenate([np.arange(63.0), np.full(50, np.nan)])
    assert percentile(samples, 0.9) is None
    assert upper_bound([], 0.5) is None


def test_a_percentile_is_written_as_a_share():
    with pytest.raises(ValueError, match=r"write 0\.99"):
        percentile([1.0], 99)
