"""Files in parts that fit into memory: row groups of Parquet in batches, other files whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from excise.core.errors import DataError
from excise.tables.arrow import from_arrow, is_text, type_name
from excise.tables.delimited import CsvMode
from excise.tables.parquet import unreadable
from excise.tables.source import COMPRESSED, data_files, from_path, suffix_of
from excise.tables.table import Table

BATCH = 1 << 18
"""Rows that are in memory at once."""
BUFFER = 1 << 20
"""Bytes of a column that are read at once."""


@dataclass(frozen=True)
class Partition:
    """A part that is read by itself.

    Attributes:
        path: of its file, with its protocol. group: the row group, None for a whole file.
        rows: None where only reading tells. columns: names, None likewise.
        csv: how CSV cells get their types.
    """

    path: str
    group: int | None = None
    rows: int | None = None
    columns: tuple[str, ...] | None = None
    csv: CsvMode = "exact"

    def tables(self, batch: int = BATCH) -> Iterator[Table]:
        """Its rows, so many at a time.

        Raises:
            DataError: it cannot be read.
        """
        if self.group is None:
            yield from_path(self.path, self.csv)
            return
        with parquet_file(self.path) as (file, schema):
            for part in file.iter_batches(batch_size=batch, row_groups=[self.group], use_threads=False):
                yield as_stored(from_arrow(pa.Table.from_batches([part]), self.path), schema)


def as_stored(table: Table, schema: pa.Schema) -> Table:
    """The table with the names of the types that the file gives its columns, though its texts were read by code."""
    columns = (replace(column, dtype=type_name(schema.field(column.name).type)) for column in table.columns)
    return replace(table, columns=tuple(columns))


def parts_in(path: str, csv: CsvMode) -> tuple[Partition, ...]:
    """The parts behind a path, a folder, a glob or a URL, in the order of their names.

    Raises:
        DataError: nothing there, a file that cannot be read, or files that differ in columns.
    """
    files, filesystem = data_files(path)
    found: list[Partition] = []
    for name in files:
        full = filesystem.unstrip_protocol(name) if "file" not in filesystem.protocol else name
        found += parts_of(full, csv)
    named = [one for one in found if one.columns is not None]
    for one in named[1:]:
        if set(one.columns or ()) != set(named[0].columns or ()):
            odd = ", ".join(sorted(set(one.columns or ()) ^ set(named[0].columns or ())))
            raise DataError(f"{one.path} and {named[0].path} differ in columns: {odd}", hint="read them one by one")
    return tuple(found)


def parts_of(name: str, csv: CsvMode) -> list[Partition]:
    """The parts of one file."""
    if suffix_of(name) != ".parquet" or any(name.endswith(end) for end in COMPRESSED):
        return [Partition(name, csv=csv)]
    with parquet_file(name) as (file, schema):
        columns = tuple(schema.names)
        rows = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    return [Partition(name, group, count, columns, csv) for group, count in enumerate(rows)]


@contextmanager
def parquet_file(path: str) -> Iterator[tuple[Any, pa.Schema]]:
    """An open Parquet file, whose texts are read by code, and its schema as it was written.

    Raises:
        DataError: it is truncated, or no Parquet.
    """
    try:
        with fsspec.open(path, "rb") if "://" in path else pa.OSFile(path, "rb") as source:
            schema = pq.read_schema(source)
            texts = [field.name for field in schema if is_text(field.type)]
            yield pq.ParquetFile(source, read_dictionary=texts, buffer_size=BUFFER, pre_buffer=False), schema
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, "Parquet", error) from error
