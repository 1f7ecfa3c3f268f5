"""A grid over the floats that finds the cell between thresholds in one look and, for most values, one comparison."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from excise.features.magnitudes import magnitudes_of, signed_bounds

CELLS = 8192
"""Per sign, at most."""
ABSOLUTE = np.int64(0x7FFF_FFFF_FFFF_FFFF)
FEWEST_BITS = 40
"""Low bits of a float that a grid never resolves: a cell is no finer than that, however close the edges lie."""
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Grid(NamedTuple):
    """Thresholds, and where to begin looking for a value among them.

    A grid cell is made of numbers that share their sign and leading bits, so cells are as fine around small numbers as
    they are around large ones, and a skewed column costs no more than another.

    Attributes:
        thresholds: ascending and unique: bin edges, bounds of magnitudes, and zero; an infinity at the end.
        first: by grid cell, how many thresholds lie below all of it; behind the last cell, how many there are. Two
            bytes each, so that the cells that matter stay in the nearest cache.
        shift: bits that a grid cell leaves out.
        lowest, highest: leading bits of the absolute values that the grid resolves.
        bounds: where the bounds of magnitudes stand among the thresholds.
    """

    thresholds: Floats
    first: NDArray[np.uint16]
    shift: int
    lowest: int
    highest: int
    bounds: Integers

    @classmethod
    def over(cls, edges: Floats) -> Self:
        """A grid that resolves these edges."""
        probes = np.abs(edges[edges != 0])
        bits = probes.view(np.int64) if probes.size else np.zeros(1, np.int64)
        low, high = int(bits.min()), int(bits.max())
        shift = max(FEWEST_BITS, (high - low).bit_length() - CELLS.bit_length() + 1)
        marks, bounds = edges + 0.0, signed_bounds()
        places = np.searchsorted(bounds, marks)
        new = bounds[np.minimum(places, bounds.size - 1)] != marks
        thresholds = np.append(np.insert(bounds, places[new], marks[new]), np.inf)
        lowest, highest = low >> shift, high >> shift
        cells = cells_of(thresholds[:-1], shift, lowest, highest)
        last = np.cumsum(np.bincount(cells, minlength=2 * (highest - lowest + 1)))
        first = np.concatenate([[0], last]).astype(np.uint16)
        return cls(thresholds, first, shift, lowest, highest, np.searchsorted(thresholds, bounds))

    def below(self, counts: Integers, marks: Floats) -> Integers:
        """Of counted values, those below each mark; the marks are among the thresholds."""
        found: Integers = np.cumsum(counts)[np.searchsorted(self.thresholds, marks)]
        return found

    def bins(self, counts: Integers, edges: Floats) -> tuple[int, ...]:
        """Counts between the edges; the first cell lies below all edges, the last above."""
        below = self.below(counts, edges + 0.0)
        return tuple(np.diff(below, prepend=0, append=int(counts.sum())).tolist())

    def signs(self, counts: Integers) -> tuple[int, int]:
        """Values below zero, and zeros."""
        negative, positive = self.below(counts, np.array([0.0, np.nextafter(0.0, 1.0)])).tolist()
        return negative, positive - negative

    def magnitudes(self, counts: Integers) -> dict[int, int]:
        """Non-zero values by eighths of a decade."""
        return magnitudes_of(np.cumsum(counts)[self.bounds], int(counts.sum()))


def cells_of(values: Floats, shift: int, lowest: int, highest: int) -> Integers:
    """The grid cells of values without -0.0, ascending with them."""
    bits = values.view(np.int64)
    found: Integers = np.clip((bits & ABSOLUTE) >> shift, lowest, highest) - lowest
    half = highest - lowest + 1
    return np.where(bits < 0, half - 1 - found, half + found)
