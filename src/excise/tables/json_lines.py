"""JSON lines, and JSON arrays of objects; mixed types are let through, nested values kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from excise.core.errors import DataError
from excise.tables.cells import type_cells
from excise.tables.delimited import LINE_BYTES_LIMIT
from excise.tables.table import Column, Table

HINT = "each line must be one JSON object"
BLOCK_BYTES = 1 << 22


def read_json(data: bytes, source: str) -> Table:
    """One JSON object a line, or one array of objects; a missing key is null.

    Raises:
        DataError: a line is no JSON object, or the bytes are not UTF-8.
    """
    if is_array(data):
        rows = [checked(row, source, index + 1) for index, row in enumerate(decode(data, source, 1))]
    else:
        rows = rows_in(data.splitlines(), source, 1)
    return from_records(rows, source)


def stream_json(stream: Any, source: str) -> Iterator[Table]:
    """One JSON object a line, block by block; at least one table, which may be empty.

    A block has the columns of all blocks before it: a key that none of its rows has is a column of nulls.

    Raises:
        DataError: as ``read_json``, as soon as it is met; or a line longer than 256 MiB.
    """
    names: tuple[str, ...] = ()
    number, rest, read = 1, b"", False
    while chunk := stream.read(BLOCK_BYTES):
        whole, newline, rest = (rest + chunk).rpartition(b"\n")
        if len(rest) > LINE_BYTES_LIMIT:
            raise DataError(f"{source}, line {number}: longer than {LINE_BYTES_LIMIT >> 20} MiB", hint=HINT)
        if newline:
            lines, read = whole.splitlines(), True
            table = from_records(rows_in(lines, source, number), source, names)
            names, number = table.names, number + len(lines)
            yield table
    if rest or not read:
        yield from_records(rows_in(rest.splitlines(), source, number), source, names)


def is_array(head: bytes) -> bool:
    """Whether a text begins as an array does, rather than with the first of many objects."""
    return head.lstrip()[:1] == b"["


def rows_in(lines: list[bytes], source: str, first: int) -> list[dict[str, Any]]:
    """The objects of lines that are not blank, counted from ``first`` on."""
    numbered = ((number, line) for number, line in enumerate(lines, first) if line.strip())
    return [checked(decode(line, source, number), source, number) for number, line in numbered]


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


def from_records(rows: list[dict[str, Any]], source: str, names: tuple[str, ...] = ()) -> Table:
    """Dicts as a table; columns in the order in which keys appear first, behind those that are known."""
    found = dict.fromkeys(names)
    for row in rows:
        found.update(dict.fromkeys(row))
    columns = []
    for name in found:
        kind, values, nulls = type_cells([row.get(name) for row in rows])
        columns.append(Column(name, kind, values, nulls, "json"))
    return Table(tuple(columns), source)
