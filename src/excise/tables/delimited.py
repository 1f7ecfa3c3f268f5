"""CSV, typed cell by cell.

An exact number literal without blanks is a number, an empty cell is null, all else is text as it stands.
Quotes carry no meaning, as everywhere in CSV: ``"7"`` is a number, ``" 7 "`` is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from excise.core.errors import DataError
from excise.tables.arrow import from_arrow, null_mask, text_values, unique_names
from excise.tables.cells import object_array
from excise.tables.table import Column, Table

CsvMode = Literal["exact", "text", "infer"]

INTEGER = r"-?(?:0|[1-9][0-9]*)"
# Leading zeros and plus signs are not exact: "007" would not come back as it was. `inf` is how Python and pandas
# write infinity, so it has to come back as a number; `nan` may be a name and stays text.
NUMBER = rf"^(?:{INTEGER}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|-?inf)$"
BLOCK_BYTES = 1 << 23
LINE_BYTES_LIMIT = 1 << 28  # a longer line is taken for an unclosed quote or another format
SNIFFED_BYTES = 1 << 16
DELIMITERS = ",;\t|"
TOO_LONG = "straddling object"
RAGGED = "Expected"
AS_UTF8 = "convert it, for example: iconv -f latin1 -t utf-8 FILE"


def read_delimited(data: pa.Buffer, source: str, mode: CsvMode) -> Table:
    """A CSV file's bytes as a table.

    Raises:
        DataError: empty, ragged, not UTF-8, a column name twice, a line longer than 256 MiB.
    """
    options = ParseChoice(lambda: pa.BufferReader(data), len(data), source)
    return typed(options.parse(None if mode == "infer" else pa.string()), source, mode)


def stream_delimited(opened: Callable[[], Any], source: str, mode: CsvMode) -> Iterator[Table]:
    """A CSV file's rows, block by block; at least one table, which may be empty.

    A block's cells are typed by themselves: a column of whole numbers in one block may be one of floats in the next.

    Args:
        opened: opens the file from its start.
        source: as the user named it.
        mode: how cells get their types; ``infer`` guesses from the first block.
    Raises:
        DataError: as ``read_delimited``, as soon as it is met.
    """
    options = ParseChoice(opened, LINE_BYTES_LIMIT, source)
    for block in options.blocks(None if mode == "infer" else pa.string()):
        yield typed(block, source, mode)


def typed(cells: pa.Table, source: str, mode: CsvMode) -> Table:
    """Cells as columns."""
    if mode == "infer":
        return from_arrow(cells, source)
    column = text_column if mode == "text" else exact_column
    return Table(tuple(column(name, cells.column(name)) for name in cells.schema.names), source)


class ParseChoice:
    """How one file is cut into cells: its delimiter and its column names.

    Args:
        opened: opens the file from its start.
        size: bytes, from which no longer line is to be expected.
        source: as the user named it.
    """

    def __init__(self, opened: Callable[[], Any], size: int, source: str) -> None:
        self.opened = opened
        self.size = size
        self.source = source
        self.threads = True
        with opened() as stream:
            self.delimiter = delimiter_of(bytes(stream.read(SNIFFED_BYTES)))
        self.names = unique_names(list(self.call(self.header)), source)

    def header(self, block: int) -> list[str]:
        """The column names, from the first line."""
        with self.opened() as stream:
            names: list[str] = pacsv.open_csv(stream, **self.options(block, None)).schema.names
            return names

    def parse(self, cell_type: pa.DataType | None) -> pa.Table:
        """All cells as ``cell_type``, or as pyarrow guesses."""

        def whole(block: int) -> pa.Table:
            with self.opened() as stream:
                return pacsv.read_csv(stream, **self.options(block, cell_type))

        return self.call(whole)

    def blocks(self, cell_type: pa.DataType | None) -> Iterator[pa.Table]:
        """The same block by block; where only longer blocks help, reading goes on behind what was handed out."""
        block, done = BLOCK_BYTES, 0
        while True:
            try:
                for table in self.behind(done, block, cell_type):
                    done += table.num_rows
                    yield table
            except (pa.ArrowInvalid, UnicodeDecodeError) as error:
                block = self.next_block(block, error)
            else:
                return

    def behind(self, done: int, block: int, cell_type: pa.DataType | None) -> Iterator[pa.Table]:
        """Blocks behind the first ``done`` rows; an empty one where there are none at all."""
        with self.opened() as stream:
            reader = pacsv.open_csv(stream, **self.options(block, cell_type))
            rows = 0
            for batch in reader:
                rows += batch.num_rows
                if rows > done:
                    yield pa.Table.from_batches([batch.slice(max(0, batch.num_rows - rows + done))])
            if not rows:
                yield reader.schema.empty_table()

    def options(self, block: int, cell_type: pa.DataType | None) -> dict[str, Any]:
        """Options for pyarrow; a line that is blank is a null where there is one column."""
        names = getattr(self, "names", [])
        return {
            "read_options": pacsv.ReadOptions(block_size=block, use_threads=self.threads),
            "parse_options": pacsv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, ignore_empty_lines=len(names) != 1
            ),
            "convert_options": pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, cell_type) if cell_type else None,
                null_values=[""] if cell_type else None,
                strings_can_be_null=True,
            ),
        }

    def call(self, parse: Callable[[int], Any]) -> Any:
        """Parse with growing blocks, since a line must fit into one.

        Raises:
            DataError: it cannot be parsed.
        """
        block = BLOCK_BYTES
        while True:
            try:
                return parse(block)
            except (pa.ArrowInvalid, UnicodeDecodeError) as error:
                block = self.next_block(block, error)

    def next_block(self, block: int, error: Exception) -> int:
        """The size of blocks to try next, after ``error``.

        Raises:
            DataError: nothing helps.
        """
        if isinstance(error, UnicodeDecodeError):
            raise DataError(f"{self.source}: the header is not UTF-8", hint=AS_UTF8) from error
        if TOO_LONG in str(error) and block < min(LINE_BYTES_LIMIT, self.size):
            return min(block * 8, LINE_BYTES_LIMIT)
        if RAGGED in str(error) and self.threads:
            self.threads = False  # only a single thread counts rows and can name the odd one
            return block
        raise self.fault(str(error)) from error

    def fault(self, message: str) -> DataError:
        """What pyarrow said, as one line in our words."""
        if TOO_LONG in message:
            megabytes = LINE_BYTES_LIMIT >> 20
            return DataError(
                f"{self.source} has a line longer than {megabytes} MiB", hint="look for a quote that is never closed"
            )
        if "invalid UTF8" in message:
            return DataError(f"{self.source} is not UTF-8{self.where(message)}", hint=AS_UTF8)
        if match := re.search(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)", message):
            row = f" in line {match[1]}" if match[1] else ""
            return DataError(
                f"{self.source}: {match[2]} columns expected, {match[3]} found{row}",
                hint="look for a delimiter or a line break inside an unquoted cell",
            )
        if "Empty CSV" in message:
            return DataError(f"{self.source} is empty", hint="give a CSV file with a header and rows")
        return DataError(f"{self.source}: {message.splitlines()[0][:200]}", hint="is it a CSV file?")

    def where(self, message: str) -> str:
        """The column that pyarrow's message counts, by name."""
        match = re.search(r"column #(\d+)", message)
        return f", column {self.names[int(match[1])]!r}" if match else ""


def delimiter_of(head: bytes) -> str:
    r"""Comma where the header has one, else the likeliest of semicolon, tab and bar.

    >>> delimiter_of(b"a;b;c\n1;2,5;3"), delimiter_of(b"a,b;c\n")
    (';', ',')
    """
    first = head.lstrip(b"\xef\xbb\xbf\r\n").split(b"\n", 1)[0].decode("utf-8", "replace")
    if "," in first:
        return ","
    return max(DELIMITERS, key=lambda delimiter: (first.count(delimiter), -DELIMITERS.index(delimiter)))


def text_column(name: str, cells: pa.ChunkedArray) -> Column:
    """All cells as text, empty ones as null."""
    return Column(name, "text", text_values(cells), null_mask(cells), "cell")


def exact_column(name: str, cells: pa.ChunkedArray) -> Column:
    """Cells by what each one is: all numbers, all texts, or both in one mixed column."""
    is_number = pc.match_substring_regex(cells, NUMBER)
    numbers = pc.sum(is_number).as_py() or 0
    if numbers == 0:
        return text_column(name, cells)
    if numbers == len(cells) - cells.null_count:
        return number_column(name, cells)
    return mixed_column(name, cells, np.asarray(is_number.fill_null(False).to_numpy(), np.bool_))


def number_column(name: str, cells: pa.ChunkedArray) -> Column:
    """Number literals only: int where none has a point or an exponent, else float."""
    nulls = null_mask(cells)
    if pc.any(pc.match_substring_regex(cells, r"[.eEi]")).as_py():
        return Column(name, "float", cells.cast(pa.float64()).fill_null(np.nan).to_numpy(), nulls, "cell")
    try:
        return Column(name, "int", cells.cast(pa.int64()).fill_null(0).to_numpy(), nulls, "cell")
    except pa.ArrowInvalid:  # beyond int64: Python's integers are exact
        listed = [None if text is None else int(text) for text in cells.to_pylist()]
        return Column(name, "mixed", object_array(listed), nulls, "cell")


def mixed_column(name: str, cells: pa.ChunkedArray, is_number: Any) -> Column:
    """Python integers, floats and texts side by side."""
    values = text_values(cells).copy()
    numbers = number_column(name, cells.filter(pa.array(is_number)))
    integers = np.array([set(".ei").isdisjoint(text.lower()) for text in values[is_number]], np.bool_)
    listed = numbers.values.astype(object)
    if numbers.kind == "float":
        exact = [int(text) for text in values[is_number][integers]]
        listed[integers] = object_array(exact)
    values[is_number] = listed
    return Column(name, "mixed", values, null_mask(cells), "cell")
