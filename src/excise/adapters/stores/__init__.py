"""Feature stores, found by scheme through the entry points ``excise.stores``: one file per system."""

from __future__ import annotations

from excise.adapters.entries import entries, made
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
    store: FeatureStore = made(GROUP, scheme, "feature store")
    return store
