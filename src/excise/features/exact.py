"""Sums of floats that come out the same in every order, to the last bit."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray

LOWEST = -1074  # every float64 is a multiple of two to this power
MANTISSA_BITS = 53
LOW_BITS = 27  # of a mantissa, in the lower of its two halves
WIDEST = 50  # bits that one round may take off a value
HUGE = 2.0**900  # adding an anchor to more could overflow
SCALE_BITS = 200
BLOCK = 1 << 15
Floats = NDArray[np.float64]


class ExactSum(msgspec.Struct, frozen=True):
    """An exact sum of float64 values: ``numerator`` x 2**``exponent``, in lowest terms.

    >>> float(ExactSum.of(np.array([1e16, 1.0, -1e16])))
    1.0

    Attributes:
        numerator: signed hexadecimal text, since it may need more than 64 bits; odd, or ``0x0``.
        exponent: of two.
    """

    numerator: str = "0x0"
    exponent: int = 0

    @classmethod
    def of(cls, values: Floats, grain: int = LOWEST) -> Self:
        """The exact sum of finite values, any shape, each rounded to a multiple of two to the power of ``grain``."""
        flat = values.ravel()
        blocks = (flat[start : start + BLOCK] for start in range(0, flat.size, BLOCK))
        return cls.reduced(sum(units(block, grain) for block in blocks), LOWEST)

    @classmethod
    def reduced(cls, numerator: int, exponent: int) -> Self:
        """In lowest terms, so that equal sums have equal fields."""
        if numerator == 0:
            return cls()
        twos = (numerator & -numerator).bit_length() - 1
        return cls(hex(numerator >> twos), exponent + twos)

    def __add__(self, other: Self) -> Self:
        exponent = min(self.exponent, other.exponent)
        mine = int(self.numerator, 16) << (self.exponent - exponent)
        theirs = int(other.numerator, 16) << (other.exponent - exponent)
        return self.reduced(mine + theirs, exponent)

    def fraction(self) -> Fraction:
        """The sum as a rational number."""
        return Fraction(int(self.numerator, 16)) * Fraction(2) ** self.exponent

    def __float__(self) -> float:
        return float(self.fraction())


def units(values: Floats, grain: int = LOWEST, largest: float | None = None) -> int:
    """The exact sum of up to 32,768 finite values, in units of 2**-1074.

    Each round cuts the leading bits off all values at once, so few that their sum in float64 is exact, and goes on
    with what is left. The last round rounds each value to the grain, half to even. ``largest`` is the largest
    magnitude, where it is known.

    Source: Rump, Ogita & Oishi 2008, Accurate floating-point summation I, algorithm 3.2 (ExtractVector).
    """
    if largest is None:
        largest = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    if largest >= HUGE:
        huge = np.abs(values) >= HUGE
        scaled = units(np.ldexp(values[huge], -SCALE_BITS), max(grain - SCALE_BITS, LOWEST))
        return (scaled << SCALE_BITS) + units(values[~huge], grain)
    width = min(WIDEST, MANTISSA_BITS - values.size.bit_length())
    exponent = math.frexp(largest)[1]
    total, rest, part = 0, values, np.empty_like(values)
    while True:
        exponent = max(exponent - width, grain)
        anchor = math.ldexp(1.5, exponent + MANTISSA_BITS - 1)
        np.add(rest, anchor, out=part)
        part -= anchor
        total += units_of(float(part.sum()))
        if exponent == grain:
            return total
        rest = np.subtract(rest, part, out=None if rest is values else rest)
        if not rest.any():
            return total


def units_of(value: float) -> int:
    """One finite value in units of 2**-1074.

    >>> units_of(5e-324), units_of(-1e-323)
    (1, -2)
    """
    numerator, denominator = value.as_integer_ratio()
    return numerator << (1 - LOWEST - denominator.bit_length())


def sums_of(cells: NDArray[np.int64]) -> ExactSum:
    """Sums of mantissas in two halves by biased exponent, shape (2, 2048), as one exact sum.

    Source: the idea of Kulisch's long accumulator, one cell per binary exponent.
    """
    total = 0
    for exponent in np.flatnonzero((cells[0] != 0) | (cells[1] != 0)).tolist():
        total += ((int(cells[0, exponent]) << LOW_BITS) + int(cells[1, exponent])) << max(exponent, 1)
    return ExactSum.reduced(total, LOWEST - 1)
