"""``excise.drift``: what differs between two samples of inputs, why, and does it matter?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from excise.api.looks import Looking, look
from excise.api.looks import summary as looks_in_words
from excise.api.profile import SUFFIX, Released, released, sample_of, unlabeled
from excise.api.profiling import LOCAL, running
from excise.api.profiling import Sample as Rows
from excise.api.stored import stored_pairs
from excise.core.audit import Gap
from excise.core.clock import Clock, SystemClock
from excise.core.drift import Drift, Drifted, DriftRun, FailOn, FeatureDrift, Looks, Sample, StreamAlarm
from excise.core.engine import Engine
from excise.core.errors import DataError, UsageError
from excise.core.examples import mask
from excise.core.harm import Harm, Harmed
from excise.core.verdict import Outcome
from excise.features import FeatureProfile
from excise.features import drift as drifting
from excise.features.dependence import inflations
from excise.features.separations import separations
from excise.tables import CsvMode, Table
from excise.tables.places import read_place
from excise.tables.source import concatenate
from excise.tables.table import closest
from excise.tables.traffic import is_traffic, rows_sent, with_times

SEVERITY = (Drifted.MATERIAL, Drifted.IMMATERIAL, Drifted.NONE, Drifted.NOT_MEASURED)
HARM_IN_WORDS: dict[Harmed | None, str] = {
    Harmed.HARM: "; the model does worse on these rows",
    Harmed.NONE: "; the model does no worse on these rows",
    Harmed.UNCLEAR: "; whether the model does worse on these rows is unclear",
}
WITHOUT_ROWS = "a sample is a profile or was read in parts, so that its rows are not at hand"


class Side(NamedTuple):
    """One sample.

    Attributes:
        profile: without the label.
        table: its rows, likewise; None where they are not at hand.
        labeled: whether the label was among its columns.
        gaps: what of it was left out.
        labels: of the rows, None for a missing one; None where they are not at hand.
    """

    profile: FeatureProfile
    table: Table | None
    labeled: bool
    gaps: tuple[Gap, ...] = ()
    labels: NDArray[Any] | None = None


def drift(
    reference: Any,
    current: Any = None,
    *,
    fail_on: str | None = None,
    alpha: float = drifting.ALPHA,
    correction: str = "holm",
    floor: float = drifting.FLOOR,
    ordered: bool = False,
    target: str | None = None,
    csv: CsvMode = "exact",
    top: int | None = None,
    model: Any = None,
    trust_pickle: bool = False,
    stream: str | os.PathLike[str] | None = None,
    at: str | None = None,
    false_alarms: float | None = None,
    looks_per_quarter: int | None = None,
    restart: Sequence[str] = (),
    engine: str | Engine = LOCAL,
    clock: Clock | None = None,
) -> Drift:
    """Hold current inputs against a reference, feature by feature.

    A feature is ``material`` when the lower bound of its effect passes the floor, or when it changed in a way that
    models break on; ``immaterial`` when there is a difference that nobody would act upon. Both are alarms; on a clean
    sample the chance of any is at most ``alpha``.

    Args:
        reference: a path, directory, glob, URL, frame, ``FeatureProfile``, ``….profile`` file or release.
        current: likewise, but no profile: a sample has to be counted between the reference's edges. Of recorded
            requests (``excise record``, HAR) it is the rows in their bodies. Left out where the reference is a view of
            a feature store (``feast:PATH/VIEW``), whose online values are held against its offline ones.
        fail_on: ``material`` or ``immaterial``: the outcome is fail where a feature reaches it; ``harm``: where the
            model is shown to have become worse, which takes a model and the reference's labels.
        alpha: chance of any false alarm.
        correction: ``holm``, or ``bh`` for a share of false alarms.
        floor: effect, or share of rows, that counts as material.
        ordered: rows stand in time order and may depend on each other: errors are widened by what blocks of them show.
        target: the label column, which is left out; with a model, its quality is held against it. A release brings
            its own.
        csv: how CSV cells get their types.
        top: only so many features, the most important first.
        model: what to ask for importance and costs, by reference or as an object.
        trust_pickle: load pickles.
        stream: a file that carries evidence from look to look, begun by the first. Then ``fail_on`` goes by the alarms
            of all looks together.
        at: what this look is called, today's date by default; a label that was looked at before adds nothing.
        false_alarms: of a new stream: how many are accepted in a quarter, 0.05 by default.
        looks_per_quarter: of a new stream: how often is looked at most, 90 by default.
        restart: features whose change was dealt with: evidence against them starts anew with this look.
        engine: where files are read and counted: ``local``, ``ray``, ``spark``, or one of your own. All give the same
            numbers; rows that an engine elsewhere reads are not at hand for ``ordered`` and ``model``.
        clock: for tests.

    Raises:
        DataError: a sample or the stream cannot be read.
        NotComparable: the stream is one of another reference.
        MissingExtra: the system behind the engine is not installed.
        UsageError: a setting that is not known.
    """
    rules = checked(alpha, correction, floor, fail_on, top)
    if fail_on == FailOn.HARM and model is None:
        raise UsageError("harm is told of a model", hint="--model MODEL --target LABEL")
    looking = Looking(stream, at, false_alarms, looks_per_quarter, tuple(restart)).checked()
    ticking = clock or SystemClock()
    began, started = ticking.monotonic(), ticking.now()
    stored = None if current is not None else stored_pairs(reference)
    if stored is not None:
        reference, current = stored.offline, stored.online
    brought = None if model is None else released(reference)
    with running(engine) as counting:
        before, now = sides(reference, current, csv, target, counting, brought=brought)
    inflation = widened(before, now) if ordered else None
    apart = separations(before.profile, before.table, now.table) if before.table and now.table and not ordered else {}
    found = drifting.drift(before.profile, now.profile, rules, inflation, apart)
    gaps = list(now.gaps)
    harm = None
    if stored is not None:
        found, left_out = stored.judged(found, rules.floor)
        gaps += left_out
    if model is not None:
        found, unasked = asked_of(model, found, before, now, trust_pickle=trust_pickle)
        gaps += unasked
    features = sorted(found, key=place)
    if model is not None:
        harm, more = harmed(model, features, before, now, trust_pickle=trust_pickle)
        gaps += more
    features = features[:top]
    worst = min((one.verdict for one in features), key=SEVERITY.index, default=Drifted.NOT_MEASURED)
    limit = None if fail_on is None else FailOn(fail_on)
    looks = None if stream is None else look(looking, before.profile, now.profile, started, inflation)
    return Drift(
        run=DriftRun(
            started=started.isoformat(timespec="seconds"), seconds=ticking.monotonic() - began, engine=counting.name
        ),
        outcome=outcome_of(features, limit, looks, harm),
        why=summary(features, looks) + HARM_IN_WORDS.get(harm.outcome if harm else None, ""),
        verdict=worst,
        fail_on=limit,
        alpha=alpha,
        correction=correction,
        floor=floor,
        ordered=ordered,
        reference=Sample(source=before.profile.source, rows=before.profile.rows),
        current=Sample(source=now.profile.source, rows=now.profile.rows),
        features=tuple(features),
        not_measured=(*unmeasured(found), *gaps),
        looks=looks,
        harm=harm,
    )


def widened(before: Side, now: Side) -> dict[str, float]:
    """By feature, how much dependence between rows in order widens errors.

    Raises:
        UsageError: the rows were read in parts.
    """
    if now.table is None:
        raise UsageError("rows that are read in parts have no order", hint="leave out --ordered, or give fewer rows")
    return inflations(before.table, now.table)


def checked(alpha: float, correction: str, floor: float, fail_on: str | None, top: int | None) -> drifting.Rules:
    """The rules, if they make sense.

    Raises:
        UsageError: one does not.
    """
    if not (0 < alpha < 1 and 0 <= floor < 1):
        raise UsageError("alpha and floor are shares", hint="alpha 0.05 and floor 0.01 are usual")
    if correction not in drifting.CORRECTIONS:
        raise UsageError(f"unknown correction {correction!r}", hint=f"one of: {', '.join(drifting.CORRECTIONS)}")
    if fail_on not in (None, *FailOn):
        raise UsageError(f"cannot fail on {fail_on!r}", hint=f"one of: {', '.join(FailOn)}")
    if top is not None and top < 1:
        raise UsageError("top counts features", hint="--top 1 shows the most important one")
    return drifting.Rules(alpha, correction, floor)


def sides(
    reference: Any, current: Any, csv: CsvMode, target: str | None, engine: Engine, *, brought: Released | None = None
) -> tuple[Side, Side]:
    """Both samples as profiles between the same edges; a release that the reference is brings its labels.

    Raises:
        DataError: one cannot be read, or the current one is a profile that was built between other edges.
    """
    if is_profile(current):
        raise DataError("the current sample is a profile", hint="give its rows: edges come from the reference")
    stored = stored_profile(reference)
    before = side_of(reference, csv, target, engine) if stored is None else stored_side(stored, target)
    if brought is not None and brought.target is not None and target in (None, brought.target):
        before = before._replace(labeled=True, labels=labels_in(brought.table, brought.target))
        target = brought.target
    now = side_of(current, csv, target, engine, before.profile)
    if target is not None and stored is None and not (before.labeled or now.labeled):
        names = before.profile.columns
        raise DataError(f"{before.profile.source} has no column {target!r}", hint=closest(target, names))
    return before, now


def stored_side(profile: FeatureProfile, target: str | None) -> Side:
    """A profile that was kept, without the label."""
    return Side(unlabeled(profile, target), None, labeled=target in profile.columns)


def side_of(
    data: Any, csv: CsvMode, target: str | None, engine: Engine, edges_from: FeatureProfile | None = None
) -> Side:
    """A sample's rows, profiled; in parts where it is large or an engine elsewhere reads it, so that they are gone."""
    sample = sample_of(data, csv, engine)
    gaps: tuple[Gap, ...] = ()
    if edges_from is not None and sample.tables and is_traffic(sample.tables[0].names):
        sample, gaps = seen_by_server(sample, edges_from)
    side, table = stored_side(sample.profile(engine, edges_from), target), sample.table
    if sample.parts and is_traffic(side.profile.columns):
        raise DataError(f"{sample.source}: so many recorded requests are not taken apart", hint="give fewer of them")
    if table is None or target is None or not side.labeled:
        return side._replace(table=table, gaps=gaps)
    return side._replace(table=table.drop([target]), labels=labels_in(table, target), gaps=gaps)


def labels_in(table: Table, target: str) -> NDArray[Any]:
    """A column's values, None for nulls."""
    column = table.column(target)
    return column.values if column.nulls is None else np.array(column.plain(), dtype=object)


def seen_by_server(recorded: Rows, reference: FeatureProfile) -> tuple[Rows, tuple[Gap, ...]]:
    """The rows that recorded requests brought, and how many brought none.

    Raises:
        DataError: none did.
    """
    found = rows_sent(concatenate(list(recorded.tables), recorded.source), reference.columns)
    times = [name for name, column in reference.columns.items() if column.form == "datetime"]
    sample = recorded._replace(tables=(with_times(found.rows, times),))
    if not found.skipped:
        return sample, ()
    what = f"{found.skipped} of {found.requests} recorded requests"
    return sample, (Gap(what=what, why="refused, or without one of the reference's columns in a JSON body"),)


def is_profile(data: Any) -> bool:
    """Whether it is a profile, or a file that holds one."""
    if isinstance(data, str | os.PathLike):
        return Path(data).suffix == SUFFIX
    return isinstance(data, FeatureProfile)


def stored_profile(data: Any) -> FeatureProfile | None:
    """The profile that was given or kept; None for rows.

    Raises:
        DataError: the file is missing, or is no profile of this version.
    """
    if not is_profile(data):
        return None
    if isinstance(data, FeatureProfile):
        return data
    content = read_place(data)
    try:
        found = FeatureProfile.decode(content)
    except DataError as error:
        raise DataError(f"{data}: {error.message}", hint=error.hint) from error
    return msgspec.structs.replace(found, source=str(data))


def place(feature: FeatureDrift) -> tuple[int, float, str]:
    """What comes first: the verdict, then the effect times what the feature is worth to the model."""
    size = 1.0 if feature.effect is None else feature.effect.value
    worth = 1.0 if feature.importance is None else feature.importance
    return SEVERITY.index(feature.verdict), -size * worth, feature.name


def outcome_of(
    features: list[FeatureDrift], limit: FailOn | None, looks: Looks | None, harm: Harm | None = None
) -> Outcome:
    """Fail where a feature reaches the limit, alarms by all looks, or harm is shown; not measured where none was."""
    if limit is FailOn.HARM:
        shown = harm is not None and harm.outcome is Harmed.HARM
        return Outcome.NOT_MEASURED if harm is None else Outcome.FAIL if shown else Outcome.PASS
    if looks is not None:
        return Outcome.FAIL if limit is not None and looks.alarms else Outcome.PASS
    measured = [one.verdict for one in features if one.verdict is not Drifted.NOT_MEASURED]
    if not measured:
        return Outcome.NOT_MEASURED
    failing = {None: (), FailOn.MATERIAL: (Drifted.MATERIAL,)}.get(limit, (Drifted.MATERIAL, Drifted.IMMATERIAL))
    return Outcome.FAIL if any(one in failing for one in measured) else Outcome.PASS


def summary(features: list[FeatureDrift], looks: Looks | None) -> str:
    """How many features drifted, in one line; first by all looks."""
    if looks is not None:
        return f"{looks_in_words(looks)}; in this sample alone {summary(features, None)}"
    counts = {verdict: sum(one.verdict is verdict for one in features) for verdict in SEVERITY}
    if not counts[Drifted.MATERIAL] + counts[Drifted.IMMATERIAL]:
        return f"none of {len(features)} features drifted"
    material, immaterial = counts[Drifted.MATERIAL], counts[Drifted.IMMATERIAL]
    return f"{material} of {len(features)} features drifted materially, {immaterial} immaterially"


def unmeasured(features: tuple[FeatureDrift, ...]) -> list[Gap]:
    """Features of which nothing can be said."""
    why = "its cells are lists, objects or bytes, or none: only that they are there can be compared"
    return [Gap(what=one.name, why=why) for one in features if one.verdict is Drifted.NOT_MEASURED]


def asked_of(
    model: Any, found: tuple[FeatureDrift, ...], before: Side, now: Side, *, trust_pickle: bool
) -> tuple[tuple[FeatureDrift, ...], list[Gap]]:
    """The features with what the model says of them."""
    from excise.api.sensitivity import weighed  # noqa: PLC0415  workers are loaded only where a model is asked

    if now.table is None or before.table is None:
        return found, [Gap(what="importance, cost, harm", why=WITHOUT_ROWS)]
    return weighed(model, found, before.table, now.table, trust_pickle=trust_pickle)


def harmed(
    model: Any, features: list[FeatureDrift], before: Side, now: Side, *, trust_pickle: bool
) -> tuple[Harm | None, list[Gap]]:
    """What became of the model's quality; nothing where rows are not at hand."""
    from excise.api.quality import Labeled, harm_of  # noqa: PLC0415  workers are loaded only where a model is asked

    if now.table is None or before.table is None:
        return None, []
    sides = Labeled(before.table, before.labels), Labeled(now.table, now.labels)
    return harm_of(model, features, *sides, trust_pickle=trust_pickle)


def masked(found: Drift) -> Drift:
    """The same with example values and names of levels reduced to their shape, fit to leave the machine."""
    looks = found.looks
    if looks is not None:
        looks = msgspec.structs.replace(looks, alarms=tuple(map(masked_alarm, looks.alarms)))
    return msgspec.structs.replace(found, features=tuple(map(masked_feature, found.features)), looks=looks)


def masked_alarm(alarm: StreamAlarm) -> StreamAlarm:
    """Likewise of one alarm."""
    if alarm.level is None:
        return alarm
    shape = mask(alarm.level)
    return msgspec.structs.replace(alarm, level=shape, direction=alarm.direction.replace(repr(alarm.level), shape))


def masked_feature(feature: FeatureDrift) -> FeatureDrift:
    """Likewise of one feature; what a cause says in words names its example too."""
    causes = tuple(
        msgspec.structs.replace(
            cause,
            example=None if cause.example is None else mask(cause.example),
            what=cause.what if cause.example is None else cause.what.replace(cause.example, mask(cause.example)),
        )
        for cause in feature.causes
    )
    cells = feature.cells
    if feature.kind == "text":
        cells = tuple(msgspec.structs.replace(cell, name=mask(cell.name)) for cell in cells)
    return msgspec.structs.replace(feature, causes=causes, cells=cells)
