"""The compiled pass over numbers; only with the extra ``fast``.

It goes block by block. What can be counted of many values at once is counted in a loop without a branch, which the
compiler turns into vector instructions; what depends on where a value lies takes a loop of its own. Blocks that hold
something out of the ordinary are looked at value by value.
"""

# numba infers the types of what is passed here.
# ruff: noqa: ANN001, ANN201, PLR0917
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numba
import numpy as np

BLOCK = 512
ABSOLUTE = 0x7FFF_FFFF_FFFF_FFFF
INFINITE = 0x7FF0_0000_0000_0000
MANTISSA = 0x000F_FFFF_FFFF_FFFF
IMPLICIT = 0x0010_0000_0000_0000
LOW_BITS = 27
LOW = (1 << LOW_BITS) - 1
HALF = 32
LOW_HALF = (1 << HALF) - 1
FLOAT_MAX = float(np.finfo(np.float64).max)
WHOLE = 2.0**52
"""Multiples of a grain from which every float is one, and of which a block's fit into 63 bits."""
CLOSE = 4e-16
"""A number with 8 decimals, times 10**8, is as near to a whole one as two roundings allow."""
LONG = 9
"""What stands for more than 8 decimals."""
POWERS = np.array([10.0**k for k in range(9)])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def scan_into(
    values, thresholds, first, shift, lowest, highest, center, units, counts, tally, decimals, ends, near, far
):
    """Add what is to be counted of ``values`` to the arrays behind it.

    Args:
        values: shape (n,), any floats.
        thresholds: of the grid.
        first: of the grid.
        shift: of the grid.
        lowest: of the grid.
        highest: of the grid.
        center: what moments are taken about.
        units: the grain and one over it, of x - center and of its square; shape (2, 2).
        counts: values by place among the thresholds.
        tally: NaN, plus and minus infinity, values that float32 holds, and the most decimals so far; shape (5,).
        decimals: values by decimals, shape (10,).
        ends: the smallest and the largest value, and the three smallest of the most decimals; shape (5,).
        near: sums in grains, of values of less than 2**52 of them: upper and lower 32 bits; shape (2, 2).
        far: sums of all others by exponent, as ``exact.sums_of`` takes them; shape (2, 2, 2048).
    """
    grain, inverse, square_grain, square_inverse = units[0, 0], units[0, 1], units[1, 0], units[1, 1]
    narrow, square_narrow = grain * WHOLE, square_grain * WHOLE
    cells, half = np.empty(BLOCK, np.int32), highest - lowest + 1
    for start in range(0, values.size, BLOCK):
        block = values[start : start + BLOCK]
        odd = exact = whole = long = total = squares = np.int64(0)
        low, high = np.int64(ABSOLUTE), np.int64(-ABSOLUTE)
        for index in range(block.size):
            value = block[index] + 0.0
            bits = np.float64(value).view(np.int64)
            cells[index] = half + ((min(max((bits & ABSOLUTE) >> shift, lowest), highest) - lowest) ^ (bits >> 63))
            key = order(value)
            low, high = min(low, key), max(high, key)
            exact += np.float64(np.float32(value)) == value
            is_whole = np.rint(value) == value
            whole += is_whole
            long += (not is_whole) & (np.rint(value * POWERS[8]) / POWERS[8] != value)
            shifted = value - center
            square = shifted * shifted
            odd += (not abs(shifted) < narrow) | (not square < square_narrow)
            total += np.int64(np.rint(shifted * inverse))
            squares += np.int64(np.rint(square * square_inverse))
        if odd:
            low, high = one_by_one(block, center, units, tally, ends, near, far)
        else:
            tally[3] += exact
            ends[0], ends[1] = min(ends[0], number(low)), max(ends[1], number(high))
            carry(near[0], total)
            carry(near[1], squares)
        settled = not long or (tally[4] == LONG and number(low) >= ends[4])
        if settled and not odd and whole + long == block.size:
            decimals[0] += whole
            decimals[LONG] += long
        else:
            digits(block, decimals, tally, ends)
        places(block, cells, odd, thresholds, first, counts)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def one_by_one(block, center, units, tally, ends, near, far):
    """The same of a block with values that are not finite or far from the center; the keys of its ends."""
    low, high = np.int64(ABSOLUTE), np.int64(-ABSOLUTE)
    for index in range(block.size):
        value = block[index] + 0.0
        magnitude = np.float64(value).view(np.int64) & ABSOLUTE
        if magnitude >= INFINITE:
            tally[0 if magnitude > INFINITE else 1 if value > 0 else 2] += 1
            continue
        low, high = min(low, order(value)), max(high, order(value))
        ends[0], ends[1] = min(ends[0], value), max(ends[1], value)
        tally[3] += np.float64(np.float32(value)) == value
        shifted = min(max(value - center, -FLOAT_MAX), FLOAT_MAX)
        add(near[0], far[0], shifted, units[0])
        add(near[1], far[1], min(shifted * shifted, FLOAT_MAX), units[1])
    return low, high


@numba.njit(cache=True, nogil=True, inline="always", error_model="numpy")
def add(near, far, value, unit):
    """Add a finite value: in grains, or where it is too large for that in the cell of its exponent."""
    if abs(value) < unit[0] * WHOLE:
        carry(near, np.int64(np.rint(value * unit[1])))
        return
    bits = np.float64(value).view(np.int64)
    exponent = (bits >> 52) & 0x7FF
    mantissa = (bits & MANTISSA) | (IMPLICIT if exponent > 0 else 0)
    if bits < 0:
        mantissa = -mantissa
    far[0, exponent] += mantissa >> LOW_BITS
    far[1, exponent] += mantissa & LOW


@numba.njit(cache=True, nogil=True, inline="always")
def carry(near, units):
    """Add an integer to a sum in two halves."""
    near[0] += units >> HALF
    near[1] += units & LOW_HALF


@numba.njit(cache=True, nogil=True, inline="always")
def order(value):
    """An integer that ascends with a float but -0.0: the least of integers can be found without a branch."""
    bits = np.float64(value).view(np.int64)
    return bits ^ ((bits >> 63) & ABSOLUTE)


@numba.njit(cache=True, nogil=True, inline="always")
def number(key):
    """The float behind ``order``."""
    return np.int64(key ^ ((key >> 63) & ABSOLUTE)).view(np.float64)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def digits(block, decimals, tally, ends):
    """Count decimals, and keep the three smallest values that have the most, if any has some."""
    for index in range(block.size):
        value = block[index] + 0.0
        if not abs(value) <= FLOAT_MAX:
            continue
        count = decimals_of(value)
        decimals[count] += 1
        if count > tally[4]:
            tally[4] = count
            ends[2], ends[3], ends[4] = np.inf, np.inf, np.inf
        if count == tally[4] and count and value < ends[4]:
            if value < ends[2]:
                ends[2], ends[3], ends[4] = value, ends[2], ends[3]
            elif ends[2] < value < ends[3]:
                ends[3], ends[4] = value, ends[3]
            elif ends[3] < value:
                ends[4] = value


@numba.njit(cache=True, nogil=True, inline="always", error_model="numpy")
def decimals_of(value):
    """Decimals of one value."""
    if np.rint(value) == value:
        return 0
    eighth = value * POWERS[8]
    if abs(np.rint(eighth) - eighth) > CLOSE * abs(eighth) or np.rint(eighth) / POWERS[8] != value:
        return LONG
    count = 1
    while np.rint(value * POWERS[count]) / POWERS[count] != value:
        count += 1
    return count


@numba.njit(cache=True, nogil=True)
def places(block, cells, odd, thresholds, first, counts):
    """Count finite values by how many thresholds lie at or below them; ``odd`` where there are others."""
    for index in range(block.size):
        if odd and not abs(block[index]) <= FLOAT_MAX:
            continue
        place, end = np.int64(first[cells[index]]), np.int64(first[cells[index] + 1])
        while place < end:
            middle = (place + end) >> 1
            if block[index] >= thresholds[middle]:
                place = middle + 1
            else:
                end = middle
        counts[place] += 1
