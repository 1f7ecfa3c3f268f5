"""A mergeable summary of a table: what the values are, column by column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from excise.core.errors import NotComparable
from excise.features.embeddings import Vectors, has_floats, is_vector
from excise.features.numbers import Numbers
from excise.features.sealed import seal, unseal
from excise.features.texts import Texts
from excise.tables import Coded, Column, Table

KIND = b"excise/feature-profile/"
MAGIC = KIND + b"v2\n"
WORKERS = 2
WORTH_THREADS = 10_000_000
"""Cells from which columns are summarized side by side: the compiled pass leaves the interpreter to others."""
NAMES: dict[type, str] = {bool: "bool", int: "int", float: "float", str: "text"}
Form = Literal["int", "float", "bool", "text", "datetime", "embedding", "nested", "mixed", "null"]


class ColumnProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A summary of one column.

    Attributes:
        name: of the column.
        rows: cells, nulls included.
        types: cells by what they are: ``null``, ``int``, ``float``, ``bool``, ``text``, ``datetime``, ``embedding``,
            ``nested``.
        dtypes: cells by what the source called their column.
        numbers: of int, float and bool cells (as 0 and 1) and of times (as seconds since 1970).
        texts: of text cells.
        vectors: of rows of floats, None where neither these rows nor the reference's hold any.
    """

    name: str
    rows: int
    types: dict[str, int]
    dtypes: dict[str, int]
    numbers: Numbers
    texts: Texts
    vectors: Vectors | None = None

    @classmethod
    def build(cls, column: Column, reference: Self | None = None) -> Self:
        """Summarize a column, with the edges and known texts of ``reference``."""
        types, numbers, texts = split(column)
        rows, vectors = len(column.held), vectors_of(column)
        if vectors:
            types["embedding"] = len(vectors)
            types["nested"] -= len(vectors)
            types = {name: count for name, count in types.items() if count}
        known = None if reference is None else reference.vectors
        missing = rows - sum(types.values())
        if missing:
            types["null"] = missing
        return cls(
            name=column.name,
            rows=rows,
            types=dict(sorted(types.items())),
            dtypes={column.dtype: rows},
            numbers=Numbers.of(numbers, None if reference is None else reference.numbers),
            texts=Texts.of(texts, None if reference is None else reference.texts),
            vectors=Vectors.of(vectors, known) if vectors or known else None,
        )

    def count(self, *types: str) -> int:
        """Cells of these types."""
        return sum(self.types.get(name, 0) for name in types)

    @property
    def missing(self) -> int:
        """Nulls and NaN."""
        return self.count("null") + self.numbers.nan

    @property
    def dtype(self) -> str:
        """What most of the source calls it."""
        return max(sorted(self.dtypes), key=lambda name: self.dtypes[name])

    @property
    def form(self) -> Form:
        """What the column is, nulls and words for null apart; int and float together are float."""
        found = {name for name in self.types if name != "null"}
        if len(found) > 1 and self.count("text") == self.texts.count("null_word"):
            found.discard("text")
        if found == {"int", "float"}:
            return "float"
        if not found:
            return "null"
        single: Any = found.pop() if len(found) == 1 else "mixed"
        form: Form = single
        return form

    def __add__(self, other: Self) -> Self:
        return type(self)(
            name=self.name,
            rows=self.rows + other.rows,
            types=summed(self.types, other.types),
            dtypes=summed(self.dtypes, other.dtypes),
            numbers=self.numbers + other.numbers,
            texts=self.texts + other.texts,
            vectors=self.vectors + other.vectors if self.vectors and other.vectors else self.vectors or other.vectors,
        )


class FeatureProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A summary of a table that merges by addition, in any order, to the same bits.

    Profiles merge when they were built with the same edges: take them from one profile of the reference.

    Attributes:
        rows: of the table.
        source: where the rows came from; not part of what is compared.
        columns: by name, in the table's order.
    """

    rows: int
    source: str
    columns: dict[str, ColumnProfile]

    @classmethod
    def build(cls, table: Table, *, edges_from: Self | None = None, workers: int = WORKERS) -> Self:
        """Summarize a table.

        Args:
            table: any table.
            edges_from: profile of the reference whose bin edges and known texts are taken over; without it
                the table's own quantiles become the edges.
            workers: columns that are summarized side by side, where there are many cells.
        """
        known = {} if edges_from is None else edges_from.columns

        def build(column: Column) -> ColumnProfile:
            return ColumnProfile.build(column, known.get(column.name))

        if workers == 1 or table.rows * len(table.columns) < WORTH_THREADS:
            built = [build(column) for column in table.columns]
        else:
            with ThreadPoolExecutor(workers) as pool:
                built = list(pool.map(build, table.columns))
        return cls(rows=table.rows, source=table.source, columns={column.name: column for column in built})

    def merge(self, other: Self) -> Self:
        """Both together.

        Raises:
            NotComparable: other columns, or other edges.
        """
        if self.columns.keys() != other.columns.keys():
            odd = ", ".join(sorted(self.columns.keys() ^ other.columns.keys()))
            raise NotComparable(f"two profiles that differ in columns: {odd}", hint="profile the same columns")
        columns = {name: column + other.columns[name] for name, column in self.columns.items()}
        return type(self)(rows=self.rows + other.rows, source=self.source, columns=columns)

    def encode(self) -> bytes:
        """Bytes that ``decode`` reads."""
        return seal(self, MAGIC)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The profile that ``encode`` wrote.

        Raises:
            DataError: another version, or a byte that was changed.
        """
        found: Self = unseal(data, MAGIC, cls, "feature profile")
        return found


def summed(mine: dict[str, int], theirs: dict[str, int]) -> dict[str, int]:
    """Counts added up, sorted by name."""
    return dict(sorted((Counter(mine) + Counter(theirs)).items()))


def split(column: Column) -> tuple[dict[str, int], NDArray[np.float64], Mapping[str, int]]:
    """Present cells as counts of types, numbers as float64, and texts by their counts."""
    empty, kind = np.zeros(0), column.kind
    if isinstance(column.held, Coded):
        texts = column.held.counts()
        count = sum(texts.values())
        return {"text": count} if count else {}, empty, texts
    values = column.held if column.nulls is None else column.held[~column.nulls]
    if kind == "text":
        return counted("text", values), empty, Counter(values.tolist())
    if kind == "datetime":
        return counted("datetime", values), values.astype("datetime64[us]").astype(np.int64) / 1e6, {}
    if kind != "mixed":
        return counted(kind, values), empty if kind == "nested" else values.astype(np.float64, copy=False), {}
    cells = values.tolist()
    types = Counter(NAMES.get(type(cell), "nested") for cell in cells)
    numbers = [as_float(cell) for cell in cells if isinstance(cell, int | float)]
    return dict(types), np.array(numbers, np.float64), Counter(cell for cell in cells if type(cell) is str)


def vectors_of(column: Column) -> list[Any]:
    """Cells that are rows of numbers, of a column in which any of them holds a float."""
    if column.kind != "nested" or isinstance(column.held, Coded):
        return []
    found = [cell for cell in column.held if is_vector(cell)]
    return found if any(has_floats(cell) for cell in found) else []


def counted(name: str, values: NDArray[Any]) -> dict[str, int]:
    """The count of a single type; nothing where there are no values."""
    return {name: len(values)} if len(values) else {}


def as_float(cell: float) -> float:
    """A Python number as float64; an integer beyond its range as infinity."""
    try:
        return float(cell)
    except OverflowError:
        return float("inf") if cell > 0 else float("-inf")
