"""How much rows in time order depend on each other, and by how much that widens the errors of counts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from excise.tables import Column, Table

Floats = NDArray[np.float64]

LEVELS = np.linspace(0.1, 0.9, 9)
"""Quantiles whose exceedances are looked at."""
FEWEST_BLOCKS = 8
DOUBT = 1.645
"""The inflation is taken at the upper end of a one-sided 95 % interval: it was estimated itself."""


def inflations(reference: Table | None, current: Table) -> dict[str, float]:
    """By column, the larger inflation of both samples; of the current one where the other's rows are not at hand."""
    found = {column.name: inflation(column) for column in current.columns}
    for column in () if reference is None else reference.columns:
        found[column.name] = max(found.get(column.name, 1.0), inflation(column))
    return found


def inflation(column: Column) -> float:
    """Variance of shares in blocks of neighboring rows, over that of independent rows; at least 1.

    Blocks are as long as the square root of the rows.

    Source: batch means; Flegal & Jones 2010, section 3.
    """
    marks = exceedances(column)
    if marks is None:
        return 1.0
    length = max(8, int(len(marks) ** 0.5))
    blocks = len(marks) // length
    if blocks < FEWEST_BLOCKS:
        return 1.0
    means = marks[: blocks * length].reshape(blocks, length, -1).mean(axis=1)
    shares = marks.mean(axis=0)
    spread = shares * (1 - shares)
    usable = spread > 1 / len(marks)
    if not usable.any():
        return 1.0
    ratio = float((means.var(axis=0, ddof=1)[usable] * length / spread[usable]).mean())
    return max(1.0, ratio * (1 + DOUBT * math.sqrt(2 / blocks)))


def exceedances(column: Column) -> Floats | None:
    """Whether each row lies above some quantiles, or is of the commonest levels; shape (rows, marks)."""
    if column.kind in {"int", "float", "bool", "datetime"}:
        values = column.values.astype(np.float64)
        finite = values[np.isfinite(values)]
        if not finite.size:
            return None
        cuts = np.unique(np.quantile(finite, LEVELS))
        return np.asarray(values[:, None] > cuts, dtype=np.float64)
    if column.kind == "text":
        codes = np.unique(column.values.astype(str), return_inverse=True)[1]
        common = np.argsort(-np.bincount(codes))[: len(LEVELS)]
        return np.asarray(codes[:, None] == common, dtype=np.float64)
    return None
