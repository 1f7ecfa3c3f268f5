"""Which machines of the price book a machine may be, by cloud, cores and memory."""

from __future__ import annotations

from collections.abc import Iterable

from excise.core.environment import Hardware
from excise.economics.prices import VENDOR_WORDS, Machine, PriceBook, same_gpu, vendor_of

MIB_PER_GIB = 1024
HIDDEN_MEMORY = 0.12
"""Share of a machine's memory that its firmware and kernel keep from what the system reports."""


def machines_like(book: PriceBook, cloud: str, hardware: Hardware) -> list[Machine]:
    """The cloud's machines with these cores, this memory, this accelerator and a processor of this vendor."""
    return [machine for machine in of_cloud(book, cloud) if is_like(machine, hardware)]


def closest_machine(book: PriceBook, cloud: str, hardware: Hardware) -> Machine | None:
    """The cloud's machine that is nearest in cores, then in memory; None for a cloud that the book does not know."""
    gib = hardware.memory_mib / MIB_PER_GIB
    fitting = [machine for machine in of_cloud(book, cloud) if has_accelerator(machine, hardware)]
    return min(
        fitting,
        key=lambda machine: (abs(float(machine.cores) - hardware.cores), abs(float(machine.memory_gib) - gib)),
        default=None,
    )


def of_cloud(book: PriceBook, cloud: str) -> Iterable[Machine]:
    """The book's machines of one cloud."""
    return (machine for machine in book.machines if machine.sku.startswith(f"{cloud}/"))


def is_like(machine: Machine, hardware: Hardware) -> bool:
    """Whether a machine of the book may be the measured one."""
    share = hardware.memory_mib / MIB_PER_GIB / float(machine.memory_gib)
    vendor = vendor_of(machine.sku)
    return (
        machine.cores == hardware.cores
        and 1 - HIDDEN_MEMORY <= share <= 1
        and has_accelerator(machine, hardware)
        and (vendor is None or bool(VENDOR_WORDS[vendor].search(hardware.cpu)))
    )


def has_accelerator(machine: Machine, hardware: Hardware) -> bool:
    """Whether both have the same accelerator, or neither has one."""
    return machine.gpu == hardware.gpu or same_gpu(machine.gpu, hardware.gpu)
