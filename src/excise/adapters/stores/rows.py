"""What the adapters of feature stores do with rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from excise.tables import Table, read

Key = tuple[Any, ...]


def evenly(rows: Table, most: int) -> Table:
    """So many rows at most, evenly spread."""
    if rows.rows <= most:
        return rows
    return rows.take(np.unique(np.linspace(0, rows.rows - 1, most).astype(np.int64)))


def newest(rows: Table, keys: Sequence[str], time: str) -> Table:
    """Of each entity the row with the latest time, the last of several; in the order in which entities come."""
    found: dict[Key, int] = {}
    stamps = rows.column(time).plain()
    for place, key in enumerate(keys_of(rows, keys)):
        before = found.get(key)
        if before is None or stamps[place] >= stamps[before]:
            found[key] = place
    return rows.take(np.fromiter(found.values(), np.int64, len(found)))


def aligned(rows: Table, entities: Table, names: Sequence[str]) -> Table:
    """The rows of these entities, in their order; nulls where an entity has none.

    Args:
        rows: with the columns of ``entities`` and ``names``.
        entities: keys alone.
        names: columns that are taken over.
    """
    found = dict(zip(keys_of(rows, entities.names), rows.records(), strict=True))
    wanted = [found.get(key, {}) for key in keys_of(entities, entities.names)]
    return beside(entities, {name: [row.get(name) for row in wanted] for name in names})


def keys_of(rows: Table, keys: Sequence[str]) -> list[Key]:
    """By row, what names its entity."""
    return list(zip(*(rows.column(key).plain() for key in keys), strict=True))


def beside(entities: Table, cells: Mapping[str, Sequence[Any]]) -> Table:
    """The keys with further columns, cell by cell."""
    return Table(
        (*entities.columns, *read({name: list(map(plain, one)) for name, one in cells.items()}).columns),
        entities.source,
    )


def plain(value: Any) -> Any:
    """A value as the tables take it: a time without its zone, in UTC."""
    zoned = isinstance(value, dt.datetime) and value.tzinfo is not None
    return value.astimezone(dt.UTC).replace(tzinfo=None) if zoned else value
