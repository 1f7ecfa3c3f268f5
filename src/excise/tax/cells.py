"""Sets of remedies and the cells that they are measured in."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import combinations

from excise.core.tax import PRODUCTION

Set = frozenset[str]


def subsets(remedies: Iterable[str]) -> tuple[Set, ...]:
    """Every subset, smallest first: the cells that an assessment of these remedies needs.

    >>> [sorted(subset) for subset in subsets(("onnx", "cast"))]
    [[], ['onnx'], ['cast'], ['cast', 'onnx']]
    """
    names = tuple(dict.fromkeys(remedies))
    return tuple(frozenset(chosen) for size in range(len(names) + 1) for chosen in combinations(names, size))


def members(cell: str, remedies: Collection[str]) -> Set | None:
    """The remedies that a cell takes, None where it is no cell of these remedies (the baseline release, say).

    >>> sorted(members("cast & onnx", {"onnx", "cast", "newest"})), members("baseline", {"onnx"})
    (['cast', 'onnx'], None)
    """
    if cell == PRODUCTION:
        return frozenset()
    taken = frozenset(cell.split(" & "))
    return taken if taken <= set(remedies) else None
