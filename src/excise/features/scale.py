"""What the numbers of two samples are measured against, so that they can be compared and added up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from excise.features.grid import Grid

KEPT_BITS = 45
"""Of a distance as wide as the middle three quarters of the reference, and of its square; the rest is rounded off."""
COARSEST, FINEST = 800, -1000
"""Powers of two between which a grain lies, so that no product with one leaves the range of a float."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scale:
    """Edges, a center, and how finely moments are added up.

    Attributes:
        edges: of the bins, ascending and unique.
        center: what moments are taken about.
        grain, square_grain: powers of two; x - center is rounded to a multiple of the one, its square of the other.
            The rounding is that of each value alone, so that sums of them are exact and do not depend on order.
    """

    edges: Floats
    center: float
    grain: int
    square_grain: int

    @classmethod
    def of(cls, edges: Floats, center: float) -> Self:
        """The scale that the edges fix."""
        exponent = math.frexp(spread(edges))[1]
        return cls(edges, center, bounded(exponent - KEPT_BITS), bounded(2 * exponent - KEPT_BITS))

    @cached_property
    def grid(self) -> Grid:
        """Where the compiled pass looks the edges up."""
        return Grid.over(self.edges)


def spread(edges: Floats) -> float:
    """How far the middle three quarters of the edges reach, or all of them; the least there is without two."""
    if edges.size < 2:  # noqa: PLR2004  two ends
        return 0.0
    eighth = edges.size // 8
    with np.errstate(over="ignore"):
        return min(float(edges[-1 - eighth] - edges[eighth]), float(np.finfo(np.float64).max))


def bounded(grain: int) -> int:
    """A grain that a float can hold beside any value."""
    return max(FINEST, min(COARSEST, grain))
