"""The compiled pass and the one by numpy count the same, to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from excise.features import scan as scanning
from excise.features.grid import Grid

FLOATS = st.one_of(
    st.floats(),
    st.floats(-10, 10).map(lambda value: round(value, 3)),
    st.integers(-5, 5).map(float),
    st.sampled_from([-0.0, 5e-324, -5e-324, 1e308, -1e308, 2.0**53 + 2, 0.1 + 0.2]),
)
SAMPLES = st.lists(FLOATS, max_size=60).map(lambda values: np.array(values, np.float64))


@settings(deadline=None)  # the first one compiles
@given(SAMPLES, st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20), st.floats(-1e9, 1e9))
def test_both_ways_count_alike(values, edges, center):
    pytest.importorskip("numba")
    grid = Grid.over(np.unique(np.array(edges, np.float64) + 0.0))
    ours, theirs = (
        scanning.by_kernel(scanning.compiled(), values, grid, center),
        scanning.by_numpy(values, grid, center),
    )
    assert ours.counts.tolist() == theirs.counts.tolist()
    assert ours._replace(counts=None) == theirs._replace(counts=None)


@given(SAMPLES, st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_a_grid_counts_as_a_binary_search_does(values, edges):
    marks = np.unique(np.array(edges, np.float64) + 0.0)
    finite = values[np.isfinite(values)]
    grid = Grid.over(marks)
    expected = np.bincount(np.searchsorted(marks, finite, side="right"), minlength=marks.size + 1)
    assert grid.bins(grid.counted(finite), marks) == tuple(expected.tolist())
    assert grid.signs(grid.counted(finite)) == ((finite < 0).sum(), (finite == 0).sum())
    absolute = np.abs(finite[finite != 0])
    assert sum(grid.magnitudes(grid.counted(finite)).values()) == absolute.size


def test_magnitudes_are_eighths_of_a_decade():
    grid = Grid.over(np.zeros(0))
    values = np.array([1.0, 1.2, 1.5, 10.0, 0.1, -100.0])
    assert grid.magnitudes(grid.counted(values)) == {-8: 1, 0: 2, 1: 1, 8: 1, 16: 1}
