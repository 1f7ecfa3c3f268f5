"""Confidence sequences: intervals that hold at all times at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from excise.stats.eprocess import plug_in_bets, rescaled, running_moments

Floats = NDArray[np.float64]

LARGEST_SLOPE = 0.5
"""Cap on the slope of the exponential bet (Waudby-Smith & Ramdas 2024, after theorem 2)."""


def empirical_bernstein(
    values: ArrayLike, *, low: float = 0.0, high: float = 1.0, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Lower and upper ends after each value; with probability ``level`` none of them ever misses the mean.

    >>> lower, upper = empirical_bernstein([0.5] * 1000)
    >>> bool(lower[0] == 0.0), bool(upper[-1] - lower[-1] < 0.05)
    (True, True)

    Args:
        values: shape (n,), each in [low, high], in order.
        low: least possible value.
        high: largest possible value.
        level: coverage over all times.
    Returns:
        Two arrays of shape (n,), monotone (the running intersection).
    Raises:
        ValueError: a value lies outside the range.
    Source: Waudby-Smith & Ramdas 2024, theorem 2 (predictable plug-in empirical Bernstein).
    """
    unit, alpha = rescaled(values, low, high), 1 - level
    slope = np.minimum(plug_in_bets(unit, alpha=alpha), LARGEST_SLOPE)
    mean, _ = running_moments(unit)
    before = np.concatenate([[0.5], mean[:-1]]) if unit.size else mean
    deviation = 4 * (unit - before) ** 2
    margin = np.log(2 / alpha) + np.cumsum(deviation * (-np.log1p(-slope) - slope) / 4)
    total = np.cumsum(slope)
    center, half = np.cumsum(slope * unit) / total, margin / total
    lower = np.maximum.accumulate(np.clip(center - half, 0.0, 1.0))
    upper = np.minimum.accumulate(np.clip(center + half, 0.0, 1.0))
    return low + (high - low) * lower, low + (high - low) * upper
