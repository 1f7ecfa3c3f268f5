"""The compiled pass over numbers; only with the extra ``fast``."""

from __future__ import annotations

import numba
import numpy as np

ABSOLUTE = 0x7FFF_FFFF_FFFF_FFFF
MANTISSA = 0x000F_FFFF_FFFF_FFFF
IMPLICIT = 0x0010_0000_0000_0000
LOW_BITS = 27
LOW = (1 << LOW_BITS) - 1
FLOAT_MAX = float(np.finfo(np.float64).max)
POWERS = np.array([10.0**k for k in range(9)])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def scan_into(  # type: ignore[no-untyped-def]  # noqa: ANN201, C901, PLR0912, PLR0915, PLR0917  one loop, one pass
    values,  # noqa: ANN001  arrays of numba's
    thresholds,  # noqa: ANN001
    first,  # noqa: ANN001
    last,  # noqa: ANN001
    shift,  # noqa: ANN001
    lowest,  # noqa: ANN001
    highest,  # noqa: ANN001
    center,  # noqa: ANN001
    counts,  # noqa: ANN001
    tally,  # noqa: ANN001
    decimals,  # noqa: ANN001
    ends,  # noqa: ANN001
    sums,  # noqa: ANN001
):
    """Add what is to be counted of ``values`` to the arrays behind it; ``scan.py`` says what each holds."""
    bits = values.view(np.int64)
    half = highest - lowest + 1
    least, largest, exact = np.inf, -np.inf, 0
    fullest = 0
    one = two = three = np.inf
    for index in range(values.size):
        value = values[index] + 0.0
        magnitude = bits[index] & ABSOLUTE
        if magnitude >= 0x7FF0_0000_0000_0000:  # noqa: PLR2004  all bits of the exponent: no finite number
            if magnitude > 0x7FF0_0000_0000_0000:  # noqa: PLR2004  as above
                tally[0] += 1
            elif value > 0:
                tally[1] += 1
            else:
                tally[2] += 1
            continue
        least, largest = min(least, value), max(largest, value)
        cell = min(max(magnitude >> shift, lowest), highest) - lowest
        cell = half - 1 - cell if value < 0 else half + cell
        place, end = first[cell], last[cell]
        while place < end:
            middle = (place + end) >> 1
            if value >= thresholds[middle]:
                place = middle + 1
            else:
                end = middle
        counts[place] += 1
        exact += np.float64(np.float32(value)) == value
        if np.rint(value) == value:
            places = 0
        elif np.rint(value * POWERS[8]) / POWERS[8] != value:
            places = 9
        else:
            places = 1
            while np.rint(value * POWERS[places]) / POWERS[places] != value:
                places += 1
        decimals[places] += 1
        if places >= fullest:
            if places > fullest:
                fullest, one, two, three = places, np.inf, np.inf, np.inf
            if value < three:
                if value < one:
                    one, two, three = value, one, two
                elif one < value < two:
                    two, three = value, two
                elif two < value:
                    three = value
        shifted = min(max(value - center, -FLOAT_MAX), FLOAT_MAX)
        add(sums[0], shifted)
        add(sums[1], min(shifted * shifted, FLOAT_MAX))
    tally[3] += exact
    ends[0], ends[1], ends[2], ends[3], ends[4] = least, largest, one, two, three


@numba.njit(cache=True, nogil=True, inline="always")
def add(cells, value):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201  as above
    """Add a finite value to the two halves of a sum, in the cell of its exponent."""
    bits = np.float64(value).view(np.int64)
    exponent = (bits >> 52) & 0x7FF
    mantissa = bits & MANTISSA
    if exponent > 0:
        mantissa |= IMPLICIT
    if bits < 0:
        mantissa = -mantissa
    cells[0, exponent] += mantissa >> LOW_BITS
    cells[1, exponent] += mantissa & LOW
