"""Two samples held against each other by their counts: is there a difference, and how large is it at least?"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from excise.stats.tails import chi_square, kolmogorov

Floats = NDArray[np.float64]

FEWEST_EXPECTED = 5.0
"""Expected count under which a level is pooled (Cochran 1954)."""
BAND_95 = 1.3581
"""95 % quantile of the largest excursion of a Brownian bridge."""
LEVEL = 0.05


class Difference(NamedTuple):
    """One comparison.

    Attributes:
        p_value: of the hypothesis that both samples come from one distribution.
        effect: the distance, from 0 to 1.
        low: what the distance is at least, with 95 % confidence.
    """

    p_value: float
    effect: float
    low: float


NOTHING = Difference(1.0, 0.0, 0.0)


def effective(first: float, second: float) -> float:
    """The size of one sample whose error is that of a difference of two.

    >>> effective(100, 100)
    50.0
    """
    return first * second / (first + second) if first and second else 0.0


def ordered_counts(reference: ArrayLike, current: ArrayLike, *, inflation: float = 1.0) -> Difference:
    """Two-sample Kolmogorov-Smirnov test on counts between common edges.

    The distance over bins is at most the distance over values, so that the p-value is never too small; ties only make
    it larger. The limiting distribution bounds that of finite samples in practice from above.

    >>> ordered_counts([50, 50, 0], [50, 50, 0])
    Difference(p_value=1.0, effect=0.0, low=0.0)

    Args:
        reference: counts, shape (bins,).
        current: counts, shape (bins,), between the same edges.
        inflation: by how much dependence between rows widens the error, as a factor on variances.
    Returns:
        The largest distance between the two distribution functions; 1 and 0 where a sample is empty.
    """
    sizes, shares = parts(reference, current)
    if not all(sizes):
        return NOTHING
    effect = float(np.abs(np.cumsum(shares[0]) - np.cumsum(shares[1])).max())
    root = math.sqrt(effective(*sizes) / inflation)
    return Difference(kolmogorov(effect * root), effect, max(0.0, effect - BAND_95 / root))


def beyond(reference: int, current: int, sizes: tuple[int, int]) -> float:
    """P-value of finding so many current values beyond one of the reference's largest, whatever the distribution.

    Values of both samples come in random order where nothing differs: of the values beyond the r-th largest of the
    reference, how many are current ones is a negative binomial count.

    >>> beyond(1, 10, (500, 500))
    0.0009765625

    Args:
        reference: values of the reference in the tail; 0 where it begins just above the largest.
        current: values of the current sample in it.
        sizes: of both samples.
    Source: Rosenbaum 1954; the r-th exceedance, Epstein 1954.
    """
    rank, share = max(reference, 1), sizes[1] / sum(sizes)
    trials = current + rank - 1
    terms = (
        math.lgamma(trials + 1) - math.lgamma(current + j + 1) - math.lgamma(rank - j)
        + (current + j) * math.log(share) + (rank - 1 - j) * math.log1p(-share)
        for j in range(rank)
    )  # fmt: skip
    return min(1.0, math.fsum(math.exp(term) for term in terms))


def levels(reference: ArrayLike, current: ArrayLike, *, rest: ArrayLike = (0, 0), inflation: float = 1.0) -> Difference:
    """Chi-square test of homogeneity: the reference is a sample too, and its rare levels are pooled.

    >>> round(levels([40, 60], [60, 40]).p_value, 4)
    0.0047

    Args:
        reference: counts by level, shape (levels,).
        current: counts of the same levels.
        rest: rows of both samples with other levels; pooled with the rare ones, since which levels are known was
            chosen by one of the samples.
        inflation: as in ``ordered_counts``; divides the statistic (Rao & Scott 1981, first order).
    Returns:
        The total variation between the two.
    """
    table = pooled(np.array([reference, current], dtype=np.float64), np.asarray(rest, dtype=np.float64))
    sizes = table.sum(axis=1)
    if not sizes.all():
        return NOTHING
    expected = sizes[:, None] * table.sum(axis=0) / sizes.sum()
    statistic = float(((table - expected) ** 2 / expected).sum()) / inflation
    effect, low = total_variation(table, inflation)
    return Difference(chi_square(statistic, table.shape[1] - 1), effect, low)


def pooled(table: Floats, rest: Floats) -> Floats:
    """Levels that are expected often enough, and all others as the last one; shape (2, at least 1).

    Where the others together are too few as well, they go into the rarest level that is kept.
    """
    sizes = table.sum(axis=1) + rest
    least = table.sum(axis=0) * sizes.min() / max(sizes.sum(), 1.0)
    often = least >= FEWEST_EXPECTED
    others = table[:, ~often].sum(axis=1) + rest
    kept = table[:, often]
    if not others.sum():
        return kept
    if kept.shape[1] and others.sum() * sizes.min() / sizes.sum() < FEWEST_EXPECTED:
        kept[:, np.argmin(kept.sum(axis=0))] += others
        return kept
    return np.column_stack([kept, others])


def total_variation(table: Floats, inflation: float) -> tuple[float, float]:
    """Half the sum of the shares' differences, and what it is at least.

    Chance alone makes the sum large where levels are many: its expectation without a difference is taken off, and what
    one row can change bounds the rest.

    Source: the bound is McDiarmid's 1989, for two samples.
    """
    sizes = table.sum(axis=1, keepdims=True)
    shares = table / sizes
    effect = float(np.abs(shares[0] - shares[1]).sum()) / 2
    variances = (shares * (1 - shares) / sizes).sum(axis=0) * inflation
    chance = float(np.sqrt(2 / math.pi * variances).sum()) / 2
    beyond = math.sqrt(math.log(1 / LEVEL) / 2 * float((inflation / sizes).sum()))
    return effect, max(0.0, effect - chance - beyond)


def parts(reference: ArrayLike, current: ArrayLike) -> tuple[tuple[float, float], Floats]:
    """The two sizes, and both samples as shares, shape (2, bins)."""
    table = np.array([reference, current], dtype=np.float64)
    sizes = table.sum(axis=1)
    return (float(sizes[0]), float(sizes[1])), table / np.maximum(sizes, 1.0)[:, None]


def population_stability_index(reference: ArrayLike, current: ArrayLike) -> float:
    """Sum of (q - p) ln(q / p), for those used to it; half a row is added to every level, so that it is finite.

    >>> round(population_stability_index([500, 500], [600, 400]), 4)
    0.0405
    """
    first, second = smoothed(reference, current)
    return float(((second - first) * np.log(second / first)).sum())


def jensen_shannon(reference: ArrayLike, current: ArrayLike) -> float:
    """Jensen-Shannon distance in base 2, from 0 to 1.

    >>> jensen_shannon([10, 0], [0, 10]), jensen_shannon([10, 20], [5, 10])
    (1.0, 0.0)
    """
    _, (first, second) = parts(reference, current)
    middle = (first + second) / 2
    return math.sqrt(max(0.0, (relative_entropy(first, middle) + relative_entropy(second, middle)) / 2))


def relative_entropy(shares: Floats, against: Floats) -> float:
    """Kullback-Leibler divergence in bits."""
    seen = shares > 0
    return float((shares[seen] * np.log2(shares[seen] / against[seen])).sum())


def wasserstein(reference: ArrayLike, current: ArrayLike, edges: ArrayLike) -> float:
    """Area between the two distribution functions over the edges, in the values' unit.

    >>> wasserstein([10, 0, 0], [0, 0, 10], [1.0, 3.0])
    2.0

    Args:
        reference: counts, shape (edges + 1,).
        current: likewise.
        edges: ascending.
    """
    _, shares = parts(reference, current)
    gaps = np.abs(np.cumsum(shares[0]) - np.cumsum(shares[1]))[:-1]
    return float((gaps[:-1] * np.diff(np.asarray(edges, dtype=np.float64))).sum())


def smoothed(reference: ArrayLike, current: ArrayLike) -> Floats:
    """Both samples as shares with half a row more in every level."""
    table = np.array([reference, current], dtype=np.float64) + 0.5
    return np.asarray(table / table.sum(axis=1, keepdims=True), dtype=np.float64)
