"""The price of the machine that init runs on, where its firmware leaves no doubt."""

from __future__ import annotations

from typing import NamedTuple

from excise.core.environment import Hardware
from excise.economics import PriceBook, closest_machine, default_price, machines_like
from excise.releases.cloud import CloudMachine, cloud_machine
from excise.releases.hardware import hardware


class Likely(NamedTuple):
    """A machine of the price book that is this one, and the closest, which may serve as an example."""

    sku: str | None
    example: str


def find_price() -> Likely:
    """What this machine costs. Only files are read: a cloud is never asked."""
    return price_of(cloud_machine(), hardware())


def price_of(machine: CloudMachine | None, measured: Hardware) -> Likely:
    """The machine's type where its firmware tells it, else the only one of its cloud that is like it."""
    book = PriceBook.bundled()
    if machine is None:
        return Likely(None, default_price(book, measured).sku)
    named = f"{machine.cloud}/{machine.type}"
    if named in book.skus:
        return Likely(named, named)
    alike = machines_like(book, machine.cloud, measured) if machine.type is None else []
    closest = closest_machine(book, machine.cloud, measured)
    example = closest.sku if closest else default_price(book, measured).sku
    return Likely(alike[0].sku if len(alike) == 1 else None, example)
