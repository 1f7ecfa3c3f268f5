"""Feature stores, found by scheme through the entry points ``excise.stores``: one file per system."""

from __future__ import annotations

from excise.adapters.entries import entries
from excise.core.errors import UsageError
from excise.core.stores import FeatureStore

GROUP = "excise.stores"

__all__ = ["find", "schemes"]


def schemes() -> tuple[str, ...]:
    """Schemes of the stores that are registered."""
    return tuple(entry.name for entry in entries(GROUP))


def find(scheme: str) -> FeatureStore:
    """A store by its scheme; nothing is opened yet.

    Raises:
        UsageError: there is none of that name.
        MissingExtra: the system behind it is not installed.
    """
    found = {entry.name: entry for entry in entries(GROUP)}
    if scheme not in found:
        raise UsageError(f"unknown feature store {scheme!r}", hint=f"one of: {', '.join(sorted(found))}")
    store: FeatureStore = found[scheme].load()()
    return store
