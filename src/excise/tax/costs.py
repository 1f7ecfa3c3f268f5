"""What every cell of an experiment costs, in both ledgers, with what its doubt needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from excise.core.errors import NotMeasured
from excise.core.estimate import Estimate
from excise.core.measurement import CellTrials, Experiment
from excise.stats.medians import from_points, sigma_points
from excise.stats.pairs import block_log_ratio, over_blocks

Floats = NDArray[np.float64]
Cost = Callable[[Floats, Floats], Floats]
"""Mean wall ms and CPU ms per call -> USD per 1000 inferences; elementwise."""

TWIN = "production (twin)"
"""Name by which the A/A stream's cost is asked for, whatever its trials are called."""
INSTRUMENT_MS = 0.0005
"""What no number of rounds takes away: two ways of calling the same work differ by up to a microsecond, by the state of
caches, branch predictors and allocators that comes with each (planted spins, audits of 8 s against 60 s)."""
CLOCK_MS = 1e-6
"""A CPU clock counts nanoseconds: what it calls zero is under one."""


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """Values of the measured cells: first at the medians over rounds, then moved by one standard error.

    Attributes:
        wall_ms: by cell, shape (points,).
        cpu_ms: by cell, shape (points,); NaN where CPU time was not observed.
        per_1000: by cell, shape (points,), USD; None without a price.
        missing: why a cell has no value.
        rounds: complete rounds behind them.
        level: nominal coverage of the estimates.
    """

    wall_ms: Mapping[str, Floats]
    cpu_ms: Mapping[str, Floats]
    per_1000: Mapping[str, Floats] | None
    missing: Mapping[str, str]
    rounds: int
    level: float = 0.95

    def estimate(self, values: Floats, unit: str) -> Estimate:
        """The estimate of a function of the cells, from its values at the points."""
        return from_points(values, n=self.rounds, unit=unit, level=self.level)

    def saved_share(self, cost: Floats, production: Floats) -> Estimate:
        """1 - cost / production, with an interval that is symmetric in the logarithm and not clipped at zero."""
        logs = self.estimate(np.log(cost) - np.log(production), "ratio")
        ends = [None if end is None else float(-np.expm1(end)) for end in (logs.high, logs.low)]
        value = float(-np.expm1(logs.value))
        return Estimate(value=value, low=ends[0], high=ends[1], level=self.level, unit="ratio", n=self.rounds)


def costs_of(
    experiment: Experiment,
    cells: Iterable[str],
    cost: Cost | None,
    *,
    level: float = 0.95,
    least_share: float = 0.5,
) -> Costs:
    """Costs of production and of some cells.

    Production's value is the median over rounds of the round's mean over blocks; a cell's is production's times
    exp(median over rounds of the round's median paired log-ratio). A cell that ran in too few of
    production's rounds counts as missing; then only rounds that every remaining cell completed are used, so
    that all values rest on the same rounds.

    Args:
        experiment: one half of the measurement.
        cells: names beside production's.
        cost: the price of demand, None without a price.
        level: nominal coverage of the estimates.
        least_share: of production's rounds, under which a cell counts as missing.
    Raises:
        NotMeasured: no round is complete.
    """
    production = experiment.cells[experiment.incumbent]
    base = _levels(production)
    columns: dict[str, Floats] = {}
    missing: dict[str, str] = {}
    for name in dict.fromkeys(cells):
        trials = _trials(experiment, name)
        ratios = None if trials is None else _log_ratios(trials, production)
        why = _why_missing(experiment, name, ratios, base, least_share)
        if why is not None:
            missing[name] = why
        elif ratios is not None and name != experiment.incumbent:
            columns[name] = ratios
    rounds = np.concatenate([base, *columns.values()], axis=1)
    rounds = rounds[np.isfinite(rounds).all(axis=1)]
    if rounds.shape[0] == 0:
        raise NotMeasured("no round completed all its cells", hint="give the measurement a larger --budget")
    points = sigma_points(rounds, _left_open(np.median(rounds, axis=0)))
    wall, cpu = _values(experiment.incumbent, tuple(columns), points)
    money = None
    if cost is not None:
        money = {name: np.asarray(cost(wall[name], cpu[name]), dtype=np.float64) for name in wall}
    return Costs(wall, cpu, money, missing, rounds.shape[0], level)


def _left_open(middle: Floats) -> Floats:
    """The instrument's part of every column's doubt: production's two levels, then two log-ratios to them a cell."""
    levels = np.tile(middle[:2], middle.size // 2)
    cells = levels * np.exp(np.concatenate([[0.0, 0.0], middle[2:]]))
    ratios = INSTRUMENT_MS * np.hypot(1 / cells, 1 / levels)
    shares = np.where(np.minimum(cells, levels) > INSTRUMENT_MS, ratios, 0.0)  # below it nothing was observed
    return np.asarray(np.concatenate([np.minimum(INSTRUMENT_MS, levels[:2]), shares[2:]]), dtype=np.float64)


def _values(incumbent: str, names: tuple[str, ...], points: Floats) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Wall and CPU ms of every cell at the points; columns are production's two, then two log-ratios a cell."""
    factors = np.exp(points[:, 2:])
    wall = {incumbent: points[:, 0]} | {name: points[:, 0] * factors[:, 2 * k] for k, name in enumerate(names)}
    cpu = {incumbent: points[:, 1]} | {name: points[:, 1] * factors[:, 2 * k + 1] for k, name in enumerate(names)}
    return wall, cpu


def _trials(experiment: Experiment, name: str) -> CellTrials | None:
    return experiment.twin if name == TWIN else experiment.cells.get(name)


def _levels(trials: CellTrials) -> Floats:
    wall = over_blocks(trials.wall_ms, np.mean)
    return np.column_stack([wall, over_blocks(_cpu(trials), np.mean)])


def _log_ratios(trials: CellTrials, production: CellTrials) -> Floats:
    wall = block_log_ratio(trials.wall_ms, trials.against_wall_ms(production))
    against = _observed(trials.against_wall_ms(production), trials.against_cpu_ms(production))
    return np.column_stack([wall, block_log_ratio(_cpu(trials), against)])


def _cpu(trials: CellTrials) -> Floats:
    return _observed(trials.wall_ms, trials.cpu_ms)


def _observed(wall_ms: Floats, cpu_ms: Floats) -> Floats:
    """CPU demand of blocks that were run; the clock's grain where it was not observed or is below it."""
    if not np.isfinite(cpu_ms).any():
        return np.where(np.isfinite(wall_ms), CLOCK_MS, np.nan)
    return np.maximum(cpu_ms, CLOCK_MS)


def _why_missing(
    experiment: Experiment, name: str, ratios: Floats | None, base: Floats, least_share: float
) -> str | None:
    why = experiment.failed.get(name)
    if ratios is None:
        return why or "it was not run"
    ran, rounds = int(np.isfinite(ratios).all(axis=1).sum()), int(np.isfinite(base).all(axis=1).sum())
    if ran == 0 or ran < least_share * rounds:
        return f"it ran in {ran} of {rounds} rounds" + (f": {why}" if why else "")
    return None
