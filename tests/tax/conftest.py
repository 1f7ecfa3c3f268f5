"""Synthetic experiments with planted effects: what a quiet and a busy machine hand up."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from excise.core.measurement import CellTrials, Experiment
from excise.core.tax import PRODUCTION


@dataclass
class Machine:
    """Process offsets, block noise and disturbances, as shares; rows differ in cost by ``rows``."""

    process: float = 0.02
    block: float = 0.03
    rows: float = 0.2
    disturbed: float = 0.05
    shared: dict[str, str] = field(default_factory=dict)
    rounds: int = 8
    blocks: int = 6

    def run(self, wall_ms, *, cpu_ms=None, seed=0, failed=None, twin=True):
        """Cells with these true wall times; CPU equals wall unless given. ``shared`` maps a cell to its process."""
        rng = np.random.default_rng(seed)
        shape = (self.rounds, self.blocks)
        rows = np.exp(rng.normal(0, self.rows, shape))
        cpu_ms = wall_ms | (cpu_ms or {})
        offsets = {}

        def cell(name, like):
            noise = rows * self._noise(self.shared.get(name, name), rows.shape, offsets, rng)
            each = np.ones(self.rounds)
            return CellTrials(name, wall_ms[like] * noise, cpu_ms[like] * noise, np.ones(1), {}, each, each, each, each)

        cells = {name: cell(name, name) for name in wall_ms}
        second = cell("twin", PRODUCTION) if twin else None
        none = np.zeros(self.rounds, dtype=np.bool_)
        return Experiment(PRODUCTION, cells, second, failed or {}, none, 1.0, rows.size * len(cells))

    def _noise(self, process, shape, offsets, rng):
        if process not in offsets:
            offsets[process] = np.exp(rng.normal(0, self.process, (self.rounds, 1)))
        disturbed = np.where(rng.random(shape) < self.disturbed, rng.uniform(1.3, 3, shape), 1.0)
        return offsets[process] * np.exp(rng.normal(0, self.block, shape)) * disturbed


@pytest.fixture
def machine():
    return Machine


@pytest.fixture
def occupancy():
    """Price of a two-core machine at $0.1 an hour with this many slots, USD per 1000 inferences."""

    def price(cores=2.0, slots=2.0):
        return lambda wall, cpu: 0.1 / 3600 * np.maximum(cpu / cores, wall / slots)

    return price
