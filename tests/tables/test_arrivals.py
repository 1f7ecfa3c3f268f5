"""Arrival processes, and the conformance that each must keep."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from excise.core.errors import DataError, UsageError
from excise.core.workload import Arrivals, Scenario
from excise.tables import ClosedLoop, RateArrivals, TraceArrivals, read_arrivals

PROCESSES = [
    TraceArrivals(np.array([0.0, 0.5, 0.5, 2.0])),
    RateArrivals(200.0, seed=3),
    ClosedLoop(1),
    ClosedLoop(4),
]


@pytest.mark.parametrize("arrivals", PROCESSES, ids=lambda process: type(process).__name__)
def test_conformance(arrivals):
    assert isinstance(arrivals, Arrivals)
    assert isinstance(arrivals.scenario, Scenario)
    times = list(arrivals.times_s(4))
    assert len(times) == 4
    assert all(isinstance(time, float) and time >= 0 for time in times)
    assert all(before <= after for before, after in itertools.pairwise(times))
    assert list(arrivals.times_s(4)) == times, "asking again must give the same times"
    assert list(arrivals.times_s(2)) == times[:2], "a shorter run must be the start of a longer one"
    assert list(arrivals.times_s(0)) == []


def test_a_rate_is_kept_and_its_gaps_are_exponential():
    times = np.fromiter(RateArrivals(50.0, seed=1).times_s(20_000), float)
    gaps = np.diff(times)
    assert gaps.mean() == pytest.approx(1 / 50, rel=0.03)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.03)


def test_recorded_text_times_with_seven_decimals(tmp_path):
    path = tmp_path / "trace.csv"
    path.write_text(
        "TIMESTAMP,tokens\n2023-11-16 18:17:04.0781490,3\n"
        "2023-11-16 18:17:03.9799600,1\n2023-11-16 18:17:04.0319600,2\n"
    )
    trace = read_arrivals(path)
    assert list(trace.times_s(10)) == pytest.approx([0.0, 0.052, 0.098189], abs=1e-9)
    assert trace.scaled(2.0).rate_per_s == pytest.approx(2 * trace.rate_per_s)


def test_numeric_times_and_units():
    assert list(read_arrivals({"t_ms": [1500, 1000]}, column="t_ms", unit="ms").times_s(9)) == [0.0, 0.5]
    assert list(read_arrivals({"x": [3.0, 5.0]}).times_s(9)) == [0.0, 2.0]


def test_what_is_no_time_is_named_by_its_row():
    with pytest.raises(DataError, match="row 2: 'soon' in 'time' is no time"):
        read_arrivals({"time": ["2023-01-01", "soon"]})
    with pytest.raises(DataError, match="row 1"):
        read_arrivals({"time": ["2023-02-30", "2023-03-01"]})
    with pytest.raises(DataError, match="no column of arrival times"):
        read_arrivals({"a": ["x"], "b": ["y"]})
    with pytest.raises(UsageError):
        RateArrivals(0.0)
    with pytest.raises(UsageError):
        ClosedLoop(0)
