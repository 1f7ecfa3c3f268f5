"""A mergeable histogram with log-spaced buckets: any quantile within 1 %."""

from __future__ import annotations

import math
import struct
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from excise.core.errors import DataError

ACCURACY = 0.01
"""Relative error of a quantile, at most."""
GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
"""Ratio of the ends of a bucket."""
SMALLEST = 1e-9
"""Values under it are counted as zero: a femtosecond, where the unit is ms."""
HEADER = struct.Struct("<4sqqdddi")
MAGIC = b"XLH1"


class LogHistogram:
    """Counts in buckets (GAMMA**(i-1), GAMMA**i], and exact count, least, largest and sum.

    Two histograms of parts of a stream merge into that of the whole, in any order.

    >>> histogram = LogHistogram([1.0, 2.0, 3.0, 4.0])
    >>> histogram.count, round(histogram.quantile(0.5), 1), histogram.mean
    (4, 2.0, 2.5)
    >>> LogHistogram.decode(histogram.encode()) == histogram
    True

    Args:
        values: first values, as for ``add``.

    Source: Masson, Rim & Lee 2019, "DDSketch", section 2.1.
    """

    __slots__ = ("_buckets", "_first", "count", "largest", "least", "sum", "zeros")

    def __init__(self, values: ArrayLike = ()) -> None:
        self._first = 0
        self._buckets: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.count = 0
        self.zeros = 0
        self.least = math.inf
        self.largest = -math.inf
        self.sum = 0.0
        self.add(values)

    def add(self, values: ArrayLike) -> None:
        """Count more values, all at once.

        Args:
            values: any shape, at or above 0, in one unit.
        Raises:
            DataError: a value is negative, infinite or NaN; nothing is counted then.
        """
        array = np.asarray(values, dtype=np.float64).ravel()
        if array.size == 0:
            return
        if not (np.isfinite(array) & (array >= 0)).all():
            raise DataError("a histogram of durations got a negative or missing value", hint="drop such values first")
        positive = array[array >= SMALLEST]
        self._count_buckets(np.ceil(np.log(positive) / math.log(GAMMA)).astype(np.int64))
        self.count += array.size
        self.zeros += array.size - positive.size
        self.least = min(self.least, float(array.min()))
        self.largest = max(self.largest, float(array.max()))
        self.sum += float(array.sum())

    def _count_buckets(self, buckets: NDArray[np.int64]) -> None:
        if buckets.size:
            first = int(buckets.min())
            self._add_counts(first, np.bincount(buckets - first))

    def _add_counts(self, first: int, counts: NDArray[np.int64]) -> None:
        if self._buckets.size == 0:
            self._first, self._buckets = first, counts.astype(np.int64)
            return
        start = min(first, self._first)
        stop = max(first + counts.size, self._first + self._buckets.size)
        merged = np.zeros(stop - start, dtype=np.int64)
        merged[self._first - start : self._first - start + self._buckets.size] = self._buckets
        merged[first - start : first - start + counts.size] += counts
        self._first, self._buckets = start, merged

    def merge(self, other: LogHistogram) -> LogHistogram:
        """The histogram of both streams together; neither of the two changes.

        >>> LogHistogram([1.0]).merge(LogHistogram([2.0])) == LogHistogram([2.0, 1.0])
        True
        """
        merged = self.copy()
        if other._buckets.size:
            merged._add_counts(other._first, other._buckets)  # noqa: SLF001  of the same class
        merged.count += other.count
        merged.zeros += other.zeros
        merged.least = min(self.least, other.least)
        merged.largest = max(self.largest, other.largest)
        merged.sum += other.sum
        return merged

    def copy(self) -> LogHistogram:
        """An independent copy."""
        twin = LogHistogram()
        for name in self.__slots__:
            setattr(twin, name, getattr(self, name))
        twin._buckets = self._buckets.copy()
        return twin

    @property
    def mean(self) -> float:
        """Exact mean; NaN when empty."""
        return self.sum / self.count if self.count else math.nan

    def quantile(self, q: float) -> float:
        """The value of rank floor(q * (count - 1)), within 1 %; NaN when empty.

        Raises:
            ValueError: ``q`` is not inside [0, 1].
        """
        if not 0 <= q <= 1:
            msg = f"a quantile of {q}: write 0.99 for p99"
            raise ValueError(msg)
        if self.count == 0:
            return math.nan
        rank = math.floor(q * (self.count - 1))
        if rank < self.zeros:
            return max(0.0, self.least)
        bucket = int(np.searchsorted(np.cumsum(self._buckets), rank - self.zeros, side="right"))
        middle = 2 * GAMMA ** (self._first + bucket) / (GAMMA + 1)
        return min(max(middle, self.least), self.largest)

    def shares(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bucket edges (k + 1) and the share of all values in each bucket (k); zeros are left out."""
        edges = GAMMA ** np.arange(self._first - 1, self._first + self._buckets.size, dtype=np.float64)
        return edges, self._buckets / max(self.count, 1)

    def encode(self) -> bytes:
        """Bytes that ``decode`` reads, little-endian, the same for equal histograms."""
        first, buckets = self._trimmed()
        header = HEADER.pack(MAGIC, self.count, self.zeros, self.least, self.largest, self.sum, first)
        return header + buckets.astype("<i8").tobytes()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read what ``encode`` wrote.

        Raises:
            DataError: the bytes are truncated, or no histogram.
        """
        if len(data) < HEADER.size or data[:4] != MAGIC or (len(data) - HEADER.size) % 8:
            raise DataError("these bytes are no histogram", hint="the file is truncated or of another kind")
        histogram = cls()
        fields = HEADER.unpack_from(data)[1:]
        histogram.count, histogram.zeros, histogram.least, histogram.largest, histogram.sum, histogram._first = fields
        histogram._buckets = np.frombuffer(data, dtype="<i8", offset=HEADER.size).astype(np.int64)
        if histogram.zeros + int(histogram._buckets.sum()) != histogram.count:
            raise DataError("a histogram's counts do not add up", hint="the file is truncated or of another kind")
        return histogram

    def _trimmed(self) -> tuple[int, NDArray[np.int64]]:
        used = np.flatnonzero(self._buckets)
        if used.size == 0:
            return 0, self._buckets[:0]
        return self._first + int(used[0]), self._buckets[used[0] : used[-1] + 1]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LogHistogram):
            return NotImplemented
        mine, theirs = self._trimmed(), other._trimmed()
        same = mine[0] == theirs[0] and np.array_equal(mine[1], theirs[1]) and self.zeros == other.zeros
        return bool(same and (self.least, self.largest) == (other.least, other.largest))

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"LogHistogram(count={self.count}, least={self.least:g}, largest={self.largest:g})"
