"""Percentiles of single calls that refuse to speak before there are enough calls."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from excise.core.estimate import Estimate
from excise.stats.quantiles import binomial_cdf

Floats = NDArray[np.float64]

EARLY_STOPPING_CONFIDENCE = 0.99
"""MLPerf LoadGen's confidence of early stopping."""


@lru_cache(maxsize=64)
def needed(q: float) -> int:
    """Fewest samples before the percentile may be reported: MLPerf SingleStream's early-stopping floor.

    The smallest n at which one sample beyond the reported one leaves at most 1 % doubt:
    P(Binomial(n, 1 - q) <= 1) <= 0.01.

    >>> needed(0.5), needed(0.9), needed(0.95), needed(0.99)
    (11, 64, 130, 662)

    Raises:
        ValueError: ``q`` is not inside (0, 1).
    Source: MLPerf inference rules, "Early stopping"; LoadGen early_stopping.cc (tolerance 0, confidence 0.99).
    """
    _check(q)
    low, high = 1, 2
    while binomial_cdf(1, high, 1 - q) > 1 - EARLY_STOPPING_CONFIDENCE:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        enough = binomial_cdf(1, middle, 1 - q) <= 1 - EARLY_STOPPING_CONFIDENCE
        low, high = (low, middle) if enough else (middle, high)
    return high


def percentile(samples_ms: ArrayLike, q: float, *, level: float = 0.95) -> Estimate | None:
    """A percentile with its order-statistic interval, or None under the early-stopping floor.

    >>> percentile(np.arange(661.0), 0.99) is None
    True
    >>> found = percentile(np.arange(1.0, 12.0), 0.5)
    >>> found.value, found.low, found.high
    (6.0, 2.0, 10.0)

    Args:
        samples_ms: single calls, shape (n,), ms; NaN are dropped.
        q: in (0, 1).
        level: at least this coverage for independent calls of any distribution.
    Raises:
        ValueError: ``q`` is not inside (0, 1).
    Source: David & Nagaraja 2003, section 7.1.
    """
    _check(q)
    ordered = _ordered(samples_ms)
    if ordered.size < needed(q):
        return None
    tail = (1 - level) / 2
    low, high = _rank_below(ordered.size, q, tail), _rank_above(ordered.size, q, tail)
    return Estimate(
        value=float(np.quantile(ordered, q)),
        low=float(ordered[low - 1]) if low >= 1 else None,
        high=float(ordered[high - 1]) if high <= ordered.size else None,
        level=level,
        unit="ms",
        n=ordered.size,
    )


def upper_bound(samples_ms: ArrayLike, q: float, *, level: float = 0.95) -> Estimate | None:
    """A one-sided upper bound of a percentile, which needs fewer samples than the percentile itself.

    For p99 at 95 %: 299 calls, because 0.99**299 is just under 5 %.

    >>> upper_bound(np.arange(298.0), 0.99) is None, upper_bound(np.arange(299.0), 0.99).high
    (True, 298.0)

    Args:
        samples_ms: single calls, shape (n,), ms; NaN are dropped.
        q: in (0, 1).
        level: coverage of the bound.
    Returns:
        ``high`` is the bound, ``low`` is None; None where even the largest sample is no bound.
    Raises:
        ValueError: ``q`` is not inside (0, 1).
    """
    _check(q)
    ordered = _ordered(samples_ms)
    rank = _rank_above(ordered.size, q, 1 - level)
    if ordered.size == 0 or rank > ordered.size:
        return None
    value, high = float(np.quantile(ordered, q)), float(ordered[rank - 1])
    return Estimate(value=value, low=None, high=high, level=level, unit="ms", n=ordered.size)


def _check(q: float) -> None:
    if not 0 < q < 1:
        msg = f"a percentile of {q}: write 0.99 for p99"
        raise ValueError(msg)


def _ordered(samples_ms: ArrayLike) -> Floats:
    samples = np.asarray(samples_ms, dtype=np.float64).ravel()
    return np.sort(samples[np.isfinite(samples)])


def _rank_above(count: int, q: float, tail: float) -> int:
    """Smallest rank whose order statistic is under the percentile with probability at most ``tail``."""
    low, high = 0, count + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if 1 - binomial_cdf(middle - 1, count, q) <= tail else (middle, high)
    return high


def _rank_below(count: int, q: float, tail: float) -> int:
    """Largest rank whose order statistic is above the percentile with probability at most ``tail``."""
    low, high = 0, count + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if binomial_cdf(middle - 1, count, q) <= tail else (low, middle)
    return low
