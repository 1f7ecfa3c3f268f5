import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from excise.core.errors import DataError
from excise.stats.histogram import LogHistogram

durations = st.lists(st.floats(0, 1e7, allow_subnormal=False), max_size=40)


@given(durations.filter(bool), st.floats(0, 1))
def test_quantiles_are_within_one_percent(values, q):
    exact = float(np.sort(values)[math.floor(q * (len(values) - 1))])
    found = LogHistogram(values).quantile(q)
    assert found == pytest.approx(exact, rel=0.0101, abs=1e-9)


@given(durations, durations, durations)
def test_merging_is_associative_and_commutative_and_adds_nothing(a, b, c):
    x, y, z = LogHistogram(a), LogHistogram(b), LogHistogram(c)
    left, right = x.merge(y).merge(z), x.merge(y.merge(z))
    assert left == right == z.merge(x).merge(y) == LogHistogram(a + b + c)
    assert left.count == len(a) + len(b) + len(c)
    assert left.sum == pytest.approx(sum(a) + sum(b) + sum(c))
    assert x == LogHistogram(a)


@given(durations)
def test_bytes_read_back(values):
    histogram = LogHistogram(values)
    again = LogHistogram.decode(histogram.encode())
    assert again == histogram
    assert again.encode() == histogram.encode()
    assert (again.count, again.sum) == (histogram.count, histogram.sum)


@given(durations.filter(bool), st.integers(0, 200))
def test_truncated_bytes_are_refused(values, cut):
    data = LogHistogram([*values, 1.0, 7.0]).encode()
    with pytest.raises(DataError, match="histogram"):
        LogHistogram.decode(data[: min(cut, len(data) - 1)])


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_a_bad_value_is_refused_and_nothing_is_counted(bad):
    histogram = LogHistogram([1.0])
    with pytest.raises(DataError, match="negative or missing"):
        histogram.add([2.0, bad])
    assert histogram == LogHistogram([1.0])


def test_an_empty_one_knows_nothing():
    assert math.isnan(LogHistogram().quantile(0.5))
    assert math.isnan(LogHistogram().mean)


def test_shares_are_those_of_the_values():
    edges, shares = LogHistogram([0.0, 1.0, 1.0, 50.0]).shares()
    assert shares.sum() == pytest.approx(0.75)
    assert edges.size == shares.size + 1
    assert edges[0] < 1.0 <= edges[1] < 50.0 <= edges[-1]
