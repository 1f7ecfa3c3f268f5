"""Where parts are profiled, found by name through the entry points ``excise.engines``: one file per system."""

from __future__ import annotations

from excise.adapters.entries import entries
from excise.core.engine import Engine
from excise.core.errors import UsageError

GROUP = "excise.engines"

__all__ = ["find"]


def find(name: str) -> Engine:
    """An engine by its name; nothing is started yet.

    Raises:
        UsageError: there is none of that name.
        MissingExtra: the system behind it is not installed.
    """
    found = {entry.name: entry for entry in entries(GROUP)}
    if name not in found:
        raise UsageError(f"unknown engine {name!r}", hint=f"one of: {', '.join(sorted(found))}")
    engine: Engine = found[name].load()()
    return engine
