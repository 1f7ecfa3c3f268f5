"""Collects the blocks of one cell over the rounds of an experiment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from excise.core.measurement import CellTrials

NS_PER_MS = 1e6


class Collector:
    """The growing trials of one cell; a round counts once it is complete."""

    def __init__(self, cell: str) -> None:
        self.cell = cell
        self._rounds: list[_Round] = []

    def add(self, process: Mapping[str, Any], blocks: Sequence[Mapping[str, Any]]) -> None:
        """One complete round: what loading and warming said of the process, and its blocks."""
        self._rounds.append(_Round(process, blocks))

    def trials(self) -> CellTrials:
        """Everything so far as arrays."""
        rounds = self._rounds
        stages = sorted({name for one in rounds for name in one.stage_ms})
        gpu = [one.gpu_ms for one in rounds]
        return CellTrials(
            cell=self.cell,
            wall_ms=np.array([one.wall_ms for one in rounds]),
            cpu_ms=np.array([one.cpu_ms for one in rounds]),
            call_ms=np.concatenate([one.call_ms for one in rounds]),
            stage_ms={name: np.array([one.stage_ms.get(name, np.nan) for one in rounds]) for name in stages},
            rss_mib=np.array([one.rss_mib for one in rounds]),
            load_ms=np.array([one.process["load_ms"] for one in rounds]),
            first_call_ms=np.array([one.process["first_call_ms"] for one in rounds]),
            serialize_ms=np.array([one.process["serialize_ms"] for one in rounds]),
            gpu_ms=None if any(ms is None for ms in gpu) else np.array(gpu),
            partner_wall_ms=_together([one.partner_wall_ms for one in rounds]),
            partner_cpu_ms=_together([one.partner_cpu_ms for one in rounds]),
            requests=sum(block["requests"] for one in rounds for block in one.blocks),
            failures=dict(sum((Counter(block["failures"]) for one in rounds for block in one.blocks), Counter())),
            meters=_meters([one.blocks for one in rounds]),
        )


def _together(rounds: list[list[float]]) -> NDArray[np.float64] | None:
    return np.array(rounds) if all(rounds) else None


def _meters(rounds: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, tuple[NDArray[np.float64], ...]]:
    """What single calls were told of, by name and round."""
    names = sorted({name for blocks in rounds for block in blocks for name in block["meters"]})
    none = np.empty(0)
    return {
        name: tuple(np.concatenate([block["meters"].get(name, none) for block in blocks]) for blocks in rounds)
        for name in names
    }


class _Round:
    """One process's blocks in one cell, reduced to what is kept."""

    def __init__(self, process: Mapping[str, Any], blocks: Sequence[Mapping[str, Any]]) -> None:
        calls = sum(len(block["wall_ns"]) for block in blocks)
        self.process, self.blocks = process, blocks
        self.wall_ms = [float(block["wall_ns"].mean()) / NS_PER_MS for block in blocks]
        self.cpu_ms = [float(block["cpu_ns"].mean()) / NS_PER_MS for block in blocks]
        self.call_ms = np.concatenate([block["wall_ns"] for block in blocks]) / NS_PER_MS
        self.rss_mib = max(block["peak_rss_mib"] for block in blocks)
        self.stage_ms: dict[str, float] = {}
        for block in blocks:
            for name, spent in block["stage_ns"].items():
                self.stage_ms[name] = self.stage_ms.get(name, 0.0) + spent / NS_PER_MS / calls
        partners = [block["partner"] for block in blocks if "partner" in block]
        self.partner_wall_ms = [float(block["wall_ns"].mean()) / NS_PER_MS for block in partners]
        self.partner_cpu_ms = [float(block["cpu_ns"].mean()) / NS_PER_MS for block in partners]
        device = [block["gpu_ms"] for block in blocks]
        self.gpu_ms = None if any(ms is None for ms in device) else sum(device) / calls
