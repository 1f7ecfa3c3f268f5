"""Numpy arrays as columns: ``.npz``, ``.npy``, dicts of arrays and matrices."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from excise.core.errors import DataError
from excise.tables.cells import object_array, type_cells
from excise.tables.table import Column, Kind, Table

MATRIX = 2
KINDS: dict[str, tuple[Kind, Any]] = {
    "b": ("bool", np.bool_),
    "i": ("int", np.int64),
    "u": ("int", np.int64),
    "f": ("float", np.float64),
    "M": ("datetime", "datetime64[us]"),
}
NO_OBJECTS = "object arrays are pickles: save numbers or texts, or write Parquet"


def read_npz(data: bytes, source: str) -> Table:
    """Named arrays, one column each; an array of more axes than one keeps its rows as arrays.

    Raises:
        DataError: truncated, pickled objects, or arrays of different lengths.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, KeyError) as error:
        raise unreadable(source, error) from error
    return from_arrays(arrays, source)


def read_npy(data: bytes, source: str) -> Table:
    """One array.

    Raises:
        DataError: truncated, or pickled objects.
    """
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise unreadable(source, error) from error
    return from_matrix(array, source)


def unreadable(source: str, error: Exception) -> DataError:
    """One line for what numpy said."""
    hint = NO_OBJECTS if "allow_pickle" in str(error) else "is the file complete?"
    return DataError(f"{source} is not a readable numpy file", hint=hint)


def from_matrix(array: NDArray[Any], source: str) -> Table:
    """A matrix's columns as ``f0``, ``f1``, …; a vector or a tensor as the one column ``f0``."""
    if array.ndim != MATRIX:
        return from_arrays({"f0": array}, source)
    return from_arrays({f"f{index}": array[:, index] for index in range(array.shape[1])}, source)


def from_arrays(arrays: Mapping[str, Any], source: str) -> Table:
    """Arrays or sequences of one length as columns.

    Raises:
        DataError: lengths differ, or an array has no rows axis.
    """
    found = {str(name): as_array(values) for name, values in arrays.items()}
    lengths = {name: len(values) if values.ndim else None for name, values in found.items()}
    if len(set(lengths.values())) > 1 or None in lengths.values():
        shown = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        raise DataError(f"{source}: columns of different lengths ({shown})", hint="give arrays with one row each")
    return Table(tuple(from_array(name, values) for name, values in found.items()), source)


def as_array(values: Any) -> NDArray[Any]:
    """Arrays as they are; other sequences cell by cell, so that numpy turns no number into text."""
    if isinstance(values, np.ndarray):
        return values
    return object_array(list(values))


def from_array(name: str, array: NDArray[Any]) -> Column:
    """One array as a column; NaN stays NaN, NaT is null."""
    if array.ndim > 1:
        shape = ",".join(str(length) for length in array.shape[1:])
        return Column(name, "nested", object_array(list(array)), None, f"{array.dtype.name}[{shape}]")
    too_large = array.dtype.kind == "u" and array.size > 0 and int(array.max()) > np.iinfo(np.int64).max
    if array.dtype.kind in KINDS and not too_large:
        kind, dtype = KINDS[array.dtype.kind]
        values = array.astype(dtype)
        missing = np.isnat(values) if kind == "datetime" else np.zeros(0, np.bool_)
        return Column(name, kind, values, missing if missing.any() else None, str(array.dtype))
    cells = array.tolist()
    kind, values, nulls = type_cells(cells)
    return Column(name, kind, values, nulls, "string" if array.dtype.kind in "US" else str(array.dtype))
