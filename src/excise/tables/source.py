"""Where a table comes from: a file, a directory, a glob, a URL, or an object in memory."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

import fsspec
import fsspec.utils
import numpy as np
import pyarrow as pa

from excise.core.errors import DataError, ExciseError, first_line
from excise.tables.arrays import read_npy, read_npz
from excise.tables.cells import object_array, type_cells
from excise.tables.delimited import CsvMode, read_delimited
from excise.tables.frames import from_object
from excise.tables.har import read_har
from excise.tables.json_lines import read_json
from excise.tables.parquet import read_arrow, read_parquet
from excise.tables.table import Column, Table, closest

Reader = Callable[[pa.Buffer, str, CsvMode], Table]

READERS: dict[str, Reader] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".parquet": lambda data, source, _: read_parquet(data, source),
    ".arrow": lambda data, source, _: read_arrow(data, source),
    ".feather": lambda data, source, _: read_arrow(data, source),
    ".ipc": lambda data, source, _: read_arrow(data, source),
    ".jsonl": lambda data, source, _: read_json(data.to_pybytes(), source),
    ".ndjson": lambda data, source, _: read_json(data.to_pybytes(), source),
    ".json": lambda data, source, _: read_json(data.to_pybytes(), source),
    ".har": lambda data, source, _: read_har(data.to_pybytes(), source),
    ".npz": lambda data, source, _: read_npz(data.to_pybytes(), source),
    ".npy": lambda data, source, _: read_npy(data.to_pybytes(), source),
}
SUFFIXES = {".pq": ".parquet", ".txt": ".csv"}
COMPRESSED = {".gz", ".bz2", ".xz", ".zst", ".zip"}
KNOWN = "CSV, Parquet, Arrow, JSON lines, recorded traffic (.har), .npz and .npy can be read"


def read(
    source: str | os.PathLike[str] | object, *, csv: CsvMode = "exact", columns: Iterable[str] | None = None
) -> Table:
    """Read a table.

    Args:
        source: a path, a directory, a glob, an fsspec URL, or a frame, matrix, dict of arrays or list of dicts.
        csv: ``exact`` types CSV cell by cell, ``text`` leaves all cells text, ``infer`` lets pyarrow guess.
        columns: only these, in this order.

    Raises:
        DataError: missing, empty, unreadable, or without a column that was asked for.
    """
    table = from_path(os.fspath(source), csv) if isinstance(source, str | os.PathLike) else from_object(source)
    if table.rows == 0:
        raise DataError(f"{table.source} has no rows", hint="give at least one row")
    return table if columns is None else table.select(columns)


def from_path(path: str, csv: CsvMode) -> Table:
    """One file, or all data files of a directory or a glob as one table."""
    with reaching(path):
        files, filesystem = data_files(path)
        tables = [read_file(filesystem, name, path if len(files) == 1 else name, csv) for name in files]
    return concatenate(tables, path)


@contextmanager
def reaching(path: str) -> Iterator[None]:
    """Say in one line what keeps a path from being reached: each remote file system has errors of its own.

    Raises:
        DataError: the path cannot be reached.
    """
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}", hint="check the path") from error
    except ExciseError:
        raise
    except Exception as error:
        if "://" not in path:
            raise
        raise DataError(
            f"cannot reach {path}: {first_line(error)}", hint="check the address and the credentials"
        ) from error


def data_files(path: str) -> tuple[list[str], Any]:
    """The files behind a path in order of their names, and the file system that they are on.

    Raises:
        DataError: nothing there, or a directory without data.
    """
    try:
        filesystem, inner = fsspec.core.url_to_fs(path)
    except (ValueError, ImportError) as error:
        raise DataError(
            f"cannot open {path}: {error}", hint="is the scheme right, and its driver installed?"
        ) from error
    if filesystem.isfile(inner):
        return [inner], filesystem
    if filesystem.isdir(inner):
        found = [name for name in filesystem.find(inner) if is_data(name, inner)]
    elif any(mark in inner for mark in "*?["):
        found = [name for name in filesystem.glob(inner) if suffix_of(name) in READERS]
    else:
        raise missing(filesystem, inner, path)
    if not found:
        raise DataError(f"{path} holds no data files", hint=KNOWN)
    return sorted(found), filesystem


def missing(filesystem: Any, inner: str, path: str) -> DataError:
    """The error for a path that is not there, naming the closest neighbor."""
    parent, name = posixpath.split(inner.rstrip("/"))
    if not filesystem.isdir(parent or "."):
        return DataError(f"{path} does not exist", hint=f"neither does the directory {parent}")
    names = sorted(posixpath.basename(entry.rstrip("/")) for entry in filesystem.ls(parent or ".", detail=False))
    near = closest(name, names)
    return DataError(f"{path} does not exist", hint=near if near.startswith("did") else "check the path")


def is_data(name: str, root: str) -> bool:
    """Whether a file below a directory is data; hidden files and ``_metadata`` are not."""
    parts = PurePath(posixpath.relpath(name, root)).parts
    return suffix_of(name) in READERS and not any(part.startswith((".", "_")) for part in parts)


def suffix_of(name: str) -> str:
    """The suffix that names the format, past a compression's.

    >>> suffix_of("flights.csv.gz"), suffix_of("a.PQ")
    ('.csv', '.parquet')
    """
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    last = suffixes[-1] if suffixes else ""
    return SUFFIXES.get(last, last)


def read_file(filesystem: Any, name: str, shown: str, csv: CsvMode) -> Table:
    """One file by its suffix.

    Raises:
        DataError: a format that is not known, or the file cannot be read.
    """
    reader = READERS.get(suffix_of(name))
    if reader is None:
        raise DataError(f"{shown}: the format {suffix_of(name) or 'without a suffix'} is not known", hint=KNOWN)
    data = read_bytes(filesystem, name, shown)
    if len(data) == 0:
        raise DataError(f"{shown} is empty", hint="was it written to the end?")
    return reader(data, shown, csv)


def read_bytes(filesystem: Any, name: str, shown: str) -> pa.Buffer:
    """A file's bytes, unpacked; mapped rather than copied where it is a plain local file."""
    compression = fsspec.utils.infer_compression(name)
    if compression is None and "file" in filesystem.protocol and filesystem.size(name):
        return pa.memory_map(name).read_buffer()
    opened = fsspec.core.OpenFile(filesystem, name, "rb", compression=compression)
    with unpacking(compression, shown), opened as file:
        return pa.py_buffer(file.read())


@contextmanager
def unpacking(compression: str | None, shown: str) -> Iterator[None]:
    """Say of a compressed file that it cannot be unpacked: zlib, lzma and zipfile each have an error of their own.

    Raises:
        DataError: it cannot.
    """
    try:
        yield
    except (PermissionError, FileNotFoundError, ExciseError):
        raise
    except Exception as error:
        if compression is None:
            raise
        raise DataError(f"{shown} cannot be unpacked: {error}", hint="is the file complete?") from error


def concatenate(tables: list[Table], source: str) -> Table:
    """Several tables with the same columns, one below the other.

    Raises:
        DataError: a file has other columns than the first.
    """
    first = tables[0]
    if len(tables) == 1:
        return first.with_source(source)
    for table in tables[1:]:
        same_columns(table.source, table.names, first.source, first.names)
    return Table(tuple(stack([table.column(name) for table in tables]) for name in first.names), source)


def same_columns(source: str, names: Iterable[str], first: str, expected: Iterable[str]) -> None:
    """Refuse a file whose columns, in whatever order, are not those of the first.

    Raises:
        DataError: naming both files, and the columns that only one of them has.
    """
    if odd := set(names) ^ set(expected):
        told = ", ".join(sorted(odd))
        raise DataError(f"{source} and {first} differ in columns: {told}", hint="read them one by one")


def stack(columns: list[Column]) -> Column:
    """Pieces of one column; where their kinds differ, cell by cell."""
    first = columns[0]
    empty = [len(column.values) == 0 or not column.present().any() for column in columns]
    kinds = {column.kind for column, is_empty in zip(columns, empty, strict=True) if not is_empty}
    if {column.kind for column in columns} == {first.kind}:
        nulls = np.concatenate([~column.present() for column in columns])
        values = np.concatenate([column.values for column in columns])
        return Column(first.name, first.kind, values, nulls if nulls.any() else None, first.dtype)
    cells = [cell for column in columns for cell in column.plain()]
    kind, values, mask = type_cells(cells)
    if kinds == {"mixed"} or "mixed" in kinds:
        kind, values = "mixed", object_array(cells)
    return Column(first.name, kind, values, mask, first.dtype)
