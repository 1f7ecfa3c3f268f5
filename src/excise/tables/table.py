"""A table: named columns of equal length, each with its kind, its values and its nulls."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from excise.core.errors import DataError
from excise.tables.cells import json_text, plain_values

Kind = Literal["int", "float", "bool", "text", "datetime", "nested", "mixed"]


@dataclass(frozen=True, eq=False)
class Coded:
    """Texts as places in a list of distinct ones: what a profile counts in one look each.

    Attributes:
        words: distinct texts and, as the last one, None for null; object, shape (words + 1,).
        codes: int32, shape (rows,).
    """

    words: NDArray[Any]
    codes: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, indices: NDArray[Any]) -> Self:
        return replace(self, codes=self.codes[indices])

    def counts(self) -> dict[str, int]:
        """Rows by text; nulls and texts without rows left out."""
        counts = np.bincount(self.codes, minlength=len(self.words))[:-1]
        seen = np.flatnonzero(counts)
        return dict(zip(self.words[seen].tolist(), counts[seen].tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class Column:
    """One column. Arrays are never written to after construction.

    Attributes:
        name: as the source calls it.
        kind: what the values are, not what the source claims.
        held: the values, or texts by code.
        nulls: bool, True where null; None where nothing is.
        dtype: the source's own name for the type (``int32``, ``category``; ``cell`` for typed CSV cells;
            ``float32[3,4]`` for an array in each row).
    """

    name: str
    kind: Kind
    held: NDArray[Any] | Coded
    nulls: NDArray[np.bool_] | None
    dtype: str

    @cached_property
    def values(self) -> NDArray[Any]:
        """int64, float64, bool, datetime64[us] (UTC where the source has a zone), or object, shape (rows,).

        A null is 0, NaN, False, NaT or None.
        """
        return self.held.words[self.held.codes] if isinstance(self.held, Coded) else self.held

    def take(self, indices: NDArray[Any]) -> Self:
        """The rows at ``indices`` (integers or a mask)."""
        nulls = None if self.nulls is None else self.nulls[indices]
        if nulls is not None and not nulls.any():
            nulls = None
        return replace(self, held=self.held[indices], nulls=nulls)

    def present(self) -> NDArray[np.bool_]:
        """True where there is a value, shape (rows,)."""
        return np.ones(len(self.held), np.bool_) if self.nulls is None else ~self.nulls

    def plain(self) -> list[Any]:
        """The values as plain Python objects, None for null; NaN stays NaN."""
        values = plain_values(self.values, self.dtype)
        if self.nulls is not None:
            for index in np.flatnonzero(self.nulls).tolist():
                values[index] = None
        return values

    def content(self) -> Iterable[bytes]:
        """The bytes that its identity rests on."""
        yield json_text([self.name, self.kind, self.dtype, len(self.values)]).encode()
        if self.values.dtype == object:
            yield json_text(self.plain()).encode()
            return
        yield np.ascontiguousarray(self.values).view(np.uint8).tobytes()
        yield b"" if self.nulls is None else np.packbits(self.nulls).tobytes()


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length, and where they came from.

    Attributes:
        columns: in the source's order, names unique.
        source: as the user named it.
    """

    columns: tuple[Column, ...]
    source: str

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.columns[0].held) if self.columns else 0

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            DataError: there is none; the hint names the closest one.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise DataError(f"{self.source} has no column {name!r}", hint=closest(name, self.names))

    def select(self, names: Iterable[str]) -> Table:
        """Only these columns, in this order."""
        return replace(self, columns=tuple(self.column(name) for name in names))

    def drop(self, names: Iterable[str]) -> Table:
        """All columns but these; each must be there."""
        gone = {self.column(name).name for name in names}
        return replace(self, columns=tuple(column for column in self.columns if column.name not in gone))

    def take(self, indices: NDArray[Any]) -> Table:
        """Only these rows (integers or a mask), in this order."""
        return replace(self, columns=tuple(column.take(indices) for column in self.columns))

    def replace(self, column: Column) -> Table:
        """The same table with the column of that name exchanged."""
        self.column(column.name)
        return replace(self, columns=tuple(column if old.name == column.name else old for old in self.columns))

    def with_source(self, source: str) -> Table:
        """The same columns under another origin."""
        return replace(self, source=source)

    def records(self) -> list[dict[str, Any]]:
        """One dict per row, with plain Python values; None for null, NaN stays NaN."""
        names = self.names
        return [dict(zip(names, row, strict=True)) for row in zip(*(c.plain() for c in self.columns), strict=True)]

    def digest(self) -> str:
        """``sha256:…`` over names, kinds, dtypes and values; the origin is no part of it."""
        digest = hashlib.sha256()
        for column in self.columns:
            for part in column.content():
                digest.update(len(part).to_bytes(8, "little"))
                digest.update(part)
        return f"sha256:{digest.hexdigest()}"


def closest(name: str, names: Iterable[str]) -> str:
    """The hint for a name that is not there.

    >>> closest("dep_tme", ["dep_time", "arr_time"])
    'did you mean dep_time?'
    """
    offered = list(names)
    near = difflib.get_close_matches(name, offered, n=1)
    if near:
        return f"did you mean {near[0]}?"
    shown = ", ".join(offered[:8]) + (", …" if len(offered) > 8 else "")  # noqa: PLR2004  what fits a line
    return f"its columns are {shown}"
