"""Does the reference know the kind of rows that come today? What is said of unlike rows is an extrapolation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from excise.tables import Column, Table

CELLS = 50
"""Ranges of equal width between the reference's ends, and as many rows in each on average, at most."""
MUCH = 0.05
"""Where so many of the reference's own rows would be unlike the others, a feature says nothing about support."""
Mask = NDArray[np.bool_]


class Support(NamedTuple):
    """How many current rows are unlike all of the reference's.

    Attributes:
        outside: share of current rows with a value, in any feature, that the reference does not know.
        features: the same by feature, the largest first; only those with any.
        untold: features whose values hardly come twice, of which nothing can be said.
    """

    outside: float
    features: Mapping[str, float]
    untold: tuple[str, ...]


def support(reference: Table, current: Table) -> Support:
    """Share of current rows in cells that no row of the reference is in, feature by feature.

    A cell is a level, a null, one of up to 50 ranges of equal width between the reference's smallest and largest
    number, or all beyond either. Features are looked at one by one: a new combination of known values is not seen.

    Args:
        reference: rows that a statement rests on.
        current: rows that it is about.
    """
    unlike = {name: mask for name, mask in masks(reference, current) if mask is not None}
    shared = [name for name in reference.names if name in current.names]
    together = np.zeros(current.rows, dtype=np.bool_)
    for mask in unlike.values():
        together |= mask
    found = sorted(((name, float(mask.mean())) for name, mask in unlike.items() if mask.any()), key=lambda one: -one[1])
    untold = tuple(name for name in shared if name not in unlike)
    return Support(float(together.mean()) if together.size else 0.0, dict(found), untold)


def masks(reference: Table, current: Table) -> Iterator[tuple[str, Mask | None]]:
    """By feature of both samples, which current rows lie in unknown cells; None where that says nothing."""
    for column in reference.columns:
        if column.name in current.names and column.kind != "nested":
            yield column.name, unknown(column, current.column(column.name))


def unknown(reference: Column, current: Column) -> Mask | None:
    """Which current rows lie in cells that the reference does not know; None where it hardly knows one twice."""
    numbers = (as_numbers(reference), as_numbers(current))
    if numbers[0] is not None and numbers[1] is not None:
        before, now = numeric_cells(numbers[0], numbers[1])
    else:
        before, now = levels(reference), levels(current)
    known, counts = np.unique(before, return_counts=True)
    if (counts == 1).sum() > MUCH * len(before):
        return None
    return ~np.isin(now, known)


def as_numbers(column: Column) -> NDArray[np.float64] | None:
    """Numbers and times as float64, NaN for nulls; None for all else."""
    if column.kind not in {"int", "float", "bool", "datetime"}:
        return None
    values = column.values
    if column.kind == "datetime":
        values = values.astype("datetime64[us]").astype(np.int64)
    found = values.astype(np.float64)
    if column.nulls is not None:
        found[column.nulls] = np.nan
    return found


def numeric_cells(reference: NDArray[np.float64], current: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both samples as numbers of cells; -1 for nulls and all that is no finite number."""
    finite = reference[np.isfinite(reference)]
    if not finite.size:
        return np.where(np.isfinite(reference), 0, -1), np.where(np.isfinite(current), 0, -1)
    low, high = float(finite.min()), float(finite.max())
    inner = np.linspace(low, high, max(1, min(CELLS, finite.size // CELLS)) + 1)[1:-1]
    edges = np.array([low, *inner, np.nextafter(high, np.inf)])
    before, now = (
        np.where(np.isfinite(side), np.searchsorted(edges, side, "right"), -1) for side in (reference, current)
    )
    return before, now


def levels(column: Column) -> NDArray[Any]:
    """Cells as texts; nulls as one of their own."""
    texts = np.array([str(value) for value in column.plain()], dtype=object)
    if column.nulls is not None:
        texts[column.nulls] = "\0null"
    return texts.astype(str)
