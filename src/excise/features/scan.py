"""One pass over numbers: all that a profile counts of them, by numpy or by a compiled kernel, to the same bits."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from excise.features.exact import BLOCK, LOWEST, ExactSum, sums_of, units
from excise.features.magnitudes import magnitudes_in
from excise.features.scale import Scale

DECIMALS = 8
"""Decimals that are told apart; more are one class."""
EXAMPLES = 3
WORTH_COMPILING = 10_000_000
"""Values in all that have to be scanned before loading the compiler, a second, pays."""
FLOAT_MAX = float(np.finfo(np.float64).max)
ENDS = np.array([-FLOAT_MAX, np.inf, np.nan])
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Digits = tuple[tuple[int, ...], tuple[float, ...]]
"""Values by decimals, shape (10,), and the finest of them."""


class Scan(NamedTuple):
    """What was counted.

    Attributes:
        finite, nan, positive_inf, negative_inf, negative, zero: values.
        bins: finite values by the edges at or below them, shape (edges + 1,).
        magnitudes: non-zero finite values by eighths of a decade of their absolute value.
        decimals: finite values by decimals, shape (10,).
        finest: up to three distinct values of the most decimals, the smallest first; none where all are whole.
        float32_exact: finite values that float32 holds exactly.
        minimum, maximum: of the finite values; infinities without any.
        total, squares: exact sums of x - center and of its square, each held within float64's range and rounded to
            the grain of the scale.
    """

    finite: int
    nan: int
    positive_inf: int
    negative_inf: int
    negative: int
    zero: int
    bins: tuple[int, ...]
    magnitudes: dict[int, int]
    decimals: tuple[int, ...]
    finest: tuple[float, ...]
    float32_exact: int
    minimum: float
    maximum: float
    total: ExactSum
    squares: ExactSum


seen = 0
"""Values that this process has scanned."""


def scan(values: Floats, scale: Scale) -> Scan:
    """Count everything about ``values``, shape (n,), any floats."""
    global seen  # noqa: PLW0603  whether compiling pays is a matter of the process
    seen += values.size
    if seen >= WORTH_COMPILING and (kernel := compiled()) is not None:
        return by_kernel(kernel, values, scale)
    return by_numpy(values, scale)


@cache
def compiled() -> Any:
    """The compiled loop; None where numba is not installed."""
    if find_spec("numba") is None:
        return None
    from excise.features.kernel import scan_into  # noqa: PLC0415  loading numba takes half a second

    return scan_into


EXPONENTS = 2048
"""Biased exponents of a float64."""
HALF = 32
"""Bits in the lower half of a sum in grains."""


def by_kernel(kernel: Any, values: Floats, scale: Scale) -> Scan:
    """One compiled pass."""
    grid, grains = scale.grid, (scale.grain, scale.square_grain)
    counts = np.zeros(grid.thresholds.size, np.int64)
    tally, decimals = np.zeros(5, np.int64), np.zeros(DECIMALS + 2, np.int64)
    ends = np.array([np.inf, -np.inf, np.inf, np.inf, np.inf])
    units = np.array([[2.0**grain, 2.0**-grain] for grain in grains])
    near, far = np.zeros((2, 2), np.int64), np.zeros((2, 2, EXPONENTS), np.int64)
    kernel(values, grid.thresholds, grid.first, grid.shift, grid.lowest, grid.highest, scale.center, units,
           counts, tally, decimals, ends, near, far)  # fmt: skip
    sums = [
        ExactSum.reduced((high << HALF) + low, grain) + sums_of(cells)
        for (high, low), grain, cells in zip(near.tolist(), grains, far, strict=True)
    ]
    nan, positive, negative, exact, _ = tally.tolist()
    below, zero = grid.signs(counts)
    return Scan(
        finite=values.size - nan - positive - negative,
        nan=nan,
        positive_inf=positive,
        negative_inf=negative,
        negative=below,
        zero=zero,
        bins=grid.bins(counts, scale.edges),
        magnitudes=grid.magnitudes(counts),
        decimals=tuple(decimals.tolist()),
        finest=tuple(value for value in ends[2:].tolist() if value != np.inf),
        float32_exact=exact,
        minimum=float(ends[0]),
        maximum=float(ends[1]),
        total=sums[0],
        squares=sums[1],
    )


def by_numpy(values: Floats, scale: Scale) -> Scan:
    """The same: sorted once, so that each count is a matter of looking up where something begins."""
    ordered = np.sort(values)
    low, high, end = ordered.searchsorted(ENDS).tolist()
    finite = ordered[low:high]
    below = finite.searchsorted(scale.edges)
    zero = finite.searchsorted(0.0), finite.searchsorted(0.0, "right")
    blocks = [finite[start : start + BLOCK] for start in range(0, finite.size, BLOCK)]
    decimals, finest = digits_together(map(digits_of, blocks))
    with np.errstate(over="ignore"):
        exact = sum(int(np.count_nonzero(block.astype(np.float32) == block)) for block in blocks)
        sums = [moments_of(block, scale) for block in blocks]
    return Scan(
        finite=finite.size,
        nan=ordered.size - end,
        positive_inf=end - high,
        negative_inf=low,
        negative=int(zero[0]),
        zero=int(zero[1] - zero[0]),
        bins=tuple((np.append(below, finite.size) - np.append(0, below)).tolist()),
        magnitudes=magnitudes_in(finite[: zero[0]], finite[zero[1] :]),
        decimals=decimals,
        finest=finest,
        float32_exact=exact,
        # Adding 0.0 turns -0.0 into 0.0: the two are equal, so which one comes first would depend on order.
        minimum=float(finite[0]) + 0.0 if finite.size else np.inf,
        maximum=float(finite[-1]) + 0.0 if finite.size else -np.inf,
        total=ExactSum.reduced(sum(one for one, _ in sums), LOWEST),
        squares=ExactSum.reduced(sum(one for _, one in sums), LOWEST),
    )


def moments_of(ordered: Floats, scale: Scale) -> tuple[int, int]:
    """Sums of x - center and of its square in units of 2**-1074, of up to 32,768 finite values that ascend."""
    shifted = held(ordered - scale.center)
    squares = held(shifted * shifted)
    largest, square = (max(abs(float(one[0])), abs(float(one[-1]))) for one in (shifted, squares))
    return units(shifted, scale.grain, largest), units(squares, scale.square_grain, square)


def held(values: Floats) -> Floats:
    """Infinities as the largest floats; where there are any, one is at an end."""
    return np.clip(values, -FLOAT_MAX, FLOAT_MAX) if np.isinf(values[[0, -1]]).any() else values


def digits_of(ordered: Floats) -> Digits:
    """How many decimals the shortest exact writing of finite, ascending values needs.

    >>> digits_of(np.array([0.1 + 0.2, 7.0, 39.02]))
    ((1, 0, 1, 0, 0, 0, 0, 0, 0, 1), (0.30000000000000004,))
    """
    left = ordered[np.rint(ordered) != ordered]
    counts = [ordered.size - left.size, *(0,) * DECIMALS, 0]
    deepest = left
    if left.size:
        # Full-precision values are settled by the first look at 8 places and never pay for the other seven.
        short = np.round(left, DECIMALS) == left
        counts[-1] = left.size - int(np.count_nonzero(short))
        deepest, left = left[~short], left[short]
    for places in range(1, DECIMALS + 1):
        if not left.size:
            break
        hit = np.round(left, places) == left
        counts[places] = int(np.count_nonzero(hit))
        if not counts[-1] and counts[places]:
            deepest = left[hit]
        left = left[~hit]
    return tuple(counts), finest_of(deepest)


def digits_together(parts: Iterable[Digits]) -> Digits:
    """The same of several samples together; the finest of those with the most decimals."""
    total: Integers = np.zeros(DECIMALS + 2, np.int64)
    deepest, finest = 0, set[float]()
    for counts, values in parts:
        total += counts
        places = max((place for place, count in enumerate(counts) if count), default=0)
        if places > deepest:
            deepest, finest = places, set()
        if places == deepest:
            finest |= set(values)
    return tuple(total.tolist()), tuple(sorted(finest)[:EXAMPLES])


def finest_of(ordered: Floats) -> tuple[float, ...]:
    """The smallest three distinct values: a choice that does not depend on order."""
    found: list[float] = []
    place = 0
    while place < ordered.size and len(found) < EXAMPLES:
        found.append(float(ordered[place]) + 0.0)  # no -0.0, as above
        place = int(ordered.searchsorted(found[-1], "right"))
    return tuple(found)
