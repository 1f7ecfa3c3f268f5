"""The numbers of a column: counts, moments, ranges, decimals and equiprobable bins; all merge by addition."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from excise.core.errors import NotComparable
from excise.features.exact import ExactSum
from excise.features.scale import Scale
from excise.features.scan import DECIMALS, digits_together, scan

QUANTILES = 256
SAMPLE = 1 << 14
"""Values whose quantiles become edges; no p-value hangs on them, since both samples are counted in full."""
SIZES_KEPT = 16
SCALES_KEPT = 128
"""Samples' places of 130 kB, and scales of 200 kB, that are held for the next column alike."""
DISTINCT_KEPT = 0.9  # edges become float32 only where no more than a tenth of them would fall together
Floats = NDArray[np.float64]


class Bins(msgspec.Struct, frozen=True):
    """Counts between edges; the first cell lies below all edges, the last above.

    Attributes:
        edges: float32 or float64, little endian, ascending and unique.
        width: bytes per edge.
        counts: len(edges) + 1.
    """

    edges: bytes = b""
    width: int = 8
    counts: tuple[int, ...] = (0,)

    @classmethod
    def equiprobable(cls, values: Floats) -> Self:
        """Empty bins with at most 256 edges at the quantiles of ``values``; a heavy atom gets a bin of its own.

        Quantiles are those of a sample, where values are many; the smallest and the largest are edges all the same.
        """
        ordered = np.sort(sampled(values))
        ordered = ordered[np.isfinite(ordered)]
        if ordered.size == 0:
            return cls()
        positions = np.linspace(0, ordered.size - 1, QUANTILES - 1).astype(np.int64)
        marks, repeats = np.unique(ordered[positions], return_counts=True)
        atoms = marks[repeats > 1] if ordered.size >= QUANTILES else marks[: QUANTILES // 2]
        if values.size > SAMPLE:
            marks = np.unique(np.concatenate([marks, extremes(values)]))
        small = atom_edges(marks, atoms, np.float32)
        edges = small if len(small) >= DISTINCT_KEPT * len(marks) else atom_edges(marks, atoms, np.float64)
        return cls(edges.tobytes(), edges.dtype.itemsize, (0,) * (len(edges) + 1))

    def values(self) -> Floats:
        """The edges as float64, shape (edges,)."""
        return np.frombuffer(self.edges, f"<f{self.width}").astype(np.float64)

    def __add__(self, other: Self) -> Self:
        if (self.edges, self.width) != (other.edges, other.width):
            raise NotComparable("two profiles with different bin edges", hint="build both with edges_from=reference")
        summed = tuple(mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True))
        return msgspec.structs.replace(self, counts=summed)


def extremes(values: Floats) -> tuple[float, float]:
    """The smallest and the largest finite value."""
    ends = float(values.min()), float(values.max())
    return ends if np.isfinite(ends).all() else extremes(values[np.isfinite(values)])


def sampled(values: Floats) -> Floats:
    """The values themselves, or as many as fix the edges; which ones depends on how many there are alone."""
    return values if values.size <= SAMPLE else values[chosen(values.size)]


@lru_cache(SIZES_KEPT)
def chosen(count: int) -> NDArray[np.int64]:
    """Places of a sample among so many, the same on every machine."""
    return np.sort(np.random.default_rng(count).integers(count, size=SAMPLE))


@lru_cache(SCALES_KEPT)
def scale_of(edges: bytes, width: int, center: float) -> Scale:
    """The scale that these edges fix."""
    return Scale.of(np.frombuffer(edges, f"<f{width}").astype(np.float64) + 0.0, center)


def atom_edges(marks: Floats, atoms: Floats, dtype: type[np.float32 | np.float64]) -> NDArray[Any]:
    """Unique edges in ``dtype``: each mark rounded down, and the next number above each atom."""
    down, up = dtype(-np.inf), dtype(np.inf)
    with np.errstate(over="ignore", under="ignore"):
        lower = marks.astype(dtype)
        lower = np.where(lower.astype(np.float64) > marks, np.nextafter(lower, down), lower)
        upper = np.nextafter(lower[np.isin(marks, atoms)], up) if atoms.size else lower[:0]
    edges: NDArray[Any] = np.unique(np.concatenate([lower, upper]))
    finite: NDArray[Any] = edges[np.isfinite(edges)]
    return finite


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """A summary of numbers that merges by addition, in any order, to the same bits.

    Attributes:
        finite, nan, positive_inf, negative_inf, negative, zero: counts.
        decimals: values by decimals used, 0 to 8; the last cell counts more than 8.
        finest: up to 3 values with the most decimals, none where all are whole.
        float32_exact: values that float32 holds exactly.
        magnitudes: non-zero values by eighths of a decade of their absolute value.
        minimum, maximum: of the finite values, None without.
        center: what moments are taken about; the same in all profiles that merge.
        total, squares: exact sums of x - center and of its square, rounded to the grains of the scale.
        bins: equiprobable in the reference.
    """

    finite: int = 0
    nan: int = 0
    positive_inf: int = 0
    negative_inf: int = 0
    negative: int = 0
    zero: int = 0
    decimals: tuple[int, ...] = (0,) * (DECIMALS + 2)
    finest: tuple[float, ...] = ()
    float32_exact: int = 0
    magnitudes: dict[int, int] = {}
    minimum: float | None = None
    maximum: float | None = None
    center: float = 0.0
    total: ExactSum = ExactSum()
    squares: ExactSum = ExactSum()
    bins: Bins = Bins()

    @classmethod
    def of(cls, values: Floats, reference: Self | None) -> Self:
        """Summarize ``values``, shape (n,), with the edges and the center of ``reference``."""
        bins = Bins.equiprobable(values) if reference is None else reference.bins
        center = middle(bins) if reference is None else reference.center
        if values.size == 0:
            return cls(center=center, bins=msgspec.structs.replace(bins, counts=(0,) * len(bins.counts)))
        seen = scan(values, scale_of(bins.edges, bins.width, center))
        return cls(
            finite=seen.finite,
            nan=seen.nan,
            positive_inf=seen.positive_inf,
            negative_inf=seen.negative_inf,
            negative=seen.negative,
            zero=seen.zero,
            decimals=seen.decimals,
            finest=seen.finest,
            float32_exact=seen.float32_exact,
            magnitudes=seen.magnitudes,
            minimum=seen.minimum if seen.finite else None,
            maximum=seen.maximum if seen.finite else None,
            center=center,
            total=seen.total,
            squares=seen.squares,
            bins=msgspec.structs.replace(bins, counts=seen.bins),
        )

    @property
    def mean(self) -> float | None:
        """Mean of the finite values, None without."""
        return held(self.total.fraction() / self.finite + Fraction(self.center)) if self.finite else None

    @property
    def m2(self) -> float:
        """Sum of squared deviations from the mean."""
        if not self.finite:
            return 0.0
        spread = self.squares.fraction() - self.total.fraction() ** 2 / self.finite
        return max(0.0, held(spread))

    @property
    def std(self) -> float | None:
        """Standard deviation with n - 1, None under two values."""
        return math.sqrt(self.m2 / (self.finite - 1)) if self.finite > 1 else None

    @property
    def infinite(self) -> int:
        """Values that are plus or minus infinity."""
        return self.positive_inf + self.negative_inf

    @property
    def non_integers(self) -> int:
        """Finite values with decimals."""
        return self.finite - self.decimals[0]

    def finer_than(self, places: int) -> int:
        """Values with more decimals than ``places``."""
        return sum(self.decimals[places + 1 :])

    @property
    def most_decimals(self) -> int:
        """Decimals of the finest value, 9 for more than 8."""
        return max((places for places, count in enumerate(self.decimals) if count), default=0)

    def __add__(self, other: Self) -> Self:
        if self.center != other.center:
            raise NotComparable("two profiles with different centers", hint="build both with edges_from=reference")
        decimals, finest = digits_together([(self.decimals, self.finest), (other.decimals, other.finest)])
        keys = self.magnitudes.keys() | other.magnitudes.keys()
        return type(self)(
            finite=self.finite + other.finite,
            nan=self.nan + other.nan,
            positive_inf=self.positive_inf + other.positive_inf,
            negative_inf=self.negative_inf + other.negative_inf,
            negative=self.negative + other.negative,
            zero=self.zero + other.zero,
            decimals=decimals,
            finest=finest,
            float32_exact=self.float32_exact + other.float32_exact,
            magnitudes={key: self.magnitudes.get(key, 0) + other.magnitudes.get(key, 0) for key in sorted(keys)},
            minimum=min((m for m in (self.minimum, other.minimum) if m is not None), default=None),
            maximum=max((m for m in (self.maximum, other.maximum) if m is not None), default=None),
            center=self.center,
            total=self.total + other.total,
            squares=self.squares + other.squares,
            bins=self.bins + other.bins,
        )


def held(fraction: Fraction) -> float:
    """A rational number as float64; infinite beyond its range."""
    try:
        return float(fraction)
    except OverflowError:
        return math.inf if fraction > 0 else -math.inf


def middle(bins: Bins) -> float:
    """The median edge; 0 without edges."""
    edges = bins.values()
    return float(edges[len(edges) // 2]) if len(edges) else 0.0
