"""Vectors of a column, embeddings for one: how long they are, and where they lie along fixed directions."""

from __future__ import annotations

import numbers
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from excise.features.numbers import Numbers

DIRECTIONS = 16
SHORTEST = 2
CHUNK = 4096
"""Vectors that are projected at once."""
Floats = NDArray[np.float64]


class Vectors(msgspec.Struct, frozen=True, kw_only=True):
    """The vectors of a column; two merge by addition, in any order, to the same bits.

    Attributes:
        lengths: vectors by how many numbers they hold.
        broken: vectors of the reference's length with NaN or infinity among their numbers.
        zeros: vectors of nothing but zeros.
        parts: of whole vectors of the reference's length, where they lie along each of 16 directions, and their
            Euclidean norm; empty where the reference has none.
    """

    lengths: dict[int, int] = {}
    broken: int = 0
    zeros: int = 0
    parts: tuple[Numbers, ...] = ()

    @classmethod
    def of(cls, cells: Sequence[Any], reference: Self | None) -> Self:
        """Summarize vectors, each a sequence of numbers, with the length and the edges of ``reference``."""
        counts = Counter(len(cell) for cell in cells)
        length = main_length(counts) if reference is None else reference.length
        if length is None:
            return cls(lengths=dict(sorted(counts.items())))
        matrix = np.array([cell for cell in cells if len(cell) == length], np.float64).reshape(-1, length)
        whole = matrix[np.isfinite(matrix).all(axis=1)]
        known = [None] * (DIRECTIONS + 1) if reference is None or not reference.parts else reference.parts
        return cls(
            lengths=dict(sorted(counts.items())),
            broken=len(matrix) - len(whole),
            zeros=int((whole == 0).all(axis=1).sum()),
            parts=tuple(Numbers.of(one, edges) for one, edges in zip(projected(whole), known, strict=True)),
        )

    @property
    def count(self) -> int:
        """Vectors of any length."""
        return sum(self.lengths.values())

    @property
    def length(self) -> int | None:
        """The commonest length, None without vectors."""
        return main_length(self.lengths)

    def __add__(self, other: Self) -> Self:
        mine, theirs = (self.parts, other.parts) if self.parts and other.parts else (self.parts or other.parts, ())
        return type(self)(
            lengths=dict(sorted((Counter(self.lengths) + Counter(other.lengths)).items())),
            broken=self.broken + other.broken,
            zeros=self.zeros + other.zeros,
            parts=tuple(a + b for a, b in zip(mine, theirs, strict=True)) if theirs else mine,
        )


def main_length(counts: dict[int, int]) -> int | None:
    """The commonest length, the shortest of several; None without any."""
    return min(counts, key=lambda length: (-counts[length], length), default=None)


def projected(matrix: Floats) -> Floats:
    """Where vectors, shape (n, length), lie along each direction, and their norms; shape (directions + 1, n).

    Coordinates are added one after the other, so that a vector comes out the same to the last bit whichever others are
    beside it; a product of matrices adds in an order of its own.
    """
    found = np.zeros((DIRECTIONS + 1, len(matrix)))
    along = directions(matrix.shape[1])
    for start in range(0, len(matrix), CHUNK):
        part = found[:, start : start + CHUNK]
        for weights, values in zip(along.T, np.ascontiguousarray(matrix[start : start + CHUNK].T), strict=True):
            part[:-1] += weights[:, None] * values
            part[-1] += values * values
    found[-1] = np.sqrt(found[-1])
    return found


@lru_cache(maxsize=8)
def directions(length: int) -> Floats:
    """Random signs, shape (directions, length), the same on every machine.

    Source: Achlioptas 2003, Database-friendly random projections.
    """
    signs = np.random.Generator(np.random.PCG64(length)).integers(0, 2, (DIRECTIONS, length))
    return np.asarray((2.0 * signs - 1.0) / np.sqrt(length))


def is_vector(cell: Any) -> bool:
    """Whether a cell is a row of two numbers or more."""
    if isinstance(cell, np.ndarray):
        return cell.ndim == 1 and len(cell) >= SHORTEST and cell.dtype.kind in "fiu"
    return (
        isinstance(cell, list | tuple)
        and len(cell) >= SHORTEST
        and all(isinstance(part, numbers.Real) and not isinstance(part, bool) for part in cell)
    )


def has_floats(cell: Any) -> bool:
    """Whether a vector holds a float: lists of whole numbers are histories or sets, and no place in a space."""
    return cell.dtype.kind == "f" if isinstance(cell, np.ndarray) else any(isinstance(part, float) for part in cell)
