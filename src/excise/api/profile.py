"""``excise.profile``: what the columns of a sample hold, what is wrong with them, and the casts that mend it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from excise.api.profiling import LOCAL, Sample, is_place, running, sample_in
from excise.core.audit import Finding
from excise.core.engine import Engine
from excise.core.errors import DataError, UsageError
from excise.core.examples import mask
from excise.core.refs import ModelRef, RefKind
from excise.features import Cast, Caster, ColumnProfile, FeatureProfile, causes
from excise.features.caster import MARK
from excise.features.profile import KIND
from excise.tables import CsvMode, Table, read
from excise.tables.places import write_place
from excise.tables.table import closest

SCHEMA = "excise/profile/v1"
SUFFIX = ".profile"
"""Of files that hold a profile."""


class ColumnFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One column of the sample.

    Attributes:
        name: of the column.
        form: what its values are; ``mixed`` where they are several things, ``null`` where nothing is there.
        dtype: what the source calls it.
        rows, nulls: cells; NaN counts as null.
        types: cells by type. text_forms: text cells by what the text looks like.
        distinct: texts that differ, None without texts, or where they were too many to count.
        minimum, maximum, mean, std: of the numbers, None without.
        decimals: that the finest number uses, 9 for more than 8; None without numbers.
        infinite: numbers that are infinite.
        longest: characters of the longest text, None without.
    """

    name: str
    form: str
    dtype: str
    rows: int
    nulls: int
    types: dict[str, int]
    text_forms: dict[str, int]
    distinct: int | None
    minimum: float | None
    maximum: float | None
    mean: float | None
    std: float | None
    decimals: int | None
    infinite: int
    longest: int | None


class CastFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One column that can be brought back to the reference's form.

    Attributes:
        column, target: what becomes what.
        what: one line.
        unparsed: cells that say something else and stay as they are; None without a current sample.
    """

    column: str
    target: str
    what: str
    unparsed: int | None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What the columns of a sample hold, against a reference or alone.

    Attributes:
        source, rows: the sample. reference, reference_rows: what it was held against, None without.
        columns: in the sample's order.
        findings: the causes of fat features, the widest first; empty without a reference.
        casts: the columns that a caster mends. Without a reference: those that it would guard.
    """

    schema: str = SCHEMA
    source: str
    rows: int
    reference: str | None
    reference_rows: int | None
    columns: tuple[ColumnFacts, ...]
    findings: tuple[Finding, ...]
    casts: tuple[CastFacts, ...]

    def masked(self) -> Profile:
        """The same with example values reduced to their shape, fit to leave the machine."""
        masked = (
            msgspec.structs.replace(finding, examples=tuple(map(mask, finding.examples))) for finding in self.findings
        )
        return msgspec.structs.replace(self, findings=tuple(masked))


class Profiled(NamedTuple):
    """A profile as people read it, the caster behind its casts, and the profile as drift reads it."""

    document: Profile
    caster: Caster
    seen: FeatureProfile


def profile(
    data: Any,
    *,
    against: Any = None,
    csv: CsvMode = "exact",
    target: str | None = None,
    engine: str | Engine = LOCAL,
) -> Profile:
    """Describe a sample's columns, and say what differs from a reference.

    Args:
        data: a path, directory, glob, URL, a frame of pandas, polars or pyarrow, or a release (``name@version``), which
            stands for the reference that it was approved on.
        against: the reference, in any of these forms.
        csv: how CSV cells get their types.
        target: the label column, which is left out.
        engine: where files are read and counted: ``local``, ``ray``, ``spark``, or one of your own.

    Raises:
        DataError: one of them cannot be read, or neither has the target.
        NotFound: there is no such release.
        MissingExtra: the system behind the engine is not installed.
    """
    return profiled(data, against=against, csv=csv, target=target, engine=engine).document


def profiled(
    data: Any,
    *,
    against: Any = None,
    csv: CsvMode = "exact",
    target: str | None = None,
    engine: str | Engine = LOCAL,
) -> Profiled:
    """As ``profile``, with the caster."""
    with running(engine) as found:
        return profiled_by(found, data, against, csv, target)


def profiled_by(engine: Engine, data: Any, against: Any, csv: CsvMode, target: str | None) -> Profiled:
    """As ``profiled``, by an engine that runs."""
    current = sample_of(data, csv, engine)
    approved = None if against is None else sample_of(against, csv, engine).profile(engine)
    counted = current.profile(engine, approved)
    seen = unlabeled(counted, target)
    reference = None if approved is None else unlabeled(approved, target)
    if target is not None and (seen, reference) == (counted, approved):
        raise DataError(f"{counted.source} has no column {target!r}", hint=closest(target, counted.columns))
    if reference is None:
        caster = Caster.learn(seen)
        return Profiled(described(seen, None, (), caster, None), caster, seen)
    caster = Caster.learn(reference, seen)
    found = tuple(causes(reference, seen))
    return Profiled(described(seen, reference, found, caster, current.unparsed(caster, engine)), caster, seen)


def sample_of(data: Any, csv: CsvMode, engine: Engine) -> Sample:
    """A sample's rows, or its parts: files are an engine's to read, what is in memory is counted here.

    Raises:
        DataError: it cannot be read, has no rows, or is a release without a reference.
    """
    if is_place(data):
        return sample_in(data, csv, engine)
    rows = rows_of(data, csv)
    return Sample(rows.source, (rows,))


def unlabeled(profile: FeatureProfile, target: str | None) -> FeatureProfile:
    """The profile without the label; itself where it has none."""
    if target not in profile.columns:
        return profile
    columns = {name: column for name, column in profile.columns.items() if name != target}
    return msgspec.structs.replace(profile, columns=columns)


def rows_of(data: Any, csv: CsvMode) -> Table:
    """The rows of a sample; those of a release are the reference that it was approved on, without its label.

    Raises:
        DataError: they cannot be read, or the release has no reference.
    """
    brought = released(data)
    if brought is None:
        return read(data, csv=csv)
    return brought.table if brought.target is None else brought.table.drop([brought.target])


class Released(NamedTuple):
    """The rows that a release was approved on, and which column of them is the label."""

    table: Table
    target: str | None


def released(data: Any) -> Released | None:
    """What a release brings; None for what names none.

    Raises:
        DataError: it has no reference.
        NotFound: there is no such release.
    """
    if not isinstance(data, str) or is_place(data):
        return None
    ref = ModelRef.parse(data)
    if ref.kind not in (RefKind.RELEASE, RefKind.DIGEST):
        return None
    from excise.api.subjects import open_release  # noqa: PLC0415  the store is opened only where a release is named

    opened = open_release(ref, None)
    if opened.reference is None:
        raise DataError(f"{data} was made without a reference", hint="excise release create MODEL --reference DATA")
    return Released(read(opened.reference).with_source(data), opened.target)


def described(
    seen: FeatureProfile,
    reference: FeatureProfile | None,
    findings: tuple[Finding, ...],
    caster: Caster,
    unparsed: Mapping[str, int] | None,
) -> Profile:
    """The document; ``unparsed`` counts, by column, the cells that a cast leaves as they are."""
    return Profile(
        source=seen.source,
        rows=seen.rows,
        reference=None if reference is None else reference.source,
        reference_rows=None if reference is None else reference.rows,
        columns=tuple(column_facts(column) for column in seen.columns.values()),
        findings=findings,
        casts=tuple(
            CastFacts(
                column=name,
                target=cast.target,
                what=cast_line(name, cast),
                unparsed=None if unparsed is None else unparsed.get(name, 0),
            )
            for name, cast in caster.casts.items()
        ),
    )


def column_facts(column: ColumnProfile) -> ColumnFacts:
    """The document's view of one column."""
    numbers, texts = column.numbers, column.texts
    return ColumnFacts(
        name=column.name,
        form=column.form,
        dtype=column.dtype,
        rows=column.rows,
        nulls=column.missing,
        types=column.types,
        text_forms=texts.forms,
        distinct=len(texts.categories.counts()) if texts.rows and texts.categories.complete else None,
        minimum=numbers.minimum,
        maximum=numbers.maximum,
        mean=numbers.mean,
        std=numbers.std,
        decimals=numbers.most_decimals if numbers.finite else None,
        infinite=numbers.infinite,
        longest=texts.longest,
    )


def cast_line(name: str, cast: Cast) -> str:
    """One line that says what a cast does."""
    steps = [f"to {cast.target}"]
    steps += ["blanks cut off"] if cast.strip else []
    steps += ["decimal comma read"] if cast.decimal_comma else []
    steps += ["percent signs read"] if cast.percent is not None else []
    steps += ["words for null made null"] if cast.null_words else []
    steps += [f"{len(cast.spelling)} spellings unified"] if cast.spelling else []
    return f"{name}: {', '.join(steps)}"


def write_cast(caster: Caster, path: str | os.PathLike[str]) -> None:
    """Write the caster as a Python file, whole or not at all; a file that is not ours is left alone.

    Raises:
        UsageError: the file exists and was not written by this command.
        StoreError: it cannot be written.
    """
    write_place(path, caster.emit().encode(), lambda found: MARK.encode() in found, "emitted caster")


def write_profile(profile: FeatureProfile, path: str | os.PathLike[str]) -> None:
    """Write a profile to a path or a URL, whole or not at all; a file that is no profile is left alone.

    Raises:
        UsageError: the file exists and is no profile.
        StoreError: it cannot be written.
    """
    if Path(path).suffix != SUFFIX:
        raise UsageError(f"{path} would not be known as a profile", hint=f"name it {Path(path).stem}{SUFFIX}")
    write_place(path, profile.encode(), lambda found: found.startswith(KIND), "profile")
