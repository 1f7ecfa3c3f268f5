"""Tables that are already in memory: anything with the Arrow interface, arrays, dicts, records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.interchange

from excise.core.errors import DataError
from excise.tables.arrays import from_arrays, from_matrix
from excise.tables.arrow import from_arrow, from_cells, unique_names
from excise.tables.cells import type_cells
from excise.tables.json_lines import from_records
from excise.tables.table import Column, Table

NULL_TYPES = {"NAType", "NaTType"}  # pandas' own, told by name: pandas is not imported here


def from_object(data: Any) -> Table:
    """A table from what the user holds.

    Raises:
        DataError: it is nothing that a table can be made of.
    """
    source = type(data).__name__
    for matches, convert in FORMS:
        if matches(data):
            return convert(data, source)
    raise DataError(f"{source} is no table", hint="give a path, a frame, a matrix, or a dict of arrays")


def arrow_table(data: Any, source: str) -> pa.Table:
    """Whatever streams Arrow batches, as one Arrow table."""
    try:
        return pa.table(data)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise DataError(f"{source} cannot be read as a table: {str(error).splitlines()[0]}") from error


def is_pandas(data: Any) -> bool:
    """Whether it is a pandas frame, told without importing pandas."""
    return type(data).__module__.partition(".")[0] == "pandas" and hasattr(data, "iloc") and hasattr(data, "dtypes")


def from_pandas(frame: Any, source: str) -> Table:
    """A pandas frame, without its index. Object columns are typed cell by cell: Arrow would guess or refuse."""
    names = unique_names([str(name) for name in frame.columns], source)
    dtypes = [str(dtype) for dtype in frame.dtypes]
    columns = [pandas_column(frame.iloc[:, i], name, dtypes[i]) for i, name in enumerate(names)]
    return Table(tuple(columns), source)


def pandas_column(series: Any, name: str, dtype: str) -> Column:
    """One pandas series; NaN in a float or object column means that the value is missing, as pandas has it."""
    if dtype != "object":
        try:
            return from_cells(name, pa.chunked_array(pa.array(series, from_pandas=True)), dtype)
        except (pa.ArrowException, TypeError):
            pass  # periods, intervals and other things that only pandas knows
    kind, values, nulls = type_cells([plain_cell(cell) for cell in series.tolist()])
    return Column(name, kind, values, nulls, dtype)


def plain_cell(cell: Any) -> Any:
    """A cell of an object column as Python has it; None where pandas would call it missing."""
    if type(cell) is str:
        return cell
    if type(cell).__name__ in NULL_TYPES or (isinstance(cell, float) and cell != cell):  # noqa: PLR0124  NaN
        return None
    if isinstance(cell, np.generic):
        return cell.item()
    return cell.to_pydatetime() if hasattr(cell, "to_pydatetime") else cell


def is_records(data: Any) -> bool:
    """Whether it is a list of dicts."""
    return isinstance(data, Sequence) and bool(data) and all(isinstance(row, Mapping) for row in data)


# The first that matches reads; pandas stands before its own Arrow stream, which would guess at object columns.
FORMS: tuple[tuple[Callable[[Any], bool], Callable[[Any, str], Table]], ...] = (
    (lambda data: isinstance(data, Table), lambda data, _: data),
    (is_pandas, from_pandas),
    (
        lambda data: hasattr(data, "__arrow_c_stream__"),
        lambda data, source: from_arrow(arrow_table(data, source), source),
    ),
    (
        lambda data: hasattr(data, "__arrow_c_array__"),
        lambda data, source: from_arrow(pa.Table.from_batches([pa.record_batch(data)]), source),
    ),
    (lambda data: isinstance(data, np.ndarray), from_matrix),
    (lambda data: isinstance(data, Mapping), from_arrays),
    (
        lambda data: hasattr(data, "__dataframe__"),
        lambda data, source: from_arrow(pa.interchange.from_dataframe(data), source),
    ),
    (is_records, lambda data, source: from_records([dict(row) for row in data], source)),
)
