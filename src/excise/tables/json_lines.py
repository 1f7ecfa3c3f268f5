"""JSON lines, and JSON arrays of objects; mixed types are let through, nested values kept."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from excise.core.errors import DataError
from excise.tables.cells import type_cells
from excise.tables.table import Column, Table

HINT = "each line must be one JSON object"


def read_json(data: bytes, source: str) -> Table:
    """One JSON object a line, or one array of objects; a missing key is null.

    Raises:
        DataError: a line is no JSON object, or the bytes are not UTF-8.
    """
    if data.lstrip()[:1] == b"[":
        rows = [checked(row, source, index + 1) for index, row in enumerate(decode(data, source, 1))]
    else:
        lines = ((number, line) for number, line in enumerate(data.splitlines(), 1) if line.strip())
        rows = [checked(decode(line, source, number), source, number) for number, line in lines]
    return from_records(rows, source)


def decode(line: bytes, source: str, number: int) -> Any:
    """One JSON text; the strict parser first, then Python's for the NaN and Infinity that Python writes."""
    try:
        return msgspec.json.decode(line)
    except msgspec.DecodeError:
        pass
    try:
        return json.loads(line)
    except UnicodeDecodeError as error:
        raise DataError(f"{source}, line {number}: not UTF-8", hint="convert it with iconv") from error
    except ValueError as error:
        raise DataError(f"{source}, line {number}: {error}", hint=HINT) from error


def checked(row: Any, source: str, number: int) -> dict[str, Any]:
    """The row, if it is an object."""
    if not isinstance(row, dict):
        raise DataError(f"{source}, line {number}: {type(row).__name__} instead of an object", hint=HINT)
    return row


def from_records(rows: list[dict[str, Any]], source: str) -> Table:
    """Dicts as a table; columns in the order in which keys appear first."""
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row))
    columns = []
    for name in names:
        kind, values, nulls = type_cells([row.get(name) for row in rows])
        columns.append(Column(name, kind, values, nulls, "json"))
    return Table(tuple(columns), source)
