"""Inference over fresh-process rounds: one number per round, never one per iteration.

The fresh process is the sampling unit. An interval bootstrapped over the iterations of one pair of processes
excluded zero in 33 of 44 A/A runs, because a process's memory layout looks like a real difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from excise.core.errors import NotComparable
from excise.core.estimate import Estimate
from excise.stats.medians import from_points, sigma_points
from excise.stats.quantiles import normal_cdf, student_t

Floats = NDArray[np.float64]

LARGEST_EXACT = 200
"""Above this many rounds the exact signed-rank law is no longer worth its table."""


def paired(per_round: ArrayLike, *, unit: str, level: float = 0.95) -> Estimate:
    """Median over rounds, with a t interval around it.

    The half-width is t(K-1) * 1.2533 * s / sqrt(K): 1.2533 = sqrt(pi/2) is the price of the median under
    normal noise, and s is the plain standard deviation, so that outlying rounds widen the interval instead of
    moving it. Simulated coverage at a nominal 95 %: 96.1-97.2 % under normal noise, 97.4-99.4 % under t2, t3,
    Laplace and 10 % outliers (K 3 to 20). Noise bounded like a uniform one is covered in 89-95 %.

    For 1, 2, 3: s = 1, so 4.3027 * 1.2533 / sqrt(3) = 3.1134 on either side of 2.

    >>> found = paired([1.0, 2.0, 3.0], unit="ms")
    >>> found.value, round(found.low, 4), round(found.high, 4), found.n
    (2.0, -1.1134, 5.1134, 3)

    Args:
        per_round: shape (K,), one value per fresh-process round; NaN rounds are dropped.
        unit: of the values.
        level: nominal coverage.
    Returns:
        The estimate; its ends are None with fewer than 3 rounds.
    Raises:
        NotComparable: no round is left.
    Source: Student 1908 with the median's efficiency (Laplace 1818; Mosteller 1946).
    """
    values = _finite(per_round)
    return from_points(sigma_points(values[:, None])[:, 0], n=values.size, unit=unit, level=level)


def _finite(per_round: ArrayLike) -> Floats:
    values = np.asarray(per_round, dtype=np.float64).ravel()
    values = values[np.isfinite(values)]
    if values.size == 0:
        raise NotComparable("no round was measured on both sides", hint="give the measurement a larger --budget")
    return values


def block_log_ratio(candidate: ArrayLike, incumbent: ArrayLike) -> Floats:
    """Per round, the median over blocks of log(candidate / incumbent).

    >>> block_log_ratio([[2.0, 8.0, 4.0]], [[1.0, 2.0, 2.0]]).round(4)
    array([0.6931])

    Args:
        candidate: block means, shape (R, B), above 0; NaN where a block was not run.
        incumbent: the same shape, the same inputs block by block.
    Returns:
        Shape (R,); NaN where a round has no block on both sides.
    Raises:
        NotComparable: the shapes differ.
    """
    above, below = np.asarray(candidate, dtype=np.float64), np.asarray(incumbent, dtype=np.float64)
    if above.shape != below.shape:
        raise NotComparable(f"blocks of shape {above.shape} against {below.shape}", hint="run both on the same blocks")
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(above / below)
    return over_blocks(logs, np.median)


def over_blocks(blocks: ArrayLike, statistic: Callable[..., Any]) -> Floats:
    """A statistic over the finite blocks of every round; NaN for a round that has none.

    >>> over_blocks([[1.0, 3.0], [np.nan, np.nan]], np.mean)
    array([ 2., nan])

    Args:
        blocks: shape (R, B).
        statistic: reduces along ``axis``, as numpy's do.
    """
    rows = np.atleast_2d(np.asarray(blocks, dtype=np.float64))
    found = np.full(rows.shape[0], math.nan)
    finite = np.isfinite(rows)
    whole = finite.all(axis=1) & (rows.shape[1] > 0)
    if whole.any():
        found[whole] = statistic(rows[whole], axis=1)
    for index in np.flatnonzero(finite.any(axis=1) & ~whole):
        found[index] = statistic(rows[index][finite[index]], axis=0)
    return found


def walsh_averages(values: Floats) -> Floats:
    """All averages of two values (a value with itself included), ascending."""
    first, second = np.triu_indices(values.size)
    return np.sort((values[first] + values[second]) / 2)


def hodges_lehmann(per_round: ArrayLike) -> float:
    """Median of the averages of all pairs of rounds: as robust as is needed, 95 % as efficient as the mean.

    Averages of 1, 2, 9: 1, 1.5, 2, 5, 5.5, 9.

    >>> hodges_lehmann([1.0, 2.0, 9.0])
    3.5

    Source: Hodges & Lehmann 1963.
    """
    return float(np.median(walsh_averages(_finite(per_round))))


def signed_rank_law(count: int) -> Floats:
    """Probabilities of the signed-rank sum 0 .. K(K+1)/2 when every sign is a fair coin.

    >>> signed_rank_law(2)
    array([0.25, 0.25, 0.25, 0.25])

    Source: Wilcoxon 1945.
    """
    law = np.zeros(count * (count + 1) // 2 + 1)
    law[0] = 1.0
    for rank in range(1, count + 1):
        law[rank:] = (law[rank:] + law[:-rank]) / 2
        law[:rank] /= 2
    return law


def wilcoxon_interval(per_round: ArrayLike, *, unit: str, level: float = 0.95) -> Estimate | None:
    """Exact signed-rank interval around the Hodges-Lehmann estimate: true for any symmetric noise.

    Six rounds are the fewest for 95 %: all signs agree with probability 2 / 2**6 = 3.1 %.

    >>> wilcoxon_interval([1.0, 2.0, 3.0, 4.0, 5.0], unit="ms") is None
    True
    >>> found = wilcoxon_interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], unit="ms")
    >>> found.low, found.value, found.high
    (1.0, 3.5, 6.0)

    Args:
        per_round: shape (K,); NaN rounds are dropped.
        unit: of the values.
        level: at least this coverage is kept.
    Returns:
        None where K is too small for the level.
    Raises:
        NotComparable: no round is left, or more than 200 are.
    Source: Hollander, Wolfe & Chicken 2013, section 3.3.
    """
    values = _finite(per_round)
    if values.size > LARGEST_EXACT:
        raise NotComparable(f"{values.size} rounds: the exact law is kept for at most {LARGEST_EXACT}")
    tail = np.cumsum(signed_rank_law(values.size))
    allowed = int(np.searchsorted(tail, (1 - level) / 2, side="right"))
    if allowed == 0:
        return None
    averages = walsh_averages(values)
    low, high = float(averages[allowed - 1]), float(averages[-allowed])
    return Estimate(value=float(np.median(averages)), low=low, high=high, level=level, unit=unit, n=values.size)


def bootstrap(
    per_round: ArrayLike,
    statistic: Callable[[Floats], Floats],
    *,
    unit: str,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Two-level bootstrap: rounds are drawn, then blocks inside each drawn round.

    The percentiles are taken further out for few rounds, as far as a t interval is wider than a normal one.

    >>> found = bootstrap(np.ones((4, 3)), lambda x: x.mean(axis=(-2, -1)), unit="ms")
    >>> found.value, found.low, found.high, found.n
    (1.0, 1.0, 1.0, 4)

    Args:
        per_round: shape (R, B): rounds by blocks, or (R,) for one value a round; rounds with a NaN are dropped.
        statistic: maps shape (..., R, B) to (...).
        unit: of the statistic.
        level: nominal coverage.
        draws: resamples.
        seed: of the resamples.
    Returns:
        The estimate; its ends are None with fewer than 3 rounds; n counts rounds.
    Raises:
        NotComparable: no complete round.
    Source: Davison & Hinkley 1997, section 3.8; Hesterberg 2015, section 3.1 for the expanded percentiles.
    """
    values = np.asarray(per_round, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    values = values[np.isfinite(values).all(axis=1)]
    if values.shape[0] == 0:
        raise NotComparable("no complete round to resample", hint="give the measurement a larger --budget")
    value, count = float(statistic(values)), values.shape[0]
    if count < 3:  # noqa: PLR2004  as in paired
        return Estimate(value=value, low=None, high=None, level=level, unit=unit, n=count)
    low, high = np.quantile(statistic(_resample(values, draws, seed)), _expanded(level, count))
    return Estimate(value=value, low=float(low), high=float(high), level=level, unit=unit, n=count)


def _resample(values: Floats, draws: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    rounds, blocks = values.shape
    outer = rng.integers(rounds, size=(draws, rounds, 1))
    inner = rng.integers(blocks, size=(draws, rounds, blocks)) if blocks > 1 else np.zeros((1, 1, 1), dtype=np.int64)
    return values[outer, inner]


def _expanded(level: float, count: int) -> tuple[float, float]:
    tail = normal_cdf(-math.sqrt(count / (count - 1)) * student_t((1 + level) / 2, count - 1))
    return tail, 1 - tail
