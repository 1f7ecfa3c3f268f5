"""``excise.profile``: what the columns of a sample hold, what is wrong with them, and the casts that mend it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from excise.core.audit import Finding
from excise.core.errors import DataError, StoreError, UsageError
from excise.core.examples import mask
from excise.core.refs import ModelRef, RefKind
from excise.features import Cast, Caster, ColumnProfile, FeatureProfile, causes
from excise.features.caster import MARK
from excise.features.profile import KIND
from excise.releases.layout import sync_folder
from excise.tables import CsvMode, Table, read
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


def profile(data: Any, *, against: Any = None, csv: CsvMode = "exact", target: str | None = None) -> Profile:
    """Describe a sample's columns, and say what differs from a reference.

    Args:
        data: a path, directory, glob, URL, a frame of pandas, polars or pyarrow, or a release (``name@version``), which
            stands for the reference that it was approved on.
        against: the reference, in any of these forms.
        csv: how CSV cells get their types.
        target: the label column, which is left out.

    Raises:
        DataError: one of them cannot be read, or neither has the target.
        NotFound: there is no such release.
    """
    return profiled(data, against=against, csv=csv, target=target).document


def profiled(data: Any, *, against: Any = None, csv: CsvMode = "exact", target: str | None = None) -> Profiled:
    """As ``profile``, with the caster."""
    tables = [rows_of(data, csv), *([] if against is None else [rows_of(against, csv)])]
    current, *references = without_target(tables, target)
    if not references:
        own = FeatureProfile.build(current)
        caster = Caster.learn(own)
        return Profiled(described(current, own, None, (), caster), caster, own)
    reference = FeatureProfile.build(references[0])
    seen = FeatureProfile.build(current, edges_from=reference)
    caster = Caster.learn(reference, seen)
    return Profiled(described(current, seen, reference, tuple(causes(reference, seen)), caster), caster, seen)


def rows_of(data: Any, csv: CsvMode) -> Table:
    """The rows of a sample; those of a release are the reference that it was approved on, without its label.

    Raises:
        DataError: they cannot be read, or the release has no reference.
    """
    if not isinstance(data, str) or Path(data).exists():
        return read(data, csv=csv)
    ref = ModelRef.parse(data)
    if ref.kind not in (RefKind.RELEASE, RefKind.DIGEST):
        return read(data, csv=csv)
    from excise.api.subjects import open_release  # noqa: PLC0415  the store is opened only where a release is named

    opened = open_release(ref, None)
    if opened.reference is None:
        raise DataError(f"{data} was made without a reference", hint="excise release create MODEL --reference DATA")
    return without_target([read(opened.reference)], opened.target)[0].with_source(data)


def without_target(tables: list[Table], target: str | None) -> list[Table]:
    """The tables without the label.

    Raises:
        DataError: none of them has it.
    """
    if target is None:
        return tables
    if not any(target in table.names for table in tables):
        raise DataError(f"{tables[0].source} has no column {target!r}", hint=closest(target, tables[0].names))
    return [without(table, target) for table in tables]


def without(table: Table, target: str | None) -> Table:
    """The table without the label, where it has it."""
    return table.drop([target]) if target in table.names else table


def described(
    table: Table,
    seen: FeatureProfile,
    reference: FeatureProfile | None,
    findings: tuple[Finding, ...],
    caster: Caster,
) -> Profile:
    """The document; the casts are run once over the sample to count what will not parse."""
    unparsed = caster.apply_counted(table)[1] if reference is not None else None
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
    write_over(Path(path), caster.emit().encode(), lambda found: MARK.encode() in found, "emitted caster")


def write_profile(profile: FeatureProfile, path: str | os.PathLike[str]) -> None:
    """Write a profile, whole or not at all; a file that is no profile is left alone.

    Raises:
        UsageError: the file exists and is no profile.
        StoreError: it cannot be written.
    """
    target = Path(path)
    if target.suffix != SUFFIX:
        raise UsageError(f"{target} would not be known as a profile", hint=f"name it {target.stem}{SUFFIX}")
    write_over(target, profile.encode(), lambda found: found.startswith(KIND), "profile")


def write_over(target: Path, content: bytes, is_ours: Callable[[bytes], bool], what: str) -> None:
    """Write a file whole or not at all, over nothing but one of its kind; when this returns, it is on the disk.

    Raises:
        UsageError: there is another file.
        StoreError: it cannot be written.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        if target.exists() and not is_ours(target.read_bytes()):
            raise UsageError(f"{target} exists and is no {what}", hint="give another file name")
        with temporary.open("wb") as sink:
            sink.write(content)
            sink.flush()
            os.fsync(sink.fileno())
        temporary.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(f"cannot write {target}: {error.strerror or error}", hint="check the directory") from error
