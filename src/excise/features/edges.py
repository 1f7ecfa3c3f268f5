"""What a profile counts between, taken from a sample: edges, centers and known texts, with nothing counted yet."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np

from excise.features.numbers import Bins, Numbers, middle
from excise.features.profile import ColumnProfile, FeatureProfile, split
from excise.features.texts import Categories, Texts
from excise.tables import Column, Table


def edges_of(sample: Table) -> FeatureProfile:
    """A profile of no rows, to be ``edges_from`` of others: with the edges that the sample's own profile would have."""
    columns = {column.name: column_edges(column) for column in sample.columns}
    return FeatureProfile(rows=0, source=sample.source, columns=columns)


def column_edges(column: Column) -> ColumnProfile:
    """The same of one column."""
    _, numbers, texts = split(column)
    bins = Bins.equiprobable(numbers)
    known = Categories(known=dict.fromkeys(Categories.of(texts, None).known, 0))
    empty = msgspec.structs.replace(bins, counts=(0,) * len(bins.counts))
    return nothing(column.name, Numbers(center=middle(bins), bins=empty), Texts(categories=known))


def nothing(name: str, numbers: Numbers, texts: Texts) -> ColumnProfile:
    """A column of which nothing was seen yet."""
    return ColumnProfile(name=name, rows=0, types={}, dtypes={}, numbers=numbers, texts=texts)


def knowing(edges: FeatureProfile, names: Iterable[str]) -> FeatureProfile:
    """The edges, with none for those columns that they do not know: else each part would choose edges of its own."""
    unknown = {name: nothing(name, Numbers(), Texts()) for name in names if name not in edges.columns}
    return msgspec.structs.replace(edges, columns=edges.columns | unknown) if unknown else edges


def nulls(rows: int, like: ColumnProfile) -> ColumnProfile:
    """So many nulls, counted between the edges of ``like`` and called what it is called."""
    return ColumnProfile(
        name=like.name,
        rows=rows,
        types={"null": rows} if rows else {},
        dtypes={like.dtype: rows},
        numbers=Numbers.of(np.zeros(0), like.numbers),
        texts=Texts.of({}, like.texts),
    )
