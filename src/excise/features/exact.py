"""Sums of floats that come out the same in every order, to the last bit."""

from __future__ import annotations

from fractions import Fraction
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray

MANTISSA_BITS = 53
LOW_BITS = 27  # 27-bit halves of a mantissa add up exactly in float64 for up to 2**26 values
BLOCK = 1 << 26


class ExactSum(msgspec.Struct, frozen=True):
    """An exact sum of float64 values: ``numerator`` x 2**``exponent``, in lowest terms.

    >>> float(ExactSum.of(np.array([1e16, 1.0, -1e16])))
    1.0

    Attributes:
        numerator: signed hexadecimal text, since it may need more than 64 bits; odd, or ``0x0``.
        exponent: of two.

    Source: the idea of Kulisch's long accumulator, one cell per binary exponent.
    """

    numerator: str = "0x0"
    exponent: int = 0

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Self:
        """The exact sum of finite values, any shape."""
        total = cls()
        for start in range(0, values.size, BLOCK):
            total += cls._of_block(values.ravel()[start : start + BLOCK])
        return total

    @classmethod
    def _of_block(cls, values: NDArray[np.float64]) -> Self:
        fractions, exponents = np.frexp(values)
        mantissas = np.ldexp(fractions, MANTISSA_BITS).astype(np.int64)
        lowest = int(exponents.min())
        cells = exponents - lowest
        high = np.bincount(cells, weights=(mantissas >> LOW_BITS).astype(np.float64))
        low = np.bincount(cells, weights=(mantissas & ((1 << LOW_BITS) - 1)).astype(np.float64))
        total = 0
        for cell in np.flatnonzero((high != 0) | (low != 0)).tolist():
            total += ((int(high[cell]) << LOW_BITS) + int(low[cell])) << cell
        return cls.reduced(total, lowest - MANTISSA_BITS)

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
