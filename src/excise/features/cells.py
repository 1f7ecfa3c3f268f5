"""A feature's distribution in two samples, in as many cells as a person can look at."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from excise.core.drift import Cell
from excise.features.causes import Pair

FLOAT32_WIDTH = 4
MOST = 12
"""Cells that are shown."""


def cells_of(pair: Pair) -> tuple[Cell, ...]:
    """Ranges of numbers with about equal shares of the reference, or its commonest levels; and nulls, if any."""
    before, now = pair
    drawn = ranges(pair) if before.numbers.finite else names(pair) if before.texts.rows else []
    if before.missing or now.missing:
        drawn.append(Cell(name="null", reference=before.missing / before.rows, current=now.missing / now.rows))
    return tuple(drawn)


def ranges(pair: Pair) -> list[Cell]:
    """Bins put together, the same way in both samples."""
    bins = pair.reference.numbers.bins
    edges = bins.values()
    counts = [np.array(one.numbers.bins.counts) for one in pair]
    total = max(int(counts[0].sum()), 1)
    starts = first_of(counts[0], total)
    sums = [np.add.reduceat(side, starts) / one.rows for side, one in zip(counts, pair, strict=True)]
    labels = range_names([plain_number(edges[start - 1], bins.width) for start in starts[1:]])
    return [Cell(name=label, reference=float(a), current=float(b)) for label, a, b in zip(labels, *sums, strict=True)]


def plain_number(edge: float, width: int) -> str:
    """An edge as people write it; the one just above a value that has a bin of its own, as that value.

    >>> plain_number(2.5, 8), plain_number(float(np.nextafter(0.0, 1.0)), 8)
    ('2.5', '0')
    """
    below = math.nextafter(edge, -math.inf)
    if width == FLOAT32_WIDTH:
        with np.errstate(over="ignore"):
            below = float(np.nextafter(np.float32(edge), np.float32(-np.inf)))
    return f"{below if len(repr(below)) < len(repr(float(edge))) else edge:.4g}"


def range_names(bounds: Sequence[str]) -> list[str]:
    """How each range is called.

    >>> range_names(["1", "2.5"])
    ['< 1', '1 to 2.5', '>= 2.5']
    """
    if not bounds:
        return ["all"]
    between = [f"{low} to {high}" for low, high in pairwise(bounds)]
    return [f"< {bounds[0]}", *between, f">= {bounds[-1]}"]


def first_of(counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]], total: int) -> Sequence[int]:
    """Index of the first bin of every cell."""
    filled, starts = np.cumsum(counts).tolist(), [0]
    while (end := bisect_left(filled, (filled[starts[-1] - 1] if starts[-1] else 0) + total / MOST) + 1) < len(filled):
        starts.append(end)
    return starts


def names(pair: Pair) -> list[Cell]:
    """The commonest levels of both, and all others."""
    sides = [one.texts.categories.counts() for one in pair]
    rows = [one.rows for one in pair]
    weight = {
        name: sum(side.get(name, 0) / n for side, n in zip(sides, rows, strict=True)) for name in sides[0] | sides[1]
    }
    shown = sorted(weight, key=lambda name: (-weight[name], name))[:MOST]
    found = [
        Cell(name=name, reference=sides[0].get(name, 0) / rows[0], current=sides[1].get(name, 0) / rows[1])
        for name in shown
    ]
    left = [
        (one.texts.rows - sum(side.get(name, 0) for name in shown)) / one.rows
        for one, side in zip(pair, sides, strict=True)
    ]
    return [*found, Cell(name="others", reference=left[0], current=left[1])] if max(left) > 0 else found
