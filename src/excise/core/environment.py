"""Interpreter, packages and hardware: what a measurement is true of."""

from __future__ import annotations

import msgspec


class Hardware(msgspec.Struct, frozen=True, kw_only=True):
    """The machine.

    Attributes:
        cpu: model name.
        cores: logical cores that the process may use.
        memory_mib: physical memory.
        flags: the instruction-set extensions that decide which kernels run.
        gpu: name of the accelerator, None without.
        driver: version of the accelerator's driver, None without.
    """

    cpu: str
    cores: int
    memory_mib: int
    flags: tuple[str, ...] = ()
    gpu: str | None = None
    driver: str | None = None


class Package(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One installed distribution."""

    name: str
    version: str
    sha256: str | None = None


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """What code runs in.

    Attributes:
        name: ``current``, ``newest``, or a release's name.
        executable: the interpreter to start.
        python: its version.
        platform: as ``sysconfig.get_platform`` says.
        packages: sorted by name.
        lock_digest: sha256 of the PEP 751 lock.
        hardware: where it was seen.
    """

    name: str
    executable: str
    python: str
    platform: str
    packages: tuple[Package, ...]
    lock_digest: str
    hardware: Hardware
