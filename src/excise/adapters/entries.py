"""What is installed under a group of entry points: where every kind of adapter is found."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from excise.core.errors import UsageError


@cache
def entries(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of a group, by name; read once, since looking through all packages takes milliseconds."""
    return tuple(sorted(entry_points(group=group), key=lambda entry: entry.name))


def made(group: str, name: str, what: str) -> Any:
    """The adapter of that name, made without arguments.

    Raises:
        UsageError: there is none; the hint names those that there are.
        MissingExtra: the system behind it is not installed.
    """
    found = {entry.name: entry for entry in entries(group)}
    if name not in found:
        raise UsageError(f"unknown {what} {name!r}", hint=f"one of: {', '.join(sorted(found))}")
    return found[name].load()()
