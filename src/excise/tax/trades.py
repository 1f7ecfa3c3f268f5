"""What a trade of skill for cost would save beyond the attainable."""

from __future__ import annotations

from typing import NamedTuple

from excise.core.errors import NotMeasured
from excise.core.estimate import Estimate
from excise.core.measurement import Experiment
from excise.tax.costs import Cost, costs_of


class Further(NamedTuple):
    """Attainable minus traded, in both ledgers; no money without a price."""

    latency_ms: Estimate
    cost_per_1000: Estimate | None


def further(experiment: Experiment, attainable: str, traded: str, cost: Cost | None, *, level: float = 0.95) -> Further:
    """What one cell saves beyond another, from the rounds that both completed.

    Args:
        experiment: the half that states the rate.
        attainable: the cell of S*.
        traded: the cell with the trade in it.
        cost: the price of demand; None without a price.
        level: nominal coverage.
    Raises:
        NotMeasured: one of the cells did not run.
    """
    costs = costs_of(experiment, [attainable, traded], cost, level=level)
    for cell, why in costs.missing.items():
        raise NotMeasured(f"{cell}: {why}")
    money = costs.per_1000
    return Further(
        latency_ms=costs.estimate(costs.wall_ms[attainable] - costs.wall_ms[traded], "ms"),
        cost_per_1000=None if money is None else costs.estimate(money[attainable] - money[traded], "usd"),
    )
