"""Recorded requests as the rows that they asked about: what a server saw, to be held against what it was made for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pyarrow as pa

from excise.core.errors import DataError
from excise.tables.json_lines import from_records
from excise.tables.table import Column, Table

REQUEST = {"method", "path"}
BESIDE = {"headers", "body", "body_base64", "status", "ms"}
REFUSED = 400
"""Status from which a request was not answered."""
TENSORS = {"name", "data"}
"""What an input of the Open Inference Protocol has at least."""


class Traffic(NamedTuple):
    """What was asked.

    Attributes:
        rows: those that requests brought.
        requests: recorded.
        skipped: of them, those that were refused, or brought no rows with a column that is wanted.
    """

    rows: Table
    requests: int
    skipped: int


def is_traffic(names: Collection[str]) -> bool:
    """Whether a table's columns are those of recorded requests."""
    return REQUEST <= set(names) <= REQUEST | BESIDE and bool(BESIDE & set(names))


def rows_sent(recorded: Table, wanted: Collection[str]) -> Traffic:
    """The rows in the JSON bodies of recorded requests.

    A body is an object, one row; a list of objects; an object that holds such a list, as ``instances`` or ``records``;
    or tensors of the Open Inference Protocol, each a column.

    Args:
        recorded: one row a request, as ``excise record`` and HAR files have them.
        wanted: columns of the reference; a body without any of them asks about something else.
    Raises:
        DataError: no request has such rows.
    """
    found: list[dict[str, Any]] = []
    skipped = 0
    for request in recorded.records():
        rows = [] if (request.get("status") or 0) >= REFUSED else list(rows_of(request.get("body")))
        if any(name in row for row in rows for name in wanted):
            found += rows
        else:
            skipped += 1
    if not found:
        shown = ", ".join(list(wanted)[:5])
        raise DataError(
            f"{recorded.source}: none of {recorded.rows} recorded requests was answered and has {shown} in its body",
            hint="bodies must be JSON: an object, a list of objects, or Open Inference Protocol tensors",
        )
    return Traffic(from_records(found, recorded.source), recorded.rows, skipped)


def rows_of(body: Any) -> Iterator[dict[str, Any]]:
    """The rows of one body; none where it has another form."""
    if isinstance(body, list):
        yield from (row for row in body if isinstance(row, dict))
    elif isinstance(body, dict):
        lists = [value for value in body.values() if is_records(value)]
        if len(lists) != 1:
            yield body
        elif all(row.keys() >= TENSORS for row in lists[0]):
            yield from tensor_rows(lists[0])
        else:
            yield from lists[0]


def is_records(value: Any) -> bool:
    """Whether it is a list of objects."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def tensor_rows(tensors: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Tensors of one length, each a column; none where they are of different lengths."""
    columns = {str(one["name"]): one["data"] for one in tensors if isinstance(one["data"], list)}
    if len({len(data) for data in columns.values()}) == 1:
        yield from (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))


def with_times(rows: Table, names: Collection[str]) -> Table:
    """The rows with texts turned into times in these columns, where all of a column say one: JSON has no times."""
    return replace(rows, columns=tuple(as_time(one) if one.name in names else one for one in rows.columns))


def as_time(column: Column) -> Column:
    """One column of ISO 8601 texts as UTC times; as it is where a text is none."""
    if column.kind != "text":
        return column
    texts = pa.array(column.values, pa.string())
    for target in (pa.timestamp("us"), pa.timestamp("us", tz="UTC")):
        try:
            times = texts.cast(target)
        except pa.ArrowInvalid:
            continue
        return replace(column, kind="datetime", held=times.to_numpy(zero_copy_only=False).astype("datetime64[us]"))
    return column
