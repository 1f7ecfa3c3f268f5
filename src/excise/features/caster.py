"""The way back: casts that bring rows to the form of the reference, applied here or written out as a file."""

from __future__ import annotations

import ast
import datetime as dt
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Literal, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from excise.features import casting
from excise.features.profile import ColumnProfile, FeatureProfile
from excise.features.texts import NUMERIC_FORMS
from excise.tables import Column, Table
from excise.tables.cells import type_cells, zone_of

Target = Literal["int", "float", "bool", "text", "datetime"]
MARK = "Written by `excise profile`."
HUNDRED = 100.0
KEPT: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float,),
    "bool": (bool,),
    "text": (str,),
    "datetime": (dt.datetime,),
}
EMPTY: dict[str, Any] = {
    "int": np.int64,
    "float": np.float64,
    "bool": np.bool_,
    "text": object,
    "datetime": "datetime64[us]",
}


class Cast(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the cells of one column come back to the reference's form.

    Attributes:
        target: what they become.
        dtype: what the reference calls it.
        strip: cut off surrounding blanks (texts; for all else they mean nothing).
        null_words: texts that become null; empty where the reference had no nulls, or has such words itself.
        decimal_comma: "1.234,5" means 1234.5.
        percent: what "5 %" is divided by, None where there are no percent signs.
        aware: times carry a zone.
        spelling: the reference's spelling by its case-folded form.
    """

    target: Target
    dtype: str
    strip: bool = False
    null_words: tuple[str, ...] = ()
    decimal_comma: bool = False
    percent: float | None = None
    aware: bool = False
    spelling: dict[str, str] = {}

    @property
    def function(self) -> str:
        """The name of the function in ``casting`` that does it."""
        return {"bool": "to_truth", "text": "to_text", "datetime": "to_time"}.get(self.target, "to_number")

    def options(self) -> dict[str, Any]:
        """What that function is given beside the cell; defaults left out."""
        known = {
            "whole": self.target == "int",
            "strip": self.strip,
            "decimal_comma": self.decimal_comma,
            "percent": self.percent,
            "aware": self.aware,
            "spelling": self.spelling,
            "nulls": frozenset(self.null_words),
        }
        return {name: value for name, value in known.items() if value}

    def converter(self) -> Callable[[Any], Any]:
        """The function for one cell."""
        return partial(getattr(casting, self.function), **self.options())


@dataclass(frozen=True, eq=False)
class Caster:
    """Casts by column, learned from a reference.

    Attributes:
        casts: the columns that need one.
        source: the reference.
    """

    casts: Mapping[str, Cast]
    source: str = "reference"

    @classmethod
    def learn(cls, reference: Table | FeatureProfile, current: Table | FeatureProfile | None = None) -> Self:
        """Which casts bring ``current`` to the form of ``reference``; without it, those that bring anything there."""
        approved = as_profile(reference)
        seen = None if current is None else as_profile(current)
        casts = {}
        for name, column in approved.columns.items():
            if seen is None:
                cast = widest(column)
            else:
                cast = needed(column, seen.columns[name]) if name in seen.columns else None
            if cast is not None:
                casts[name] = cast
        return cls(casts, approved.source)

    def __bool__(self) -> bool:
        return bool(self.casts)

    def apply(self, table: Table) -> Table:
        """The table with its columns cast; columns without a cast are the same objects."""
        return self.apply_counted(table)[0]

    def apply_counted(self, table: Table) -> tuple[Table, dict[str, int]]:
        """The table with its columns cast, and how many cells of each would not parse and stayed as they were."""
        failures: dict[str, int] = {}
        columns = list(table.columns)
        for index, column in enumerate(columns):
            if column.name in self.casts:
                columns[index], failures[column.name] = cast_column(column, self.casts[column.name])
        return Table(tuple(columns), table.source), {name: count for name, count in failures.items() if count}

    def emit(self) -> str:
        """A Python file with ``cast(row)`` and ``cast_frame(frame)`` that needs the standard library only."""
        functions = {cast.function for cast in self.casts.values()} | {"cast_cells"}
        lines = [f"    {name!r}: {written(cast)}," for name, cast in self.casts.items()]
        table = "\n".join(["CASTS: dict[str, Callable[[Any], Any]] = {", *lines, "}"])
        body = "\n\n".join([*sources(functions), table, FOOTER])
        # The origin stands in a docstring, which it must not be able to end.
        source = " ".join(self.source.split()).replace("\\", "/").replace('"', "'")
        return HEADER.format(source=source, mark=MARK, imports="\n".join(imports(body))) + body


def as_profile(data: Table | FeatureProfile) -> FeatureProfile:
    """The profile itself, or that of the table."""
    return data if isinstance(data, FeatureProfile) else FeatureProfile.build(data)


def null_words(reference: ColumnProfile) -> tuple[str, ...]:
    """The texts that mean null: none where the reference had no nulls, or has such texts itself."""
    if reference.missing == 0 or reference.texts.count("null_word", "blank"):
        return ()
    return casting.NULL_WORDS


def widest(reference: ColumnProfile) -> Cast | None:
    """The cast that brings anything back to the reference's form; None where it has no single form."""
    base = plain_cast(reference)
    if base is None:
        return None
    return msgspec.structs.replace(
        base,
        strip=base.target == "text" and not reference.texts.padded,
        percent=percent_divisor(reference) if base.target in {"int", "float"} else None,
        spelling=spellings(reference) if base.target == "text" else {},
    )


def plain_cast(reference: ColumnProfile) -> Cast | None:
    """Target, dtype and nulls."""
    form = reference.form
    if form not in EMPTY or len(reference.types.keys() & {"int", "float"}) > 1:
        return None
    target: Any = form
    aware = form == "datetime" and zone_of(reference.dtype) is not None
    return Cast(target=target, dtype=reference.dtype, null_words=null_words(reference), aware=aware)


def needed(reference: ColumnProfile, current: ColumnProfile) -> Cast | None:
    """The cast for the forms that ``current`` really holds; None where there is nothing to mend."""
    base = plain_cast(reference)
    if base is None:
        return None
    nulls = current.texts.count("null_word", "blank") if base.null_words else 0
    if base.target == "text":
        return text_cast(base, reference, current, nulls)
    mends = {
        "int": current.texts.count(*NUMERIC_FORMS) + (current.count("float") - current.numbers.nan),
        "float": current.texts.count(*NUMERIC_FORMS),
        "bool": current.texts.count("truth") + truths_as_numbers(current),
        "datetime": current.texts.count("date"),
    }[base.target]
    if mends + nulls == 0:
        return None
    has_percent = base.target in {"int", "float"} and current.texts.count("percent") > 0
    return msgspec.structs.replace(
        base,
        decimal_comma=base.target in {"int", "float"} and current.texts.count("decimal_comma") > 0,
        percent=percent_divisor(reference) if has_percent else None,
    )


def truths_as_numbers(current: ColumnProfile) -> int:
    """Numbers in a column that holds nothing but 0 and 1."""
    numbers = current.numbers
    if numbers.decimals[0] != numbers.finite or numbers.minimum is None or numbers.maximum is None:
        return 0
    return current.count("int", "float") if numbers.minimum >= 0 and numbers.maximum <= 1 else 0


def text_cast(base: Cast, reference: ColumnProfile, current: ColumnProfile, nulls: int) -> Cast | None:
    """The cast of a text column: blanks, spelling, numbers as text, words for null."""
    strip = current.texts.padded > 0 and reference.texts.padded == 0
    wanted = spellings(reference)
    spelled = {text.strip() for text in current.texts.categories.counts()}
    used = {text.casefold() for text in spelled if wanted.get(text.casefold(), text) != text}
    numbers = current.count("int", "float") - current.numbers.nan
    if not (strip or used or nulls or numbers):
        return None
    spelling = {folded: wanted[folded] for folded in sorted(used)}
    return msgspec.structs.replace(base, strip=strip, spelling=spelling)


def spellings(reference: ColumnProfile) -> dict[str, str]:
    """The reference's spelling by its case-folded form; nothing where its texts are too many to know."""
    if not reference.texts.categories.complete:
        return {}
    found: dict[str, list[str]] = {}
    for text in reference.texts.categories.counts():
        found.setdefault(text.casefold(), []).append(text)
    return {folded: texts[0] for folded, texts in sorted(found.items()) if len(texts) == 1 and folded == folded.strip()}


def percent_divisor(reference: ColumnProfile) -> float:
    """100 where the reference holds ratios, 1 where it holds percents."""
    numbers = reference.numbers
    largest = max(abs(numbers.minimum or 0.0), abs(numbers.maximum or 0.0))
    return HUNDRED if largest <= 1 else 1.0


def cast_column(column: Column, cast: Cast) -> tuple[Column, int]:
    """One column cast, and the number of cells that stayed as they were because they say something else."""
    if column.kind == cast.target and column.kind != "text":
        return column, 0
    if column.kind == "int" and cast.target == "float" and bool((np.abs(column.values) <= 2**53).all()):
        values = np.where(column.present(), column.values.astype(np.float64), np.nan)
        return Column(column.name, "float", values, column.nulls, cast.dtype), 0
    cells = casting.cast_cells(column.plain(), cast.converter())
    wanted = KEPT[cast.target]
    failures = sum(1 for cell in cells if cell is not None and type(cell) not in wanted and cell == cell)  # noqa: PLR0124  NaN
    if unchanged(column, cells):
        return column, failures
    return restored(column, cells, cast), failures


def unchanged(column: Column, cells: list[Any]) -> bool:
    """Whether nothing was cast, so that the column can stay the object that it is."""
    before = column.plain()
    return all(a is b or (type(a) is type(b) and (a == b or a != a)) for a, b in zip(before, cells, strict=True))  # noqa: PLR0124  NaN


def restored(column: Column, cells: list[Any], cast: Cast) -> Column:
    """Cast cells as a column of the reference's dtype; times in UTC, as columns hold them."""
    name = column.name
    nulls = np.fromiter((cell is None for cell in cells), np.bool_, len(cells))
    mask = nulls if nulls.any() else None
    if nulls.all():
        return Column(name, cast.target, blank(cast.target, len(cells)), mask, cast.dtype)
    if cast.target == "datetime" and all(isinstance(cell, dt.datetime) for cell in cells if cell is not None):
        naive = [cell.astimezone(dt.UTC).replace(tzinfo=None) if cell and cell.tzinfo else cell for cell in cells]
        return Column(name, "datetime", np.array(naive, "datetime64[us]"), mask, cast.dtype)
    kind, values, mask = type_cells(cells)
    return Column(name, kind, values, mask, cast.dtype if kind == cast.target else column.dtype)


def blank(target: str, rows: int) -> NDArray[Any]:
    """Values of a column that is null throughout."""
    fill = {"int": 0, "float": np.nan, "bool": False, "datetime": np.datetime64("NaT")}.get(target)
    return np.full(rows, fill, EMPTY[target])


def written(cast: Cast) -> str:
    """A cast as Python source."""
    options = cast.options()
    if options.get("nulls") == frozenset(casting.NULL_WORDS):
        del options["nulls"]
        tail = ", nulls=NULL_WORDS"
    else:
        tail = ""
    shown = "".join(f", {name}={value!r}" for name, value in options.items())
    return f"lambda cell: {cast.function}(cell{shown}{tail})"


def sources(functions: set[str]) -> Iterator[str]:
    """The parts of ``casting`` that the named functions rest on, in the order of the file."""
    text, tree = casting_source()
    parts = {name: node for node in tree.body for name in defined(node)}
    wanted = {"NULL_WORDS"}
    pending = set(functions)
    while pending:
        name = pending.pop()
        wanted.add(name)
        used = {node.id for node in ast.walk(parts[name]) if isinstance(node, ast.Name)}
        pending |= (used & parts.keys()) - wanted
    constants = [node for node in tree.body if isinstance(node, ast.Assign) and wanted & set(defined(node))]
    if constants:
        yield "\n".join(ast.get_source_segment(text, node) or "" for node in constants)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in wanted:
            yield "\n" + (ast.get_source_segment(text, node) or "")


def imports(body: str) -> Iterator[str]:
    """The import lines that a body of code needs."""
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    for module in ("math", "re"):
        if module in used:
            yield f"import {module}"
    for package, names in IMPORTED.items():
        if found := [name for name in names if name in used]:
            yield f"from {package} import {', '.join(found)}"


IMPORTED = {
    "collections.abc": ("Callable", "Collection", "Mapping", "Sequence"),
    "datetime": ("UTC", "datetime"),
    "typing": ("Any",),
}


@cache
def casting_source() -> tuple[str, ast.Module]:
    """The file of ``casting`` as text and as a tree."""
    text = inspect.getsource(casting)
    return text, ast.parse(text)


def defined(node: ast.stmt) -> list[str]:
    """The names that a top-level statement defines."""
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


HEADER = '''"""Brings rows back to the form of {source}. {mark}

``cast(row)`` takes one dict and ``cast_frame(frame)`` a pandas frame; both return a new one. A cell that says
something else stays as it is. Needs nothing but Python 3.11 and its standard library.
"""

from __future__ import annotations

{imports}

'''

FOOTER = '''
def cast(row: dict[str, Any]) -> dict[str, Any]:
    """One row in the form of the reference."""
    return {name: CASTS[name](cell) if name in CASTS else cell for name, cell in row.items()}


def cast_frame(frame: Any) -> Any:
    """A pandas frame in the form of the reference; each distinct text of a column is converted once."""
    columns = {}
    for name in frame.columns:
        if name in CASTS:
            series = frame[name]
            cells = cast_cells(series.tolist(), CASTS[name])
            columns[name] = type(series)(cells, index=series.index, name=name)
    return frame.assign(**columns)
'''
