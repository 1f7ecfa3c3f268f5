"""Files block by block, in constant memory: row groups of Parquet, CSV, JSON lines, Arrow record batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import fsspec
import fsspec.utils
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from excise.tables.arrow import from_arrow, is_text, type_name
from excise.tables.delimited import SNIFFED_BYTES, CsvMode, stream_delimited
from excise.tables.json_lines import is_array, read_json, stream_json
from excise.tables.parquet import IPC_MAGIC, unreadable
from excise.tables.source import reaching, unpacking
from excise.tables.table import Table

BATCH = 1 << 18
"""Rows of Parquet that are in memory at once."""
BUFFER, REMOTE_BUFFER = 1 << 20, 1 << 23
"""Bytes of a column that are read at once, here and elsewhere, where a request costs more than what it brings."""


def row_group(path: str, source: str, group: int, batch: int) -> Iterator[Table]:
    """The rows of one row group, so many at a time.

    Raises:
        DataError: it cannot be read.
    """
    with open_parquet(path, source) as (stream, file):
        schema = file.schema_arrow
        texts = [field.name for field in schema if is_text(field.type)]
        buffer = REMOTE_BUFFER if "://" in path else BUFFER
        coded = pq.ParquetFile(
            stream, metadata=file.metadata, read_dictionary=texts, buffer_size=buffer, pre_buffer=False
        )
        for part in coded.iter_batches(batch_size=batch, row_groups=[group], use_threads=False):
            yield as_stored(from_arrow(pa.Table.from_batches([part]), source), schema)


@contextmanager
def open_parquet(path: str, source: str) -> Iterator[tuple[Any, Any]]:
    """The stream and the open file; its footer is parsed once.

    Raises:
        DataError: it is truncated, or no Parquet.
    """
    with reaching(source), open_plain(path) as stream:
        try:
            yield stream, pq.ParquetFile(stream)
        except (pa.ArrowException, OSError) as error:
            raise unreadable(source, "Parquet", error) from error


def open_plain(path: str) -> Any:
    """A file's bytes as they lie there; nothing is kept of what was read."""
    if "://" not in path:
        return pa.OSFile(path, "rb")
    filesystem, name = fsspec.core.url_to_fs(path)
    return filesystem.open(name, "rb", cache_type="none")


def as_stored(table: Table, schema: pa.Schema) -> Table:
    """The table with the names of the types that the file gives its columns, though its texts were read by code."""
    columns = (replace(column, dtype=type_name(schema.field(column.name).type)) for column in table.columns)
    return replace(table, columns=tuple(columns))


@contextmanager
def unpacked(path: str, source: str) -> Iterator[Callable[[], Any]]:
    """What opens a file from its start, unpacked.

    Raises:
        DataError: it cannot be reached or unpacked.
    """
    compression = fsspec.utils.infer_compression(path)
    with reaching(source), unpacking(compression, source):
        yield lambda: fsspec.open(path, "rb", compression=compression)


def delimited_blocks(path: str, source: str, csv: CsvMode) -> Iterator[Table]:
    """A CSV file's rows.

    Raises:
        DataError: it cannot be read.
    """
    with unpacked(path, source) as opened:
        yield from stream_delimited(opened, source, csv)


def json_blocks(path: str, source: str, _: CsvMode) -> Iterator[Table]:
    """The rows of JSON lines; an array of objects has no lines to be cut at, and is read at once.

    Raises:
        DataError: it cannot be read.
    """
    with unpacked(path, source) as opened, opened() as stream:
        head = stream.read(SNIFFED_BYTES)
        stream.seek(0)
        if is_array(head):
            yield read_json(stream.read(), source)
        else:
            yield from stream_json(stream, source)


def arrow_blocks(path: str, source: str, _: CsvMode) -> Iterator[Table]:
    """The record batches of an Arrow file or stream, or of Feather.

    Raises:
        DataError: it cannot be read.
    """
    with unpacked(path, source) as opened, opened() as stream:
        try:
            reader, batches = record_batches(stream)
            yield from_arrow(reader.schema.empty_table(), source)
            for batch in batches:
                yield from_arrow(pa.Table.from_batches([batch]), source)
        except (pa.ArrowException, OSError) as error:
            raise unreadable(source, "Arrow", error) from error


def record_batches(stream: Any) -> tuple[Any, Iterator[pa.RecordBatch]]:
    """The reader of a file or a stream, and its batches one by one."""
    magic = stream.read(len(IPC_MAGIC))
    stream.seek(0)
    if magic == IPC_MAGIC:
        file = pa.ipc.open_file(stream)
        return file, (file.get_batch(index) for index in range(file.num_record_batches))
    reader = pa.ipc.open_stream(stream)
    return reader, iter(reader)


STREAMS: dict[str, Callable[[str, str, CsvMode], Iterator[Table]]] = {
    ".csv": delimited_blocks,
    ".tsv": delimited_blocks,
    ".jsonl": json_blocks,
    ".ndjson": json_blocks,
    ".json": json_blocks,
    ".arrow": arrow_blocks,
    ".feather": arrow_blocks,
    ".ipc": arrow_blocks,
}
"""Formats that are read block by block, beside Parquet."""
