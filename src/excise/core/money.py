"""Amounts of money, exact to the last digit of the price that they came from."""

from __future__ import annotations

from decimal import Decimal
from typing import Self

import msgspec


class Money(msgspec.Struct, frozen=True, order=False):
    """A Decimal amount in one currency.

    >>> Money(Decimal("0.085")) * 2
    Money(amount=Decimal('0.170'), currency='USD')
    """

    amount: Decimal
    currency: str = "USD"

    def __add__(self, other: Self) -> Self:
        """The sum of two amounts in the same currency."""
        if other.currency != self.currency:
            msg = f"cannot add {other.currency} to {self.currency}"
            raise ValueError(msg)
        return type(self)(self.amount + other.amount, self.currency)

    def __mul__(self, factor: Decimal | int) -> Self:
        """The amount times an exact factor."""
        return type(self)(self.amount * factor, self.currency)
