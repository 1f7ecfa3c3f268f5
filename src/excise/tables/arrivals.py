"""When requests come: a recorded trace, a rate, or a closed loop."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from excise.core.errors import DataError, UsageError
from excise.core.workload import Scenario
from excise.tables.source import read
from excise.tables.table import Column, Table
from excise.tables.timestamps import parse_times

Unit = Literal["s", "ms", "us", "ns"]
PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
NAMES = ("timestamp", "time", "arrival", "arrived", "datetime", "ts")
DRAWN_AT_ONCE = 1024
HINT = "name the column of arrival times; numbers are seconds"


@dataclass(frozen=True, eq=False)
class TraceArrivals:
    """Arrivals as they were recorded; a replay ends where the trace does.

    Attributes:
        offsets_s: seconds after the first arrival, ascending, shape (arrivals,).
        source: as the user named it.
    """

    offsets_s: NDArray[np.float64]
    source: str = "trace"
    scenario: Scenario = Scenario.SERVER

    def times_s(self, limit: int) -> Iterator[float]:
        """Seconds after the start of the first ``limit`` requests, ascending."""
        return iter(self.offsets_s[: max(limit, 0)].tolist())

    @property
    def rate_per_s(self) -> float:
        """Mean arrivals per second; infinite where all came at once."""
        span = float(self.offsets_s[-1])
        return (len(self.offsets_s) - 1) / span if span else float("inf")

    def scaled(self, factor: float) -> TraceArrivals:
        """The same pattern, ``factor`` times as fast."""
        if not factor > 0:
            raise UsageError(f"a trace cannot be sped up {factor} times", hint="give a factor above 0")
        return TraceArrivals(self.offsets_s / factor, self.source, self.scenario)


@dataclass(frozen=True)
class RateArrivals:
    """Independent arrivals at a constant rate: exponential gaps, the same ones for the same seed.

    Attributes:
        rate_per_s: mean requests per second, above 0.
        seed: of the gaps.

    Source: MLPerf Inference rules, Server scenario (Poisson arrivals).
    """

    rate_per_s: float
    seed: int = 0
    scenario: Scenario = Scenario.SERVER

    def __post_init__(self) -> None:
        if not 0 < self.rate_per_s < float("inf"):
            raise UsageError(f"a rate of {self.rate_per_s} requests per second", hint="give a rate above 0")

    def times_s(self, limit: int) -> Iterator[float]:
        """Seconds after the start of the first ``limit`` requests, ascending."""
        return itertools.islice(self._times(), max(limit, 0))

    def _times(self) -> Iterator[float]:
        generator = np.random.default_rng(self.seed)
        now = 0.0
        while True:
            for gap in generator.exponential(1 / self.rate_per_s, DRAWN_AT_ONCE).tolist():
                now += gap
                yield now


@dataclass(frozen=True)
class ClosedLoop:
    """Each of ``concurrency`` callers sends its next request when the last one was answered."""

    concurrency: int = 1

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise UsageError(f"a concurrency of {self.concurrency}", hint="give 1 or more")

    @property
    def scenario(self) -> Scenario:
        """SingleStream for one caller, MultiStream for several."""
        return Scenario.SINGLE_STREAM if self.concurrency == 1 else Scenario.MULTI_STREAM

    def times_s(self, limit: int) -> Iterator[float]:
        """Zero for each: nothing is scheduled, a request comes as soon as a caller is free."""
        return itertools.repeat(0.0, max(limit, 0))


def read_arrivals(
    source: str | os.PathLike[str] | object, *, column: str | None = None, unit: Unit = "s"
) -> TraceArrivals:
    """A trace from a table with one row per arrival.

    Args:
        source: anything that ``read`` takes.
        column: the arrival times; else the first column named like one, else the first that holds times.
        unit: of numeric times.

    Raises:
        DataError: no such column, or a cell that is no time; the row is named.
    """
    table = read(source)
    chosen = table.column(column) if column is not None else time_column(table)
    seconds = np.sort(to_seconds(chosen, table.source, unit))
    return TraceArrivals(seconds - seconds[0], table.source)


def time_column(table: Table) -> Column:
    """The column that holds the arrival times."""
    for wanted in NAMES:
        for column in table.columns:
            if column.name.lower() == wanted:
                return column
    for column in table.columns:
        if column.kind == "datetime" or (column.kind == "text" and not np.isnat(parse_times(column.values[:1])).any()):
            return column
    if len(table.columns) == 1:
        return table.columns[0]
    raise DataError(f"{table.source} has no column of arrival times", hint=HINT)


def to_seconds(column: Column, source: str, unit: Unit) -> NDArray[np.float64]:
    """Times as seconds; instants are first held against the earliest, so that microseconds survive in float64.

    Raises:
        DataError: a cell is null, not finite, or no time.
    """
    if column.kind in {"int", "float"}:
        seconds = column.values.astype(np.float64) / PER_SECOND[unit]
        bad = ~np.isfinite(seconds) | ~column.present()
    elif column.kind in {"text", "datetime"}:
        times = parse_times(column.values) if column.kind == "text" else column.values
        bad = np.isnat(times)
        seconds = np.where(bad, 0.0, (times - np.min(times[~bad], initial=times.max())).astype(np.float64) / 1e6)
    else:
        bad, seconds = np.ones(len(column.values), np.bool_), np.zeros(len(column.values))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(f"{source}, row {row + 1}: {column.plain()[row]!r} in {column.name!r} is no time", hint=HINT)
    return seconds
