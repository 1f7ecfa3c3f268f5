"""Scores as probabilities: a calibration map learned from rows with labels, and a test that probabilities are right."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from excise.core.errors import NotComparable
from excise.stats.tails import chi_square

Floats = NDArray[np.float64]

CELLS = 200
"""Cells of the scores' quantiles, within which a map does not tell scores apart."""
GROUPS = 10
"""Groups of probabilities in the test (Hosmer & Lemeshow's number)."""
FEWEST = 20
"""Rows of a group, at least, for a chi-square approximation."""
NEWTON_STEPS = 50
ENOUGH_FOR_ISOTONIC = 1000
"""Rows from which a free monotone map beats Platt's two parameters (Niculescu-Mizil & Caruana 2005, section 5)."""
SMALLEST = 1e-9


class CalibrationMap(NamedTuple):
    """A map from scores to probabilities, constant within cells.

    Attributes:
        edges: scores at which the next cell begins, ascending, shape (cells - 1,).
        chances: by cell, shape (cells,), never falling for isotonic maps.
        method: ``isotonic`` or ``platt``.
    """

    edges: Floats
    chances: Floats
    method: str

    @classmethod
    def learn(cls, scores: ArrayLike, hits: ArrayLike) -> Self:
        """Learn it: isotonic regression where there are rows enough, else Platt's sigmoid.

        >>> CalibrationMap.learn([0.2, 0.2, 0.8, 0.8] * 300, [0, 0, 0, 1] * 300).chances.round(3).tolist()
        [0.0, 0.5]

        Args:
            scores: shape (n,).
            hits: 0 or 1, shape (n,).
        Raises:
            NotComparable: no rows.
        """
        found = np.asarray(scores, dtype=np.float64)
        if not found.size:
            raise NotComparable("no rows to calibrate scores on", hint="give a reference with labels")
        edges = cell_edges(found)
        return cls.on_cells(edges, cell_sums(edges, found, np.asarray(hits, dtype=np.float64)))

    @classmethod
    def on_cells(cls, edges: Floats, cells: CellSums) -> Self:
        """Learn it from rows that were summed by cell."""
        if cells.rows.sum() >= ENOUGH_FOR_ISOTONIC:
            return cls(edges, isotonic(cells.hits, cells.rows), "isotonic")
        return cls(edges, platt(cells), "platt")

    def __call__(self, scores: ArrayLike) -> Floats:
        """The probabilities of scores; shape (n,)."""
        return self.chances[self.cells(scores)]

    def cells(self, scores: ArrayLike) -> NDArray[np.int64]:
        """The cells of scores; shape (n,)."""
        return np.asarray(np.searchsorted(self.edges, np.asarray(scores, dtype=np.float64), "right"), dtype=np.int64)


class CellSums(NamedTuple):
    """Rows summed by cell, shape (cells,) each: how many, how many hit, their mean score."""

    rows: Floats
    hits: Floats
    scores: Floats


def cell_edges(scores: Floats, cells: int = CELLS) -> Floats:
    """Edges between cells that hold about as many scores each; scores that are equal share a cell."""
    kinds = np.unique(scores)
    if kinds.size <= cells:
        return kinds[1:]
    return np.unique(np.quantile(scores, np.arange(1, cells) / cells))


def cell_sums(edges: Floats, scores: Floats, hits: Floats) -> CellSums:
    """Rows by cell."""
    place, size = np.searchsorted(edges, scores, "right"), edges.size + 1
    rows, happened, total = (
        np.bincount(place, weights, minlength=size).astype(np.float64) for weights in (None, hits, scores)
    )
    return CellSums(rows, happened, total / np.maximum(rows, 1.0))


def isotonic(hits: Floats, rows: Floats) -> Floats:
    """The never falling shares that are nearest to those of the cells; empty cells take the one before them.

    >>> isotonic(np.array([1.0, 0.0, 4.0]), np.array([2.0, 2.0, 4.0])).tolist()
    [0.25, 0.25, 1.0]

    Source: pool adjacent violators, Ayer et al. 1955; Zadrozny & Elkan 2002 for scores.
    """
    pools: list[tuple[float, float, int]] = []
    for hit, count in zip(hits.tolist(), rows.tolist(), strict=True):
        happened, total, cells = hit, count, 1
        while pools and (not total or pools[-1][0] * total >= happened * pools[-1][1]):
            before = pools.pop()
            happened, total, cells = happened + before[0], total + before[1], cells + before[2]
        pools.append((happened, total, cells))
    shares = [hit / count if count else 0.0 for hit, count, _ in pools]
    return np.repeat(shares, [cells for _, _, cells in pools])


def platt(cells: CellSums) -> Floats:
    """A sigmoid of the score's logit, or of the score where it is no probability; by cell.

    Source: Platt 1999 with his smoothed targets; on logits it is beta calibration with equal slopes (Kull et al. 2017).
    """
    along = cells.scores
    if along.min() >= 0 and along.max() <= 1:
        inside = np.clip(along, 1e-6, 1 - 1e-6)
        along = np.log(inside / (1 - inside))
    ones, zeros = cells.hits.sum(), (cells.rows - cells.hits).sum()
    high, low = (ones + 1) / (ones + 2), 1 / (zeros + 2)
    wanted = cells.hits * high + (cells.rows - cells.hits) * low
    design = np.column_stack([np.ones_like(along), along])
    found = np.array([np.log((ones + 1) / (zeros + 1)), 0.0])
    for _ in range(NEWTON_STEPS):
        chance = sigmoid(design @ found)
        slope = design.T @ (wanted - cells.rows * chance)
        curve = (design * (cells.rows * chance * (1 - chance))[:, None]).T @ design + SMALLEST * np.eye(2)
        step = np.linalg.solve(curve, slope)
        found += np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-8:  # noqa: PLR2004  far below what a probability shows
            break
    return sigmoid(design @ found)


def sigmoid(values: Floats) -> Floats:
    """1 / (1 + exp(-x)), without overflow."""
    return np.asarray((1 + np.tanh(values / 2)) / 2, dtype=np.float64)


class Miscalibration(NamedTuple):
    """How far probabilities are from what happened.

    Attributes:
        p_value: of the hypothesis that they are right.
        gap: mean distance between probability and share of hits over groups of probabilities.
    """

    p_value: float
    gap: float


def miscalibration(chances: ArrayLike, hits: ArrayLike, *, learned_on: float = np.inf) -> Miscalibration:
    """Whether probabilities say how often a thing happens.

    >>> right, wrong = (miscalibration([0.2] * 1000, [1] * hits + [0] * (1000 - hits)) for hits in (200, 300))
    >>> round(right.p_value, 3), round(wrong.p_value, 3), round(wrong.gap, 3)
    (1.0, 0.0, 0.1)

    Args:
        chances: shape (n,), in [0, 1].
        hits: 0 or 1, shape (n,); rows that the probabilities were not learned on.
        learned_on: rows that a calibration map was learned on, whose error then enters; infinite for a model's own
            probabilities.
    Source: Hosmer & Lemeshow 1980, with groups of at least 20 rows and the map's error added to the variance.
    """
    found, happened = np.asarray(chances, dtype=np.float64), np.asarray(hits, dtype=np.float64)
    place = np.searchsorted(cell_edges(found, max(1, min(GROUPS, found.size // FEWEST))), found, "right")
    rows = np.bincount(place)
    kept = rows > 0
    expected, seen = (np.bincount(place, values)[kept] for values in (found, happened))
    rows = rows[kept]
    shares = (expected + seen * found.size / learned_on) / (1 + found.size / learned_on) / rows
    spread = rows * shares * (1 - shares) * (1 + found.size / learned_on) + SMALLEST
    apart = seen - expected
    return Miscalibration(
        chi_square(float((apart**2 / spread).sum()), rows.size), float(np.abs(apart).sum() / found.size)
    )
