"""A number with its doubt."""

from __future__ import annotations

import math
from typing import Self

import msgspec


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A value, the interval that goes with it, and how many independent units it rests on.

    >>> saved = Estimate(value=0.5, low=0.4, high=0.6, unit="ratio", n=8)
    >>> saved.covers(0.55), round(saved.half_width, 3)
    (True, 0.1)

    Attributes:
        value: point estimate in ``unit``.
        low: lower end of the interval, None where it is unbounded.
        high: upper end of the interval, None where it is unbounded.
        level: nominal coverage of the interval, 0.95 unless said.
        unit: ``ms``, ``mib``, ``usd``, ``ratio``, ``calls``.
        n: independent sampling units behind the interval (process pairs, or rows).
    """

    value: float
    low: float | None
    high: float | None
    level: float = 0.95
    unit: str
    n: int

    @classmethod
    def exact(cls, value: float, *, unit: str, n: int = 1) -> Self:
        """A number that is known rather than estimated (a file's size, a counted row)."""
        return cls(value=value, low=value, high=value, level=1.0, unit=unit, n=n)

    @property
    def half_width(self) -> float:
        """Half the interval's width; infinite where an end is unbounded."""
        if self.low is None or self.high is None:
            return math.inf
        return (self.high - self.low) / 2

    def covers(self, truth: float) -> bool:
        """Whether the interval holds ``truth``."""
        return (self.low is None or self.low <= truth) and (self.high is None or truth <= self.high)

    def scaled(self, factor: float, *, unit: str | None = None) -> Self:
        """The estimate times a known factor; a negative one swaps the ends."""
        ends = tuple(None if end is None else end * factor for end in (self.low, self.high))
        low, high = ends if factor >= 0 else ends[::-1]
        return msgspec.structs.replace(self, value=self.value * factor, low=low, high=high, unit=unit or self.unit)
