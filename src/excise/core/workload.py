"""What is asked of a model, and when."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol, runtime_checkable

import msgspec

from excise.core.predictor import InputKind


class Scenario(StrEnum):
    """Arrival processes, by MLPerf LoadGen's names."""

    SINGLE_STREAM = "SingleStream"
    MULTI_STREAM = "MultiStream"
    SERVER = "Server"
    OFFLINE = "Offline"


@runtime_checkable
class Arrivals(Protocol):
    """When requests come: a rate, a trace, or a closed loop."""

    scenario: Scenario

    def times_s(self, limit: int) -> Iterator[float]:
        """Seconds after the start of the first ``limit`` requests, ascending."""


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """A sample of inputs and an arrival process.

    Attributes:
        current: where the current inputs came from, as the user named them.
        reference: where the reference inputs came from, None without.
        rows: how many current rows there are.
        reference_rows: how many reference rows there are, None without.
        input: the form in which a call gets its rows.
        batch: rows per call.
        target: the label column, None without.
        scenario: closed loop unless a trace was given.
        concurrency: calls in flight.
    """

    current: str
    reference: str | None
    rows: int
    reference_rows: int | None
    input: InputKind
    batch: int
    target: str | None
    scenario: Scenario = Scenario.SINGLE_STREAM
    concurrency: int = 1
