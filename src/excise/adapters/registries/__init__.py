"""Places that models are kept in, found by name through the entry points ``excise.registries``: one file per system."""

from __future__ import annotations

from functools import cache

from excise.adapters.entries import entries
from excise.core.refs import ModelRef, RefKind
from excise.core.registry import Registry

GROUP = "excise.registries"

__all__ = ["installed", "registry_of"]


@cache
def installed() -> tuple[Registry, ...]:
    """Every registered registry, by name; ours and strangers' alike."""
    return tuple(entry.load()() for entry in entries(GROUP))


def registry_of(ref: ModelRef) -> Registry | None:
    """The registry that a reference leads to; None for one that stays on this machine."""
    if ref.kind is not RefKind.SCHEME:
        return None
    return next((registry for registry in installed() if registry.name == ref.attribute), None)
