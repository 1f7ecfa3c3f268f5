"""One pass over numbers: all that a profile counts of them, by numpy or by a compiled kernel, to the same bits."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from excise.features.exact import ExactSum, sums_of
from excise.features.grid import Grid

DECIMALS = 8
"""Decimals that are told apart; more are one class."""
EXAMPLES = 3
WORTH_COMPILING = 10_000_000
"""Values in all that have to be scanned before loading the compiler, a second, pays."""
FLOAT_MAX = float(np.finfo(np.float64).max)
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Scan(NamedTuple):
    """What was counted.

    Attributes:
        finite, nan, positive_inf, negative_inf: values.
        counts: finite values by the thresholds of the grid at or below them.
        decimals: finite values by decimals, shape (10,).
        finest: up to three distinct values of the most decimals, the smallest first.
        float32_exact: finite values that float32 holds exactly.
        minimum, maximum: of the finite values; infinities without any.
        total, squares: exact sums of x - center and of its square, each held within float64's range.
    """

    finite: int
    nan: int
    positive_inf: int
    negative_inf: int
    counts: Integers
    decimals: tuple[int, ...]
    finest: tuple[float, ...]
    float32_exact: int
    minimum: float
    maximum: float
    total: ExactSum
    squares: ExactSum


seen = 0
"""Values that this process has scanned."""


def scan(values: Floats, grid: Grid, center: float) -> Scan:
    """Count everything about ``values``, shape (n,), any floats."""
    global seen  # noqa: PLW0603  whether compiling pays is a matter of the process
    seen += values.size
    if seen >= WORTH_COMPILING and (kernel := compiled()) is not None:
        return by_kernel(kernel, values, grid, center)
    return by_numpy(values, grid, center)


@cache
def compiled() -> Any:
    """The compiled loop; None where numba is not installed."""
    if find_spec("numba") is None:
        return None
    from excise.features.kernel import scan_into  # noqa: PLC0415  loading numba takes half a second

    return scan_into


def by_kernel(kernel: Any, values: Floats, grid: Grid, center: float) -> Scan:
    """One compiled pass."""
    counts = np.zeros(grid.thresholds.size, np.int64)
    tally, decimals = np.zeros(4, np.int64), np.zeros(DECIMALS + 2, np.int64)
    ends = np.array([np.inf, -np.inf, np.inf, np.inf, np.inf])
    sums = np.zeros((2, 2, EXPONENTS), np.int64)
    kernel(values, grid.thresholds, grid.first, grid.last, grid.shift, grid.lowest, grid.highest, center,
           counts, tally, decimals, ends, sums)  # fmt: skip
    nan, positive, negative, exact = tally.tolist()
    return Scan(
        finite=values.size - nan - positive - negative,
        nan=nan,
        positive_inf=positive,
        negative_inf=negative,
        counts=counts,
        decimals=tuple(decimals.tolist()),
        finest=tuple(value for value in ends[2:].tolist() if value != np.inf),
        float32_exact=exact,
        minimum=float(ends[0]),
        maximum=float(ends[1]),
        total=sums_of(sums[0]),
        squares=sums_of(sums[1]),
    )


EXPONENTS = 2048
"""Biased exponents of a float64."""


def by_numpy(values: Floats, grid: Grid, center: float) -> Scan:
    """The same, array by array."""
    finite = values[np.isfinite(values)]
    places = decimal_places(finite)
    with np.errstate(over="ignore"):
        shifted = np.clip(finite - center, -FLOAT_MAX, FLOAT_MAX)
        squares = np.minimum(shifted * shifted, FLOAT_MAX)
        as_float32 = finite.astype(np.float32).astype(np.float64)
    return Scan(
        finite=finite.size,
        nan=int(np.isnan(values).sum()),
        positive_inf=int((values == np.inf).sum()),
        negative_inf=int((values == -np.inf).sum()),
        counts=grid.counted(finite),
        decimals=tuple(np.bincount(places, minlength=DECIMALS + 2).tolist()),
        finest=finest_of(finite[places == places.max(initial=0)]),
        float32_exact=int((as_float32 == finite).sum()),
        # Adding 0.0 turns -0.0 into 0.0: the two are equal, so which one a minimum gives would depend on order.
        minimum=float(finite.min(initial=np.inf)) + 0.0,
        maximum=float(finite.max(initial=-np.inf)) + 0.0,
        total=ExactSum.of(shifted),
        squares=ExactSum.of(squares),
    )


def finest_of(values: Floats) -> tuple[float, ...]:
    """The smallest three distinct values: a choice that does not depend on order."""
    found: list[float] = []
    while values.size and len(found) < EXAMPLES:
        found.append(float(values.min()) + 0.0)  # no -0.0, as above
        values = values[values > found[-1]]
    return tuple(found)


def decimal_places(values: Floats) -> Integers:
    """Decimals that the shortest exact writing of each value needs; 9 where more than 8.

    >>> decimal_places(np.array([7.0, 39.02, 0.1 + 0.2])).tolist()
    [0, 2, 9]
    """
    places = np.full(values.size, DECIMALS + 1, np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        whole = np.rint(values) == values
        places[whole] = 0
        open_ones = np.flatnonzero(~whole)
        # Full-precision values are settled by the first look at 8 places and never pay for the other seven.
        open_ones = open_ones[np.round(values[open_ones], DECIMALS) == values[open_ones]]
        for count in range(1, DECIMALS + 1):
            hit = np.round(values[open_ones], count) == values[open_ones]
            places[open_ones[hit]] = count
            open_ones = open_ones[~hit]
    return places
