"""Column names of a file by its head or its schema; nothing is read to its end."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from excise.tables.delimited import delimiter_of
from excise.tables.source import READERS, suffix_of

HEAD_BYTES = 65536
"""How much of a text file is read in order to see its columns."""


def column_names(path: Path) -> tuple[str, ...]:
    """The columns that ``read`` would find; empty where the head of the file does not tell, or cannot be read."""
    look = LOOKS.get(path.suffix.lower())
    try:
        return () if look is None else tuple(look(path))
    except (OSError, ValueError, csv.Error, pa.ArrowException, zipfile.BadZipFile):
        return ()


def is_readable(name: str) -> bool:
    """Whether a name ends as a table's that ``read`` takes.

    >>> is_readable("flights.csv.gz"), is_readable("notes.md")
    (True, False)
    """
    return suffix_of(name) in READERS


def _delimited(path: Path) -> Iterable[str]:
    line = _first_line(path)
    return next(csv.reader([line], delimiter=delimiter_of(line.encode())), [])


def _lines(path: Path) -> Iterable[str]:
    row = json.loads(_first_line(path))
    return row if isinstance(row, dict) else ()


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8-sig") as file:
        return file.readline(HEAD_BYTES)


def _parquet(path: Path) -> Iterable[str]:
    names: list[str] = pq.read_schema(path).names
    return names


def _arrow(path: Path) -> Iterable[str]:
    with pa.memory_map(str(path)) as file:
        opened = pa.ipc.open_file if file.read(6) == b"ARROW1" else pa.ipc.open_stream
        file.seek(0)
        names: list[str] = opened(file).schema.names
        return names


def _archive(path: Path) -> Iterable[str]:
    with zipfile.ZipFile(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


LOOKS: dict[str, Callable[[Path], Iterable[str]]] = {
    ".csv": _delimited,
    ".tsv": _delimited,
    ".jsonl": _lines,
    ".ndjson": _lines,
    ".parquet": _parquet,
    ".pq": _parquet,
    ".arrow": _arrow,
    ".feather": _arrow,
    ".ipc": _arrow,
    ".npz": _archive,
    ".har": lambda _: ("method", "path"),
}
