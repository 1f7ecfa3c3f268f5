"""Cells as Python objects: from objects to the narrowest kind, and to JSON and back without loss."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Sequence
from decimal import Decimal
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from excise.tables.table import Kind

INT64 = np.iinfo(np.int64)
EXACT_INTEGERS = 2**53  # above it float64 skips integers
ARRAY_DTYPE = re.compile(r"(?P<item>\w+)\[(?P<shape>\d+(?:,\d+)*)\]")
ZONE = re.compile(r", (?:tz=)?(?P<zone>[^\]]+)\]")
TAG = "$"

Typed = tuple["Kind", NDArray[Any], NDArray[np.bool_] | None]


def type_cells(cells: Sequence[Any]) -> Typed:
    """The narrowest kind that holds all cells exactly, with values and nulls.

    Integers among floats become floats where float64 holds them exactly; booleans, texts and numbers
    together are ``mixed``; lists, dicts and all other objects make a column ``nested``.
    """
    nulls = np.fromiter((cell is None for cell in cells), np.bool_, len(cells))
    found = set(map(type, cells)) - {type(None)}
    mask = nulls if nulls.any() else None
    for kind, accepts, fill, dtype in SIMPLE:
        if found and found <= accepts and fits(kind, cells):
            values = [fill if cell is None else cell for cell in cells] if mask is not None else cells
            return kind, np.asarray(values, dtype), mask
    if found == {dt.datetime} and all(cell is None or cell.tzinfo is None for cell in cells):
        return "datetime", np.array(cells, "datetime64[us]"), mask
    kind = "text" if found <= {str} else "mixed" if found <= SCALARS else "nested"
    return kind, object_array(cells), mask


SIMPLE: tuple[tuple[Kind, set[type], Any, Any], ...] = (
    ("bool", {bool}, False, np.bool_),
    ("int", {int}, 0, np.int64),
    ("float", {float, int}, np.nan, np.float64),
)
SCALARS: set[type] = {bool, int, float, str}


def fits(kind: Kind, cells: Sequence[Any]) -> bool:
    """Whether the integers among the cells keep their value in int64, or in float64."""
    if kind == "bool":
        return True
    integers = [cell for cell in cells if type(cell) is int]
    low, high = (INT64.min, INT64.max) if kind == "int" else (-EXACT_INTEGERS, EXACT_INTEGERS)
    return not integers or (min(integers) >= low and max(integers) <= high)


def object_array(cells: Sequence[Any]) -> NDArray[Any]:
    """Cells as a one-dimensional object array, even where each is a sequence."""
    array = np.empty(len(cells), object)
    for index, cell in enumerate(cells):
        array[index] = cell
    return array


def plain_values(values: NDArray[Any], dtype: str) -> list[Any]:
    """An array as plain Python objects: dates as ``date``, times with a zone as aware ``datetime``."""
    if values.dtype == object:
        return [cell.tolist() if isinstance(cell, np.ndarray) else cell for cell in values.tolist()]
    if values.dtype.kind != "M":
        listed: list[Any] = values.tolist()
        return listed
    if dtype.startswith(("date32", "date64")):
        dates: list[Any] = values.astype("datetime64[D]").tolist()
        return dates
    zone = zone_of(dtype)
    if zone is None:
        naive: list[Any] = values.tolist()
        return naive
    return [None if t is None else t.replace(tzinfo=dt.UTC).astimezone(zone) for t in values.tolist()]


def zone_of(dtype: str) -> dt.tzinfo | None:
    """The zone in a type's name (``timestamp[us, tz=UTC]``, ``datetime64[ns, UTC]``), None without.

    >>> zone_of("timestamp[us, tz=UTC]"), zone_of("timestamp[us]")
    (datetime.timezone.utc, None)
    """
    match = ZONE.search(dtype)
    if match is None:
        return None
    name = match["zone"]
    if name in {"UTC", "utc", "Etc/UTC", "+00:00", "Z"}:
        return dt.UTC
    if name[0] in "+-":
        return dt.datetime.strptime(name, "%z").tzinfo
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:  # a machine without a zone database: the instant is right all the same
        return dt.UTC


def json_text(value: Any) -> str:
    """A cell as JSON; what JSON cannot say is tagged, so that ``cells_from_json`` gives the same object.

    >>> json_text([7, 7.0, " 7 ", None, float("inf")])
    '[7, 7.0, " 7 ", null, Infinity]'
    """
    return json.dumps(tagged(value), ensure_ascii=False, default=tag)


def cell_text(cell: Any) -> str:
    """``json_text`` of one cell, quick for the texts and integers that most cells are."""
    if type(cell) is str:
        return encode_basestring(cell)
    return repr(cell) if type(cell) is int else json_text(cell)


def cells_from_json(texts: Sequence[str | None]) -> list[Any]:
    """The cells that ``cell_text`` wrote, None where the text is; parsed in one go."""
    joined = ",".join("null" if text is None else text for text in texts)
    cells: list[Any] = json.loads(f"[{joined}]", object_hook=untag)
    return cells


def tagged(value: Any) -> Any:
    """The value with dicts escaped whose keys could be mistaken for a tag, or are no texts."""
    if isinstance(value, dict):
        inner = {key: tagged(item) for key, item in value.items()}
        if all(isinstance(key, str) and not key.startswith(TAG) for key in value):
            return inner
        return {"$pairs": [[tagged(key), item] for key, item in inner.items()]}
    if isinstance(value, list | tuple):
        return [tagged(item) for item in value]
    return value


def tag(value: Any) -> dict[str, Any]:
    """What JSON has no form for; an unknown object is kept as its text."""
    for known, name, write in WRITERS:
        if isinstance(value, known):
            return {name: write(value)}
    return {"$text": str(value)}


WRITERS: tuple[tuple[Any, str, Any], ...] = (
    (dt.datetime, "$datetime", dt.datetime.isoformat),  # before date, of which it is one
    (dt.date, "$date", dt.date.isoformat),
    (dt.time, "$time", dt.time.isoformat),
    (dt.timedelta, "$seconds", dt.timedelta.total_seconds),
    (bytes, "$bytes", lambda value: base64.b64encode(value).decode()),
    (Decimal, "$decimal", str),
    ((np.ndarray, np.generic), "$list", lambda value: tagged(value.tolist())),
)
READERS: dict[str, Any] = {
    "$datetime": dt.datetime.fromisoformat,
    "$date": dt.date.fromisoformat,
    "$time": dt.time.fromisoformat,
    "$seconds": lambda seconds: dt.timedelta(seconds=seconds),
    "$bytes": base64.b64decode,
    "$decimal": Decimal,
    "$list": lambda items: items,
    "$text": lambda text: text,
    "$pairs": dict,
}


def untag(value: dict[str, Any]) -> Any:
    """The object behind a tag, or the dict itself."""
    if len(value) == 1:
        key, item = next(iter(value.items()))
        if key in READERS:
            return READERS[key](item)
    return value


def array_cells(cells: Sequence[Any], dtype: str) -> list[Any]:
    """Lists turned back into arrays where the dtype says that each row holds one (``float32[3,4]``)."""
    match = ARRAY_DTYPE.fullmatch(dtype)
    if match is None:
        return list(cells)
    return [None if cell is None else np.asarray(cell, match["item"]) for cell in cells]
