"""Profiles of what does not fit into memory: part by part, added up in the order of the parts."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from pathlib import Path
from typing import Any

import msgspec

from excise.api.profile import without
from excise.core.errors import DataError
from excise.features import FeatureProfile
from excise.tables import CsvMode, Partition, parts_in
from excise.tables.source import concatenate

STREAMED = 2_000_000
"""Rows from which a Parquet file is read in parts."""
WORKERS = 2
EDGE_PARTS, EDGE_ROWS = 8, 8192
"""Parts, and rows of each, whose quantiles become the edges where no reference brings them."""


def streamable(data: Any, csv: CsvMode) -> tuple[Partition, ...]:
    """The parts of a large sample; none of one that is read at once."""
    if not isinstance(data, str | os.PathLike) or not (Path(data).exists() or "://" in str(data) or "*" in str(data)):
        return ()
    found = parts_in(os.fspath(data), csv)
    rows = sum(one.rows or 0 for one in found)
    return found if rows >= STREAMED else ()


def profile_of(
    parts: tuple[Partition, ...], source: str, target: str | None, edges_from: FeatureProfile | None = None
) -> FeatureProfile:
    """The profile of all parts together.

    Args:
        parts: at least one.
        source: what the whole is called.
        target: the label column, which is left out.
        edges_from: profile of the reference; without it a sample of the parts fixes the edges.
    Raises:
        DataError: a part cannot be read, or is empty.
    """
    edges = edges_from or edges_of(parts, target)
    with ThreadPoolExecutor(WORKERS) as pool:
        built = pool.map(lambda part: part_profile(part, target, edges), parts)
        merged = reduce(FeatureProfile.merge, built)
    if not merged.rows:
        raise DataError(f"{source} has no rows", hint="give at least one row")
    return msgspec.structs.replace(merged, source=source)


def part_profile(part: Partition, target: str | None, edges: FeatureProfile) -> FeatureProfile:
    """The profile of one part, batch by batch."""
    tables = (without(table, target) for table in part.tables())
    return reduce(FeatureProfile.merge, (FeatureProfile.build(table, edges_from=edges, workers=1) for table in tables))


def edges_of(parts: tuple[Partition, ...], target: str | None) -> FeatureProfile:
    """The profile of a sample: the head of some parts, evenly spread."""
    step = max(1, len(parts) // EDGE_PARTS)
    heads = [next(part.tables(EDGE_ROWS)) for part in parts[::step][: EDGE_PARTS + 1]]
    return FeatureProfile.build(without(concatenate(heads, heads[0].source), target))
