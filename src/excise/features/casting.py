"""How one cell goes back to its form. Standard library only: these functions are copied into the emitted caster."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?i:inf(?:inity)?)")
GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
SWAPPED = str.maketrans(",.", ".,")
TRUTH = {"true": True, "false": False, "yes": True, "no": False}
NULL_WORDS = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NULL", "null", "None", "none", "NaN", "nan", "NaT", "?", "-")


def to_number(
    cell: Any,
    *,
    whole: bool = False,
    decimal_comma: bool = False,
    percent: float | None = None,
    nulls: Collection[str] = (),
) -> Any:
    """A text that says a number as that number; anything else stays as it is.

    Args:
        cell: any value.
        whole: integers are wanted; a value with decimals stays a float.
        decimal_comma: "1.234,5" means 1234.5.
        percent: what "5 %" is divided by; None leaves it text.
        nulls: texts that mean nothing at all.
    """
    if isinstance(cell, str):
        text = cell.strip()
        if text in nulls:
            return None
        value = parsed(text, decimal_comma, percent)
        return cell if value is None else fitted(value, whole)
    return fitted(cell, whole)


def parsed(text: str, decimal_comma: bool, percent: float | None) -> float | None:
    """The number that a text without surrounding blanks says, None where it says none."""
    divisor = None
    if percent is not None and text.endswith("%"):
        text, divisor = text[:-1].rstrip(), percent
    if decimal_comma:
        text = text.translate(SWAPPED)
    if GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if not NUMBER.fullmatch(text):
        return None
    value = int(text) if text.lstrip("+-").isdigit() else float(text)
    return value if divisor is None else value / divisor


def fitted(value: Any, whole: bool) -> Any:
    """A number as int or float, where that loses nothing; anything else stays as it is."""
    if whole and isinstance(value, float) and value.is_integer():
        return int(value)
    if not whole and type(value) is int and abs(value) <= 2**53:
        return float(value)
    return value


def to_truth(cell: Any, *, nulls: Collection[str] = ()) -> Any:
    """A text or number that says true or false as a bool; anything else stays as it is."""
    if isinstance(cell, str):
        text = cell.strip()
        if text in nulls:
            return None
        return TRUTH.get(text.lower(), cell)
    if type(cell) in (int, float) and cell in (0, 1):
        return bool(cell)
    return cell


def to_text(
    cell: Any, *, strip: bool = False, spelling: Mapping[str, str] | None = None, nulls: Collection[str] = ()
) -> Any:
    """A text without surrounding blanks, in the usual spelling; a number as the text that says it."""
    if isinstance(cell, str):
        text = cell.strip() if strip else cell
        if text.strip() in nulls:
            return None
        return (spelling or {}).get(text.casefold(), text)
    if type(cell) is float and math.isfinite(cell):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return str(cell) if type(cell) is int else cell


def to_time(cell: Any, *, aware: bool = False, nulls: Collection[str] = ()) -> Any:
    """An ISO 8601 text as a datetime, in UTC where it says a zone; anything else stays as it is."""
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if text in nulls:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return cell
    if time.tzinfo is not None:
        time = time.astimezone(UTC)
    return time.replace(tzinfo=UTC if aware else None)


def cast_cells(cells: Sequence[Any], convert: Callable[[Any], Any]) -> list[Any]:
    """All cells of a column; each distinct text is converted once."""
    known = {text: convert(text) for text in {cell for cell in cells if type(cell) is str}}
    return [known[cell] if type(cell) is str else convert(cell) for cell in cells]
