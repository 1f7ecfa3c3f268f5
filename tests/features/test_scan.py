"""The compiled pass and the one by numpy count the same, to the last bit."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from excise.features import scan as scanning
from excise.features.scale import Scale

FLOATS = st.one_of(
    st.floats(),
    st.floats(-10, 10).map(lambda value: round(value, 3)),
    st.integers(-5, 5).map(float),
    st.sampled_from([-0.0, 5e-324, -5e-324, 1e308, -1e308, 2.0**53 + 2, 0.1 + 0.2]),
)
SAMPLES = st.lists(FLOATS, max_size=60).map(lambda values: np.array(values, np.float64))


EDGES = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20).map(
    lambda edges: np.unique(np.array(edges, np.float64) + 0.0)
)


@settings(deadline=None)  # the first one compiles
@given(SAMPLES, EDGES, st.floats(-1e9, 1e9))
def test_both_ways_count_alike(values, edges, center):
    pytest.importorskip("numba")
    scale = Scale.of(edges, center)
    assert scanning.by_kernel(scanning.compiled(), values, scale) == scanning.by_numpy(values, scale)


@given(SAMPLES, EDGES)
def test_counts_are_those_of_looking_at_each_value(values, edges):
    finite = values[np.isfinite(values)]
    found = scanning.by_numpy(values, Scale.of(edges, 0.0))
    expected = np.bincount(np.searchsorted(edges, finite, side="right"), minlength=edges.size + 1)
    assert found.bins == tuple(expected.tolist())
    assert (found.finite, found.nan) == (finite.size, np.isnan(values).sum())
    assert (found.positive_inf, found.negative_inf) == ((values == np.inf).sum(), (values == -np.inf).sum())
    assert (found.negative, found.zero) == ((finite < 0).sum(), (finite == 0).sum())
    assert sum(found.magnitudes.values()) == found.finite - found.zero
    assert sum(found.decimals) == found.finite


@given(SAMPLES, EDGES, st.integers(0, 60))
def test_parts_add_up_to_the_whole_to_the_last_bit(values, edges, cut):
    scale = Scale.of(edges, 1.0)
    whole, *parts = (scanning.by_numpy(part, scale) for part in (values, values[:cut], values[cut:]))
    assert whole.total == parts[0].total + parts[1].total
    assert whole.squares == parts[0].squares + parts[1].squares
    digits = scanning.digits_together((part.decimals, part.finest) for part in parts)
    assert (whole.decimals, whole.finest) == digits


@pytest.mark.parametrize("spread", [1e-250, 1e-3, 1.0, 1e12, 1e150])
def test_rounding_to_the_grain_costs_nothing_that_one_sees(spread):
    values = np.random.default_rng(0).standard_cauchy(5000) * spread
    scale = Scale.of(np.quantile(values, np.linspace(0, 1, 255)), float(np.median(values)))
    found = scanning.by_numpy(values, scale)
    shifted = [Fraction(value) - Fraction(scale.center) for value in values.tolist()]
    assert float(found.total) == pytest.approx(float(sum(shifted)), rel=1e-9, abs=1e-9 * spread)
    if spread > 1e-100:
        assert float(found.squares) == pytest.approx(float(sum(value * value for value in shifted)), rel=1e-8)


def test_magnitudes_are_eighths_of_a_decade():
    found = scanning.by_numpy(np.array([1.0, 1.2, 1.5, 10.0, 0.1, -100.0]), Scale.of(np.zeros(0), 0.0))
    assert found.magnitudes == {-8: 1, 0: 2, 1: 1, 8: 1, 16: 1}
