"""Profiles of samples, whole or in parts: wherever a part is counted, they add up to the same bits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial, reduce
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from excise.adapters.engines import find
from excise.core.engine import Engine
from excise.core.errors import DataError, ExciseError
from excise.features import Cast, Caster, ColumnProfile, FeatureProfile
from excise.features.edges import edges_of, knowing, nulls
from excise.tables import CsvMode, Partition, Table, parts_in
from excise.tables.sampling import sample_rows
from excise.tables.source import concatenate, same_columns

LOCAL = "local"
EDGE_PARTS, EDGE_ROWS = 8, 8192
"""Parts, and rows of each, whose quantiles become the edges where no reference brings them."""


class Sample(NamedTuple):
    """Rows to be profiled: at hand, or in parts that an engine reads.

    Attributes:
        source: what the whole is called.
        tables: the rows of each file; empty where they are not at hand.
        parts: empty where the rows are at hand.
    """

    source: str
    tables: tuple[Table, ...] = ()
    parts: tuple[Partition, ...] = ()

    @property
    def table(self) -> Table | None:
        """All rows, where they are at hand."""
        return concatenate(list(self.tables), self.source) if self.tables else None

    def profile(self, engine: Engine, edges_from: FeatureProfile | None = None) -> FeatureProfile:
        """The profile of all rows; without a reference, the sample brings its own edges.

        Raises:
            DataError: a part cannot be read, or there are no rows.
        """
        if self.parts:
            return profile_of(self.parts, self.source, engine, edges_from)
        if len(self.tables) == 1:
            return FeatureProfile.build(self.tables[0], edges_from=edges_from)
        edges = edges_from or edges_of(concatenate(list(self.tables), self.source))
        built = ((table.source, profiled_blocks([table], edges)) for table in self.tables)
        return msgspec.structs.replace(together(alike(built)), source=self.source)

    def unparsed(self, caster: Caster, engine: Engine) -> dict[str, int]:
        """By column, cells that the caster would leave as they are because they say something else.

        Raises:
            DataError: a part cannot be read.
        """
        if not self.parts:
            return summed(caster.apply_counted(table)[1] for table in self.tables)
        casts = msgspec.msgpack.encode(dict(caster.casts))
        answers = mapped(engine, partial(unparsed_answer, casts), self.parts)
        return summed(msgspec.msgpack.decode(answer, type=dict[str, int]) for _, answer in answers)


@contextmanager
def running(engine: str | Engine) -> Iterator[Engine]:
    """An engine by its name, closed at the end; or one that is the caller's to close.

    Raises:
        UsageError: there is none of that name.
        MissingExtra: the system behind it is not installed.
    """
    if not isinstance(engine, str):
        yield engine
        return
    with closing(find(engine)) as found:
        yield found


def is_place(data: Any) -> bool:
    """Whether it names files: here, behind a URL, or by a pattern."""
    if not isinstance(data, str | os.PathLike):
        return False
    return Path(data).exists() or "://" in str(data) or "*" in str(data)


def sample_in(place: str | os.PathLike[str], csv: CsvMode, engine: Engine) -> Sample:
    """What lies at a place: read at once by this process where it is small, else left in parts.

    Raises:
        DataError: nothing there, it cannot be read, it has no rows, or files differ in columns.
    """
    path = os.fspath(place)
    found = parts_in(path, csv)
    if not found.parts:
        raise without_rows(path)
    if found.large or engine.name != LOCAL:
        return Sample(path, parts=found.parts)
    tables = tuple(next(part.tables()) for part in found.parts)
    for table in tables[1:]:
        same_columns(table.source, table.names, tables[0].source, tables[0].names)
    if not sum(table.rows for table in tables):
        raise without_rows(path)
    return Sample(path, tables)


def without_rows(source: str) -> DataError:
    """The error for a sample that is empty."""
    return DataError(f"{source} has no rows", hint="give at least one row")


def profile_of(
    parts: Sequence[Partition], source: str, engine: Engine, edges_from: FeatureProfile | None = None
) -> FeatureProfile:
    """The profile of all parts together, added up in their order.

    Args:
        parts: of one sample.
        source: what the whole is called.
        engine: where parts are read and counted.
        edges_from: profile of the reference; without it a sample of the parts, taken here, fixes the edges.
    Raises:
        DataError: a part cannot be read or has other columns than the first, or there are no rows.
    """
    edges = edges_from or edges_of(edge_rows(parts, source))
    answers = mapped(engine, partial(profile_answer, edges.encode()), parts)
    merged = together(alike((part.source, FeatureProfile.decode(answer)) for part, answer in answers))
    if not merged.rows:
        raise without_rows(source)
    return msgspec.structs.replace(merged, source=source)


def edge_rows(parts: Sequence[Partition], source: str) -> Table:
    """Rows that fix the edges: all of a small sample; of a large one, those that ``large_sample`` takes.

    Raises:
        DataError: there are none.
    """
    if any(part.streamed for part in parts):
        tables = large_sample(parts)
    else:
        tables = [table for part in parts for table in part.tables()]
    filled = [table for table in tables if table.rows]
    if not filled:
        raise without_rows(source)
    return concatenate(filled, source)


def large_sample(parts: Sequence[Partition]) -> list[Table]:
    """The heads of some parts, evenly spread; of fewer parts, rows by the hash of their place, wherever they stand.

    Rows often stand in some order, in which the heads of a few parts would tell nothing of what follows them.
    """
    if len(parts) >= EDGE_PARTS:
        heads = (next(part.tables(EDGE_ROWS)) for part in parts[:: len(parts) // EDGE_PARTS])
        return [head.take(np.arange(min(head.rows, EDGE_ROWS))) for head in heads]
    return sample_rows((table for part in parts for table in part.tables()), EDGE_PARTS * EDGE_ROWS)


class Answer(msgspec.Struct, frozen=True):
    """What became of a part.

    Attributes:
        content: what was asked for.
        message, hint: what is wrong with the part, the first None where nothing is.
    """

    content: bytes = b""
    message: str | None = None
    hint: str | None = None


def mapped(
    engine: Engine, function: Callable[[bytes], bytes], parts: Sequence[Partition]
) -> Iterator[tuple[Partition, bytes]]:
    """Every part with what an engine made of it.

    Raises:
        DataError: of the first part that is wrong, in the words in which it would be told without an engine.
    """
    for part, made in zip(parts, engine.map(function, [msgspec.msgpack.encode(part) for part in parts]), strict=True):
        answer = msgspec.msgpack.decode(made, type=Answer)
        if answer.message is not None:
            raise DataError(answer.message, hint=answer.hint)
        yield part, answer.content


def answered(work: Callable[[Partition], bytes], item: bytes) -> bytes:
    """The answer to one part."""
    try:
        answer = Answer(work(msgspec.msgpack.decode(item, type=Partition)))
    except ExciseError as error:
        answer = Answer(message=error.message, hint=error.hint)
    return msgspec.msgpack.encode(answer)


def profile_answer(edges: bytes, item: bytes) -> bytes:
    """A part's profile; both are bytes, since this runs wherever the engine is."""
    known = FeatureProfile.decode(edges)
    return answered(lambda part: profiled_blocks(part.tables(), known).encode(), item)


def unparsed_answer(casts: bytes, item: bytes) -> bytes:
    """By column, a part's cells that would not parse."""
    caster = Caster(msgspec.msgpack.decode(casts, type=dict[str, Cast]))
    count = partial(map, lambda table: caster.apply_counted(table)[1])
    return answered(lambda part: msgspec.msgpack.encode(summed(count(part.tables()))), item)


def profiled_blocks(blocks: Iterable[Table], edges: FeatureProfile) -> FeatureProfile:
    """The profile of the blocks of one file; each is counted by the thread that reads it."""
    return together(FeatureProfile.build(one, edges_from=knowing(edges, one.names), workers=1) for one in blocks)


def alike(profiles: Iterable[tuple[str, FeatureProfile]]) -> Iterator[FeatureProfile]:
    """The profiles, each told with the file that it is of.

    Raises:
        DataError: one has other columns than the first.
    """
    first: tuple[str, Iterable[str]] | None = None
    for source, profile in profiles:
        first = first or (source, profile.columns)
        same_columns(source, profile.columns, *first)
        yield profile


def together(profiles: Iterator[FeatureProfile]) -> FeatureProfile:
    """At least one profile, added up in their order."""
    first = next(profiles)
    whole = reduce(joined, profiles, first)
    if whole is first:
        return whole
    return msgspec.structs.replace(whole, columns={name: settled(one) for name, one in whole.columns.items()})


def joined(before: FeatureProfile, block: FeatureProfile) -> FeatureProfile:
    """Both together; a column that comes up late was null before."""
    new = {name: nulls(before.rows, column) for name, column in block.columns.items() if name not in before.columns}
    return msgspec.structs.replace(before, columns=before.columns | new).merge(block) if new else before.merge(block)


def settled(column: ColumnProfile) -> ColumnProfile:
    """Whole numbers that stand in another part than floats are floats, as they would be in one table."""
    types = dict(column.types)
    if types.keys() - {"null"} == {"int", "float"}:
        types["float"] += types.pop("int")
    return msgspec.structs.replace(column, types=types)


def summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts added up by name."""
    total: dict[str, int] = {}
    for one in counts:
        for name, count in one.items():
            total[name] = total.get(name, 0) + count
    return total
