"""The share of trials that went one way, with its exact interval."""

from __future__ import annotations

from collections.abc import Callable

from excise.core.estimate import Estimate
from excise.stats.quantiles import binomial_cdf

STEPS = 60
"""Halvings of the unit interval: past the resolution of a float."""


def proportion(hits: int, trials: int, *, level: float = 0.95) -> Estimate:
    """The share of hits; without any, the upper end alone takes all of the error.

    >>> found = proportion(3, 100)
    >>> round(found.value, 3), round(found.low, 4), round(found.high, 4)
    (0.03, 0.0062, 0.0852)
    >>> round(proportion(0, 100).high, 4)
    0.0295

    Args:
        hits: how many, at most ``trials``.
        trials: how many were made, at least one.
        level: coverage.
    Source: Clopper & Pearson 1934; for no hits the rule of three's exact form, 1 - (1 - level)^(1/n).
    """
    alpha = 1 - level
    if hits == 0:
        return Estimate(value=0.0, low=0.0, high=1 - alpha ** (1 / trials), unit="ratio", n=trials, level=level)
    low = _solve(lambda p: 1 - binomial_cdf(hits - 1, trials, p) > alpha / 2)
    high = 1.0 if hits == trials else _solve(lambda p: binomial_cdf(hits, trials, p) <= alpha / 2)
    return Estimate(value=hits / trials, low=low, high=high, unit="ratio", n=trials, level=level)


def _solve(above: Callable[[float], bool]) -> float:
    """Where a condition that holds for large shares begins to hold."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if above(middle) else (middle, high)
    return high
