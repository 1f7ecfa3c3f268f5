"""Arrow columns to ours and back; exact in both directions."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from excise.core.errors import DataError
from excise.tables.cells import array_cells, cell_text, cells_from_json, object_array, type_cells
from excise.tables.table import Coded, Column, Table

FIELD_KEY = b"excise"
PANDAS_INDEX = "__index_level_"
NARROW = {name: getattr(pa, name)() for name in ("int8", "int16", "int32", "uint8", "uint16", "uint32", "float32")}
FILLS: dict[str, Any] = {"int": 0, "float": np.nan, "bool": False}


def unique_names(names: list[str], source: str) -> list[str]:
    """The names, checked.

    Raises:
        DataError: a name stands twice.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(f"{source} has two columns named {name!r}", hint="rename one of them")
        seen.add(name)
    return names


def from_arrow(table: pa.Table, source: str) -> Table:
    """An Arrow table as ours; index columns that pandas added are left out.

    Raises:
        DataError: a column name stands twice.
    """
    names = unique_names(list(table.schema.names), source)
    kept = [index for index, name in enumerate(names) if not name.startswith(PANDAS_INDEX)]
    return Table(tuple(from_field(table.schema.field(index), table.column(index)) for index in kept), source)


def from_field(field: pa.Field, cells: pa.ChunkedArray) -> Column:
    """One Arrow column; what ``to_arrow`` wrote comes back as it was."""
    note = json.loads((field.metadata or {}).get(FIELD_KEY, b"{}"))
    if note.get("json"):
        array = object_array(array_cells(cells_from_json(cells.to_pylist()), note["dtype"]))
        return Column(field.name, note["kind"], array, null_mask(cells), note["dtype"])
    return from_cells(field.name, cells, note.get("dtype"))


def from_cells(name: str, cells: pa.ChunkedArray, dtype: str | None = None) -> Column:
    """One Arrow column by its type; ``dtype`` overrides the name that the type goes by."""
    dtype = dtype or type_name(cells.type)
    if (coded := coded_texts(cells)) is not None:
        return Column(name, "text", coded, null_mask(cells), dtype)
    cells = plain_storage(cells)
    kind = arrow_kind(cells.type)
    nulls = null_mask(cells)
    if kind in FILLS:
        return numeric_column(name, kind, cells, nulls, dtype)
    if kind == "datetime":
        times = cells.cast(pa.timestamp("us"), safe=False).to_numpy().astype("datetime64[us]")
        return Column(name, "datetime", times, nulls, dtype)
    if kind == "text":
        return Column(name, "text", text_values(cells), nulls, dtype)
    if pa.types.is_null(cells.type):
        return Column(name, "text", np.full(len(cells), None, object), nulls, dtype)
    return object_column(name, cells, nulls, dtype)


def is_text(dtype: pa.DataType) -> bool:
    """Whether a type holds texts that are not coded yet."""
    return arrow_kind(dtype) == "text"


MOST_WORDS = 0.5
"""Distinct texts per row, from which codes would save nothing."""


def coded_texts(cells: pa.ChunkedArray) -> Coded | None:
    """Texts by code: as the source has them, or where many rows share few; None for anything else."""
    dtype = cells.type
    if pa.types.is_dictionary(dtype) and arrow_kind(dtype.value_type) == "text":
        return codes_of(cells.unify_dictionaries())
    if arrow_kind(dtype) != "text" or len(cells) < FEWEST_CODED:
        return None
    head = cells.slice(0, FEWEST_CODED)
    if len(head.unique()) > MOST_WORDS * len(head):
        return None
    return codes_of(pc.dictionary_encode(cells).unify_dictionaries())


FEWEST_CODED = 1000
"""Rows from which a look at them says whether coding pays."""


def codes_of(cells: pa.ChunkedArray) -> Coded | None:
    """A dictionary column as codes; None where a word stands twice or is null."""
    if not cells.num_chunks:
        return None
    words = text_values(pa.chunked_array([cells.chunk(0).dictionary]))
    if len(set(words.tolist())) < len(words) or None in words:
        return None
    codes = [filled(chunk.indices.cast(pa.int32()), len(words)).to_numpy() for chunk in cells.chunks]
    return Coded(np.append(words, [None]), codes[0] if len(codes) == 1 else np.concatenate(codes))


def filled(cells: pa.Array, value: int) -> pa.Array:
    """The cells with a value for null; themselves, and not a copy, where nothing is null."""
    return cells.fill_null(value) if cells.null_count else cells


def plain_storage(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Extension, dictionary and run-end encoded columns as what they hold; UTF-8 bytes as text."""
    if isinstance(cells.type, pa.BaseExtensionType):
        cells = pa.chunked_array([chunk.storage for chunk in cells.chunks], cells.type.storage_type)
    if pa.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    if pa.types.is_run_end_encoded(cells.type):
        cells = pc.run_end_decode(cells)
    if pa.types.is_binary(cells.type) or pa.types.is_large_binary(cells.type):
        try:
            return cells.cast(pa.large_string())
        except pa.ArrowInvalid:
            return cells
    return cells


def arrow_kind(dtype: pa.DataType) -> str:
    """Our kind for an Arrow type; ``nested`` for all that numpy has no column for."""
    kinds = (
        ("bool", pa.types.is_boolean),
        ("int", pa.types.is_integer),
        ("float", lambda t: pa.types.is_floating(t) or pa.types.is_decimal(t)),
        ("text", lambda t: pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t)),
        ("datetime", lambda t: pa.types.is_timestamp(t) or pa.types.is_date(t)),
    )
    return next((kind for kind, matches in kinds if matches(dtype)), "nested")


def numeric_column(name: str, kind: Any, cells: pa.ChunkedArray, nulls: NDArray[np.bool_] | None, dtype: str) -> Column:
    """Numbers and booleans; integers beyond int64 stay exact as Python integers."""
    target = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}[kind]
    try:
        typed = cells.cast(target)
    except pa.ArrowInvalid:
        return object_column(name, cells, nulls, dtype)
    filled = typed.fill_null(FILLS[kind]) if nulls is not None else typed
    return Column(name, kind, filled.to_numpy(), nulls, dtype)


def object_column(name: str, cells: pa.ChunkedArray, nulls: NDArray[np.bool_] | None, dtype: str) -> Column:
    """A column of Python objects."""
    listed = cells.to_pylist()
    kind, _, _ = type_cells(listed)
    return Column(name, "mixed" if kind in {"mixed", "int", "float"} else "nested", object_array(listed), nulls, dtype)


def text_values(cells: pa.ChunkedArray) -> NDArray[Any]:
    """Texts as an object array of ``str``, None where null."""
    return np.asarray(cells.to_numpy(), object)


def null_mask(cells: pa.ChunkedArray) -> NDArray[np.bool_] | None:
    """True where null; None where nothing is."""
    return np.asarray(cells.is_null().to_numpy(), np.bool_) if cells.null_count else None


def type_name(dtype: pa.DataType) -> str:
    """The name a type goes by; all texts are ``string``, dictionaries of texts ``category``.

    >>> type_name(pa.large_string()), type_name(pa.int32()), type_name(pa.dictionary(pa.int8(), pa.string()))
    ('string', 'int32', 'category')
    """
    if pa.types.is_dictionary(dtype):
        return "category"
    if arrow_kind(dtype) == "text":
        return "string"
    return {"float": "float32", "double": "float64", "halffloat": "float16"}.get(str(dtype), str(dtype))


def to_arrow(table: Table) -> pa.Table:
    """Our table as Arrow; mixed and nested columns as JSON text, the rest in the narrowest type of their dtype."""
    fields, arrays = [], []
    for column in table.columns:
        array, as_json = to_array(column)
        note = {"kind": column.kind, "dtype": column.dtype, "json": as_json}
        fields.append(pa.field(column.name, array.type, metadata={FIELD_KEY: json.dumps(note).encode()}))
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def to_array(column: Column) -> tuple[pa.Array, bool]:
    """One column as Arrow, and whether its cells had to become JSON."""
    if column.kind in {"mixed", "nested"}:
        texts = [None if cell is None else cell_text(cell) for cell in column.plain()]
        return pa.array(texts, pa.string()), True
    if column.kind == "text":
        return pa.array(column.values, pa.string(), mask=column.nulls), False
    array = pa.array(column.values, mask=column.nulls, from_pandas=False)
    narrow = NARROW.get(column.dtype)
    if narrow is not None and column.kind in {"int", "float"}:
        try:
            return array.cast(narrow), False
        except pa.ArrowInvalid:
            return array, False
    return array, False
