"""CSV, typed cell by cell.

An exact number literal without blanks is a number, an empty cell is null, all else is text as it stands.
Quotes carry no meaning, as everywhere in CSV: ``"7"`` is a number, ``" 7 "`` is not.
"""

from __future__ import annotations

import re
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
    options = ParseChoice(data, source)
    if mode == "infer":
        return from_arrow(options.parse(None), source)
    texts = options.parse(pa.string())
    if mode == "text":
        return Table(tuple(text_column(name, texts.column(name)) for name in texts.schema.names), source)
    return Table(tuple(exact_column(name, texts.column(name)) for name in texts.schema.names), source)


class ParseChoice:
    """How one file is cut into cells: its delimiter and its column names.

    Args:
        data: the file.
        source: as the user named it.
    """

    def __init__(self, data: pa.Buffer, source: str) -> None:
        self.data = data
        self.source = source
        self.threads = True
        self.delimiter = delimiter_of(bytes(data[:SNIFFED_BYTES]))
        self.names = unique_names(self.header(), source)

    def header(self) -> list[str]:
        """The column names, from the first line."""
        return list(self.call(lambda block: pacsv.open_csv(self.stream(), **self.options(block, None)).schema.names))

    def parse(self, cell_type: pa.DataType | None) -> pa.Table:
        """All cells as ``cell_type``, or as pyarrow guesses."""
        table: pa.Table = self.call(lambda block: pacsv.read_csv(self.stream(), **self.options(block, cell_type)))
        return table

    def stream(self) -> pa.BufferReader:
        """The bytes from the start."""
        return pa.BufferReader(self.data)

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

    def call(self, parse: Any) -> Any:
        """Parse with growing blocks, since a line must fit into one.

        Raises:
            DataError: it cannot be parsed.
        """
        block = BLOCK_BYTES
        while True:
            try:
                return parse(block)
            except pa.ArrowInvalid as error:
                if TOO_LONG in str(error) and block < min(LINE_BYTES_LIMIT, len(self.data)):
                    block = min(block * 8, LINE_BYTES_LIMIT)
                    continue
                if RAGGED in str(error) and self.threads:
                    self.threads = False  # only a single thread counts rows and can name the odd one
                    continue
                raise self.fault(str(error)) from error
            except UnicodeDecodeError as error:
                raise DataError(f"{self.source}: the header is not UTF-8", hint=AS_UTF8) from error

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
