"""What an hour of a machine costs, when that was true, and who said so."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from excise.core.money import Money


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """One dated, sourced price row.

    Attributes:
        sku: ``aws/c5.large``, or ``custom`` for ``--dollars-per-hour``.
        per_hour: amount per hour of the whole machine.
        tier: ``on_demand``, ``spot``, ``reserved_1y``, ``reserved_3y``, ``custom``.
        cores: vCPUs of the machine, None where unknown.
        memory_gib: of the machine, None where unknown.
        gpus: accelerators of the machine.
        gpu: their name, None without.
        region: as the source names it.
        as_of: the day on which the price was seen.
        source: who said so.
    """

    sku: str
    per_hour: Money
    tier: str = "on_demand"
    cores: Decimal | None = None
    memory_gib: Decimal | None = None
    gpus: int = 0
    gpu: str | None = None
    region: str | None = None
    as_of: date | None = None
    source: str
