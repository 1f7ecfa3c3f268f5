"""A sample of rows that come block by block: which ones depends on their places alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from excise.tables.table import Table

STEP, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class Kept(NamedTuple):
    """Rows of one block that are in the sample so far, and their hashes."""

    table: Table
    hashes: NDArray[np.uint64]


def sample_rows(blocks: Iterable[Table], most: int) -> list[Table]:
    """The rows whose places have the smallest hashes, in their order; pieces of blocks, of which none may be empty.

    Args:
        blocks: tables, one below the other.
        most: rows at most.
    """
    kept: list[Kept] = []
    start, bound = 0, np.uint64(2**64 - 1)
    for table in blocks:
        hashes = hashed(np.arange(start, start + table.rows, dtype=np.uint64))
        start += table.rows
        kept.append(below(Kept(table, hashes), bound))
        if sum(one.table.rows for one in kept) > 2 * most:
            kept, bound = smallest(kept, most)
    kept, _ = smallest(kept, most)
    return [one.table for one in kept]


def smallest(kept: list[Kept], most: int) -> tuple[list[Kept], np.uint64]:
    """So many of the rows that were kept, and the largest hash among them."""
    hashes = np.concatenate([one.hashes for one in kept]) if kept else np.zeros(0, np.uint64)
    if len(hashes) <= most:
        return kept, np.uint64(2**64 - 1)
    bound = np.partition(hashes, most - 1)[most - 1]
    return [below(one, bound) for one in kept], bound


def below(kept: Kept, bound: np.uint64) -> Kept:
    """Those of the rows whose hash is no larger than the bound."""
    places = np.flatnonzero(kept.hashes <= bound)
    return Kept(kept.table.take(places), kept.hashes[places])


def hashed(places: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Places as 64 bits that have nothing to do with their order; no two have the same.

    Source: Steele, Lea & Flood 2014, Fast splittable pseudorandom number generators (SplitMix64's mix).
    """
    mixed = places * STEP
    mixed = (mixed ^ (mixed >> np.uint64(30))) * FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * SECOND
    return mixed ^ (mixed >> np.uint64(31))
