"""Parquet and Arrow files, in and out."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from excise.core.errors import DataError, StoreError, first_line
from excise.tables.arrow import from_arrow, to_arrow
from excise.tables.table import Table

IPC_MAGIC = b"ARROW1"
"""With which Arrow's file format begins; its streams do not."""


def read_parquet(data: pa.Buffer, source: str) -> Table:
    """A Parquet file's bytes as a table.

    Raises:
        DataError: truncated, not Parquet, or a column name twice.
    """
    try:
        return from_arrow(pq.ParquetFile(pa.BufferReader(data)).read(), source)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(source, "Parquet", error) from error


def read_arrow(data: pa.Buffer, source: str) -> Table:
    """An Arrow IPC file or stream, or Feather, as a table.

    Raises:
        DataError: truncated, not Arrow, or a column name twice.
    """
    reader = pa.ipc.open_file if bytes(data[: len(IPC_MAGIC)]) == IPC_MAGIC else pa.ipc.open_stream
    try:
        return from_arrow(reader(pa.BufferReader(data)).read_all(), source)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(source, "Arrow", error) from error


def unreadable(source: str, form: str, error: Exception) -> DataError:
    """One line for what pyarrow said."""
    return DataError(f"{source} is not a readable {form} file: {first_line(error)}", hint="is the file complete?")


def write_parquet(table: Table, path: str | os.PathLike[str]) -> None:
    """Write a table so that ``read`` gives it back exactly; the file is there whole, or not at all.

    Raises:
        StoreError: the directory is missing or not writable, or the disk is full.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        pq.write_table(to_arrow(table), temporary)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(f"cannot write {target}: {error.strerror or error}", hint="check the directory") from error
