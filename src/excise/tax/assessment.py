"""The tax return of a measured table of cells: rate, lines and subsets, in both ledgers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from excise.core.audit import Gap
from excise.core.estimate import Estimate
from excise.core.measurement import Experiment
from excise.core.tax import Line, Remedy, Subset, TaxRate, cell_name
from excise.stats.shapley import Shares, shapley
from excise.tax.cells import Set, subsets
from excise.tax.costs import TWIN, Cost, Costs, costs_of

Floats = NDArray[np.float64]


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """What production costs, what is attainable, and what lies between.

    Attributes:
        rate: 1 - attainable / current of the latency ledger; None where it could not be measured.
        rate_cost: likewise of the money ledger; None without a price.
        lines: by latency saved, then money; each ledger's points add up to current minus attainable.
        subsets: every subset of S*, smallest first; those of the money ledger's S* follow where it differs.
        current_ms, current_cpu_ms, current_cost: production; its cost is None without a price.
        attainable_ms, attainable_cpu_ms: with the latency ledger's S*.
        attainable_cost: with the money ledger's S*.
        not_measured: which cells have no value, and why.
    """

    rate: TaxRate | None
    rate_cost: TaxRate | None
    lines: tuple[Line, ...]
    subsets: tuple[Subset, ...]
    current_ms: Estimate
    current_cpu_ms: Estimate
    current_cost: Estimate | None
    attainable_ms: Estimate
    attainable_cpu_ms: Estimate
    attainable_cost: Estimate | None
    not_measured: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Ledger:
    """One ledger: its S*, cell values by subset at the sigma points, and their Shapley shares."""

    costs: Costs
    unit: str
    remedies: tuple[str, ...]
    values: Mapping[Set, Floats]
    shares: Shares

    def estimate(self, values: Floats | None) -> Estimate | None:
        return None if values is None else self.costs.estimate(values, self.unit)

    @property
    def attainable(self) -> Floats:
        return self.values[frozenset(self.remedies)]


def assess(
    experiment: Experiment,
    players: Sequence[Remedy],
    *,
    cost: Cost | None = None,
    money: Sequence[Remedy] | None = None,
    level: float = 0.95,
) -> Assessment:
    """Rate and lines from the half of the experiment that did not choose the remedies.

    v(T) = c(none) - c(T); lines are Shapley shares over the orders that could run. Intervals follow every
    share through the joint doubt of all cells' medians (``stats.medians``), that of c(none) included.
    Where S* as a whole could not run, the runnable subset that keeps the first players, in the order given,
    takes its place: chosen by the screening half's order, never by this half's numbers.

    Args:
        experiment: cells named by ``cell_name``; missing ones are explained in ``failed``.
        players: S* of the latency ledger, best first.
        cost: the price of demand; None without a price.
        money: S* of the money ledger, best first; None where it is the same.
        level: nominal coverage.
    Returns:
        The assessment. With an empty S* the rate is 0 with the interval of the A/A stream.
    Raises:
        NotMeasured: no round completed its cells.
    """
    named = {remedy.name: remedy for remedy in (*players, *(money or ()))}
    first = tuple(remedy.name for remedy in players)
    second = first if money is None else tuple(remedy.name for remedy in money)
    wanted = tuple(dict.fromkeys((*subsets(first), *subsets(second))))
    costs = costs_of(experiment, map(cell_name, wanted), cost, level=level)
    latency = _ledger(costs, costs.wall_ms, first, "ms")
    purse = None if costs.per_1000 is None else _ledger(costs, costs.per_1000, second, "usd")
    attained = cell_name(latency.remedies)
    production = cell_name(())
    return Assessment(
        rate=_rate(experiment, latency, cost, _wall),
        rate_cost=None if purse is None else _rate(experiment, purse, cost, _per_1000),
        lines=_lines(named, latency, purse),
        subsets=tuple(_subset(subset, costs) for subset in wanted),
        current_ms=costs.estimate(costs.wall_ms[production], "ms"),
        current_cpu_ms=costs.estimate(costs.cpu_ms[production], "ms"),
        current_cost=None if purse is None else purse.estimate(purse.values[frozenset()]),
        attainable_ms=costs.estimate(latency.attainable, "ms"),
        attainable_cpu_ms=costs.estimate(costs.cpu_ms[attained], "ms"),
        attainable_cost=None if purse is None else purse.estimate(purse.attainable),
        not_measured=tuple(Gap(what=cell, why=why) for cell, why in sorted(costs.missing.items())),
    )


def _ledger(costs: Costs, cells: Mapping[str, Floats], players: tuple[str, ...], unit: str) -> _Ledger:
    runnable = [subset for subset in subsets(players) if cell_name(subset) in cells]
    taken = max(runnable, key=lambda subset: [name in subset for name in players])
    remedies = tuple(name for name in players if name in taken)
    values = {subset: cells[cell_name(subset)] for subset in runnable}
    saved = {subset: values[frozenset()] - value for subset, value in values.items()}
    return _Ledger(costs, unit, remedies, values, shapley(remedies, saved))


def _wall(costs: Costs) -> Mapping[str, Floats]:
    return costs.wall_ms


def _per_1000(costs: Costs) -> Mapping[str, Floats]:
    return costs.per_1000 or {}


def _rate(
    experiment: Experiment, ledger: _Ledger, cost: Cost | None, cells: Callable[[Costs], Mapping[str, Floats]]
) -> TaxRate:
    if ledger.remedies:
        rate = ledger.costs.saved_share(ledger.attainable, ledger.values[frozenset()])
        return TaxRate(rate=rate, remedies=ledger.remedies)
    nothing = Estimate(value=0.0, low=None, high=None, level=ledger.costs.level, unit="ratio", n=ledger.costs.rounds)
    costs = costs_of(experiment, [TWIN], cost, level=ledger.costs.level)
    table = cells(costs)
    if TWIN not in table:
        return TaxRate(rate=nothing, remedies=())
    seen = costs.saved_share(table[TWIN], table[experiment.incumbent])
    return TaxRate(rate=msgspec.structs.replace(seen, value=0.0), remedies=())


def _lines(named: Mapping[str, Remedy], latency: _Ledger, purse: _Ledger | None) -> tuple[Line, ...]:
    groups = dict.fromkeys((*latency.shares.groups, *(purse.shares.groups if purse else ())))
    lines = [_line(group, [named[name] for name in _ordered(group, named)], latency, purse) for group in groups]
    return tuple(sorted(lines, key=_saved, reverse=True))


def _ordered(group: Set, named: Mapping[str, Remedy]) -> list[str]:
    return [name for name in named if name in group]


def _saved(line: Line) -> tuple[float, float]:
    return (
        line.latency_ms.value if line.latency_ms else 0.0,
        line.cost_per_1000.value if line.cost_per_1000 else 0.0,
    )


def _line(group: Set, remedies: Sequence[Remedy], latency: _Ledger, purse: _Ledger | None) -> Line:
    alone = latency.costs.wall_ms.get(cell_name(group))
    return Line(
        culprit="+".join(dict.fromkeys(remedy.culprit.value for remedy in remedies)),
        latency_ms=latency.estimate(latency.shares.share.get(group)),
        cost_per_1000=purse.estimate(purse.shares.share.get(group)) if purse else None,
        alone_ms=None if alone is None else latency.estimate(latency.values[frozenset()] - alone),
        last_ms=latency.estimate(latency.shares.last.get(group)),
        evidence="; ".join(remedy.seen for remedy in remedies if remedy.seen),
        remedy=" && ".join(remedy.command for remedy in remedies if remedy.command),
        remedies=tuple(remedy.name for remedy in remedies),
    )


def _subset(subset: Set, costs: Costs) -> Subset:
    cell = cell_name(subset)
    why = costs.missing.get(cell)
    names = tuple(sorted(subset))
    if why is not None:
        return Subset(remedies=names, latency_ms=None, cost_per_1000=None, why_not=why)
    money = None if costs.per_1000 is None else costs.estimate(costs.per_1000[cell], "usd")
    return Subset(remedies=names, latency_ms=costs.estimate(costs.wall_ms[cell], "ms"), cost_per_1000=money)
