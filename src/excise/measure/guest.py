"""A polite guest: how busy the machine is, and which rounds were disturbed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import psutil

from excise.core.errors import TooNoisy

LOAD_LIMIT = 2.0
"""One-minute load per core above which an audit would mostly measure its neighbors."""
STEAL_LIMIT = 0.05
"""Share of a round's CPU time that a hypervisor may take before the round is marked."""


def load_average() -> float | None:
    """Processes that want to run, over one minute; None where the system does not say."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def usable_cores(limit: int | None = None) -> list[int]:
    """The cores that this process may use, at most ``limit``."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    return cores[:limit] if limit else cores


def refuse_when_busy(*, force: bool) -> None:
    """Do not measure on a machine that is overloaded.

    Raises:
        TooNoisy: the load is above two per core and ``force`` is false.
    """
    load, cores = load_average(), len(usable_cores())
    if load is not None and load > LOAD_LIMIT * cores and not force:
        message = f"the load is {load:.1f} on {cores} cores: an audit would measure its neighbors"
        raise TooNoisy(message, hint="wait, or measure all the same with --force")


SWITCHES_PER_S = 50.0
"""Times a second that somebody else may push a timed block off its core before the round is marked."""


def pushed_off(blocks: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the blocks of a round lost their core to somebody else more often than a quiet machine would."""
    switches = seconds = 0.0
    for block in blocks:
        switches += block["switches"][1]
        seconds += float(block["wall_ns"].sum()) / 1e9
    return seconds > 0 and switches / seconds > SWITCHES_PER_S


class Disturbance:
    """What the hypervisor took between two looks; ``/proc/stat`` on Linux, never disturbed elsewhere."""

    def __init__(self) -> None:
        self._last = self._look()

    def since(self) -> bool:
        """Whether more than 5 % of the CPU time since the last look was stolen."""
        now, before = self._look(), self._last
        self._last = now
        spent = now[1] - before[1]
        return spent > 0 and (now[0] - before[0]) / spent > STEAL_LIMIT

    @staticmethod
    def _look() -> tuple[float, float]:
        times = psutil.cpu_times()
        return getattr(times, "steal", 0.0), sum(times[:8])
