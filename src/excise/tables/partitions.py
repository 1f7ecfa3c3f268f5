"""A sample's files, cut into parts that are read one by one: wherever that is done, the parts are the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from excise.tables.blocks import BATCH, STREAMS, open_parquet, row_group
from excise.tables.delimited import CsvMode
from excise.tables.source import COMPRESSED, data_files, from_path, reaching, same_columns, suffix_of
from excise.tables.table import Table

LARGE_ROWS = 2_000_000
LARGE_BYTES = 1 << 28
"""Rows of Parquet, and bytes of any format, from which a sample is large: it is never in memory as a whole."""
UNPACKED = 4
"""How many times its size a compressed file is taken to be."""


@dataclass(frozen=True)
class Partition:
    """A part that is read by itself, on this machine or another.

    Attributes:
        path: of its file: absolute, or with its protocol.
        source: what it is called in messages.
        csv: how CSV cells get their types.
        streamed: whether it is read block by block.
        group: its row group in a Parquet file that is streamed.
    """

    path: str
    source: str
    csv: CsvMode = "exact"
    streamed: bool = False
    group: int | None = None

    def tables(self, batch: int = BATCH) -> Iterator[Table]:
        """Its rows: at once, or block by block; at least one table, which may be empty.

        Args:
            batch: rows of a block at most, where the format lets one choose.
        Raises:
            DataError: it cannot be read.
        """
        if not self.streamed:
            yield from_path(self.path, self.csv).with_source(self.source)
        elif self.group is not None:
            yield from row_group(self.path, self.source, self.group, batch)
        else:
            yield from STREAMS[suffix_of(self.path)](self.path, self.source, self.csv)


class Cut(NamedTuple):
    """A sample in parts.

    Attributes:
        parts: in the order in which they are added up.
        large: whether the whole would be too much to hold.
    """

    parts: tuple[Partition, ...]
    large: bool


class Layout(NamedTuple):
    """What a file says of itself before it is read.

    Attributes:
        size: bytes, unpacked.
        rows: of each row group; empty for other formats than Parquet.
        columns: names; None where only reading tells.
    """

    size: int
    rows: tuple[int, ...] = ()
    columns: tuple[str, ...] | None = None


def parts_in(path: str, csv: CsvMode) -> Cut:
    """The parts behind a path, a folder, a glob or a URL, in the order of their names.

    A large sample is cut into the row groups of its Parquet files, and other files are read block by block; the files
    of a small one are read at once.

    Raises:
        DataError: nothing there, a file that cannot be read, or files that differ in columns.
    """
    with reaching(path):
        files, filesystem = data_files(path)
        names = [full_name(filesystem, name, path) for name in files]
        called = [path] if len(names) == 1 else names
        layouts = [layout(filesystem, *one) for one in zip(files, names, called, strict=True)]
    known = [(name, one.columns) for name, one in zip(called, layouts, strict=True) if one.columns is not None]
    for name, columns in known[1:]:
        same_columns(name, columns, *known[0])
    large = sum(sum(one.rows) for one in layouts) >= LARGE_ROWS or sum(one.size for one in layouts) >= LARGE_BYTES
    parts = [
        part
        for name, source, one in zip(names, called, layouts, strict=True)
        for part in parts_of(Partition(name, source, csv), one, large=large)
    ]
    return Cut(tuple(parts), large)


def full_name(filesystem: Any, name: str, path: str) -> str:
    """A file's name with all that it takes to open it elsewhere; local ones are plain paths."""
    if "file" in filesystem.protocol:
        return name
    outer = path.partition("::")[2]
    full: str = filesystem.unstrip_protocol(name)
    return f"{full}::{outer}" if outer else full


def layout(filesystem: Any, name: str, full: str, source: str) -> Layout:
    """What a file says of itself.

    Raises:
        DataError: a Parquet file that cannot be read.
    """
    packed = any(name.endswith(end) for end in COMPRESSED)
    if suffix_of(name) == ".parquet" and not packed:
        with open_parquet(full, source) as (_, file):
            groups = [file.metadata.row_group(index) for index in range(file.num_row_groups)]
            rows = tuple(group.num_rows for group in groups)
            return Layout(sum(group.total_byte_size for group in groups), rows, tuple(file.schema_arrow.names))
    return Layout((filesystem.size(name) or 0) * (UNPACKED if packed else 1))


def parts_of(whole: Partition, found: Layout, *, large: bool) -> list[Partition]:
    """The parts of one file; a row group without rows is none."""
    path, source, csv = whole.path, whole.source, whole.csv
    if large and found.columns is not None:
        return [Partition(path, source, csv, True, group) for group, rows in enumerate(found.rows) if rows]
    return [Partition(path, source, csv, streamed=large and suffix_of(path) in STREAMS)]
