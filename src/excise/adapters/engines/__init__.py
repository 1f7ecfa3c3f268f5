"""Where parts are profiled, found by name through the entry points ``excise.engines``: one file per system."""

from __future__ import annotations

from excise.adapters.entries import made
from excise.core.engine import Engine

GROUP = "excise.engines"

__all__ = ["find"]


def find(name: str) -> Engine:
    """An engine by its name; nothing is started yet.

    Raises:
        UsageError: there is none of that name.
        MissingExtra: the system behind it is not installed.
    """
    engine: Engine = made(GROUP, name, "engine")
    return engine
