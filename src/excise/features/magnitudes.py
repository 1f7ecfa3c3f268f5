"""Eighths of a decade: where each begins, to the same bits on every machine."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

CELLS_PER_DECADE = 8
# 10 ** (k / 8), rounded to the nearest float64; written out, since libraries differ in the last bit of a power.
STEPS = (
    1.0,
    1.333521432163324,
    1.7782794100389228,
    2.371373705661655,
    3.1622776601683795,
    4.216965034285822,
    5.623413251903491,
    7.498942093324559,
)
DECADES = range(-323, 309)
LOWEST = DECADES.start * CELLS_PER_DECADE  # the cell that the smallest numbers fall into
Floats = NDArray[np.float64]


@cache
def bounds() -> Floats:
    """Where the cells from ``LOWEST`` on begin, ascending; the first begins at the smallest number above zero.

    >>> bounds()[-LOWEST], bounds()[-LOWEST + 8]
    (np.float64(1.0), np.float64(10.0))
    """
    tens = np.array([float(f"1e{decade}") for decade in DECADES])
    with np.errstate(over="ignore", under="ignore"):
        found = np.outer(tens, STEPS).ravel()
    found[0] = np.nextafter(0.0, 1.0)
    return found[np.isfinite(found)]


@cache
def signed_bounds() -> Floats:
    """Where a cell begins for numbers of either sign, ascending; zero is a cell of its own in the middle."""
    below = np.nextafter(-bounds()[::-1], np.inf) + 0.0
    return np.unique(np.concatenate([below, bounds()]))


def magnitudes_of(below: NDArray[np.int64], total: int) -> dict[int, int]:
    """Non-zero values by eighths of a decade of their absolute value, empty cells left out.

    Args:
        below: values under each of ``signed_bounds()``.
        total: values in all.
    """
    negative, positive = both_signs()
    at_least = below[negative] + (total - below[positive])
    counts = at_least - np.append(at_least[1:], 0)
    return {LOWEST + cell: int(counts[cell]) for cell in np.flatnonzero(counts).tolist()}


def magnitudes_in(negative: Floats, positive: Floats) -> dict[int, int]:
    """The same of numbers below and above zero, each ascending."""
    ends = [abs(float(side[end])) for side in (negative, positive) if side.size for end in (0, -1)]
    if not ends:
        return {}
    first = int(bounds().searchsorted(min(ends), "right")) - 1
    marks = bounds()[first : int(bounds().searchsorted(max(ends), "right"))]
    at_least = negative.searchsorted(-marks, "right") + (positive.size - positive.searchsorted(marks))
    counts = at_least - np.append(at_least[1:], 0)
    cells = np.flatnonzero(counts)
    return dict(zip((cells + (LOWEST + first)).tolist(), counts[cells].tolist(), strict=True))


@cache
def both_signs() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each cell begins among the signed bounds: of negative numbers, and of positive ones."""
    edges = signed_bounds()
    return np.searchsorted(edges, np.nextafter(-bounds(), np.inf) + 0.0), np.searchsorted(edges, bounds())
