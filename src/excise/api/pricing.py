"""The price of an audit: from the book, from the user, or none; and the money ledger that follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from excise.core.audit import PriceFacts
from excise.core.environment import Hardware
from excise.core.errors import UsageError
from excise.core.price import Price
from excise.economics import PriceBook, cost_per_1000, custom_price, default_price, is_stale, priced_elsewhere


@dataclass(frozen=True, slots=True)
class Pricing:
    """A price and what demand is divided by.

    Attributes:
        facts: what the report says of it; None where the machine is somebody else's.
        cost: (wall ms, CPU ms) per call to USD per 1000 rows, vectorized; None likewise.
    """

    facts: PriceFacts | None
    cost: Callable[[Any, Any], Any] | None


def pricing(
    *,
    price: str | None,
    dollars_per_hour: float | None,
    slots: float | None,
    batch: int,
    hardware: Hardware,
    today: date,
) -> Pricing:
    """The money ledger of one audit.

    Args:
        price: ``provider/sku``; without it and without ``dollars_per_hour`` the smallest on-demand machine with as
            many cores as the measured one is priced, and said so.
        dollars_per_hour: of the measured machine.
        slots: calls that one machine serves at once; None for one per core.
        batch: rows per call.
        hardware: the measured machine.
        today: what the price's age is counted from.

    Raises:
        UsageError: two prices at once, or slots that are not above zero.
        NotFound: no such machine in the book.
    """
    if price is not None and dollars_per_hour is not None:
        raise UsageError("both --price and --dollars-per-hour were given", hint="give one of them")
    if slots is not None and not slots > 0:
        raise UsageError(f"--slots {slots:g} serves nothing", hint="give the calls that one machine serves at once")
    found = _find(price, dollars_per_hour, hardware)
    cores = float(found.cores) if found.cores is not None else float(hardware.cores)
    places = slots if slots is not None else cores
    facts = PriceFacts(
        sku=found.sku,
        dollars_per_hour=float(found.per_hour.amount),
        as_of=found.as_of.isoformat() if found.as_of else None,
        source=found.source,
        cores=cores,
        slots=places,
        stale=is_stale(found, today),
        priced_elsewhere=priced_elsewhere(found, hardware),
        lower_bound=hardware.gpu is not None,
    )

    def cost(wall_ms: Any, cpu_ms: Any) -> Any:
        return cost_per_1000(found, wall_ms=wall_ms, cpu_ms=cpu_ms, cores=cores, slots=places, batch=batch)

    return Pricing(facts=facts, cost=cost)


def _find(price: str | None, dollars_per_hour: float | None, hardware: Hardware) -> Price:
    if dollars_per_hour is not None:
        return custom_price(dollars_per_hour)
    book = PriceBook.bundled()
    return book.find(price) if price is not None else default_price(book, hardware)
