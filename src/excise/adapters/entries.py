"""What is installed under a group of entry points: where every kind of adapter is found."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points


@cache
def entries(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of a group, by name; read once, since looking through all packages takes milliseconds."""
    return tuple(sorted(entry_points(group=group), key=lambda entry: entry.name))
