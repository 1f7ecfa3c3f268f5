"""Has the model become worse? It is asked for its answers to both samples, which are held against the labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from excise.api.audit import kept
from excise.api.sensitivity import opened_worker
from excise.api.subjects import Opened, open_model
from excise.core.audit import Gap
from excise.core.drift import Drifted, FeatureDrift
from excise.core.errors import CallFailed, ExciseError
from excise.core.harm import Harm
from excise.core.measurement import Outputs
from excise.core.predictor import InputKind
from excise.features.support import support
from excise.measure.process import Worker
from excise.tables import Table
from excise.tax.agreement import disagreeing
from excise.tax.harm import harm

ROWS = 10_000
"""Of each sample, drawn at random, that the model answers at most."""
SECONDS = 10.0
"""For the answers to one sample, at most."""
BATCH, TRIED = 256, 8
"""Rows of a call where the model takes several at once, and rows on which that is tried."""


class Labeled(NamedTuple):
    """A sample's rows without the label, and the labels, None where there are none."""

    table: Table
    labels: NDArray[Any] | None


def harm_of(
    model: Any, features: Iterable[FeatureDrift], reference: Labeled, current: Labeled, *, trust_pickle: bool
) -> tuple[Harm | None, list[Gap]]:
    """What became of the model's quality, or why that cannot be told.

    Args:
        model: a reference, or a fitted estimator.
        features: as they drifted, the ones that matter most first.
        reference: rows as approved.
        current: rows as production gets them, in the order in which they came.
        trust_pickle: load pickles.
    """
    if reference.labels is None:
        return None, [Gap(what="harm", why="the reference has no labels: name their column by --target")]
    text, trusted = kept(model, trust_pickle=trust_pickle)
    try:
        opened = open_model(text, trust_pickle=trusted, project=None)
        rows = in_order_of(reference.table, current.table)
        with opened_worker(opened) as worker:
            then, now = (answered(worker, opened, *one) for one in (("then", reference.table), ("now", rows)))
        labels_now = None if current.labels is None else current.labels[now.rows]
        known = None if labels_now is not None else support(reference.table, rows.take(now.rows))
        found = harm(then, now, reference.labels[then.rows], labels_now, support=known)
    except ExciseError as error:
        return None, [Gap(what="harm", why=error.message)]
    cut = left_out((then, reference.table), (now, rows))
    return msgspec.structs.replace(found, features=beside(features), cut=cut), []


def in_order_of(reference: Table, current: Table) -> Table:
    """Current rows with the reference's columns in its order, where it has them all."""
    return current.select(reference.names) if set(reference.names) <= set(current.names) else current


def answered(worker: Worker, opened: Opened, name: str, table: Table) -> Outputs:
    """The model's answers to rows drawn at random, so that what there is no time for is left out at random.

    Raises:
        CallFailed: it raised on a row, or answered none in time.
    """
    order = np.random.default_rng(0).permutation(table.rows)[:ROWS]
    worker.data(table, kind=InputKind(opened.subject.default_input), name=name, rows=order)
    try:
        made = asked(worker, name, len(order), batch=BATCH if answers_together(worker, name, len(order)) else 1)
    except CallFailed:  # one bad row among many, or more rows than fit: ask for each by itself
        made = asked(worker, name, len(order), batch=1)
    if not len(made.rows):
        raise CallFailed("no row was answered", hint="run the model alone on the same rows")
    return Outputs(cell=name, rows=order[made.rows], values=made.values)


def answers_together(worker: Worker, name: str, rows: int) -> bool:
    """Whether the model answers several rows in one call, and as it answers each by itself.

    Raises:
        CallFailed: it answers no single row.
    """
    few = min(rows, TRIED)
    alone = asked(worker, name, few, batch=1)
    try:
        together = asked(worker, name, few, batch=few)
    except CallFailed:
        return False
    return len(alone.rows) == len(together.rows) and not disagreeing(alone, together).any()


def asked(worker: Worker, name: str, rows: int, *, batch: int) -> Outputs:
    """Answers to the first rows of what was sent, for which there was time."""
    made = worker.outputs(name, range(rows), batch=batch, shadow=True, seconds=SECONDS)
    return Outputs(cell=name, rows=np.asarray(made["rows"]), values=made["values"])


def left_out(*asked: tuple[Outputs, Table]) -> str | None:
    """What was not answered, in words."""
    parts = [
        f"{len(outputs.rows):,} of {table.rows:,} {name} rows"
        for name, (outputs, table) in zip(("reference", "current"), asked, strict=True)
        if len(outputs.rows) < table.rows
    ]
    if not parts:
        return None
    return f"{' and '.join(parts)} were answered, drawn at random: {ROWS:,} rows and {SECONDS:g} s at most"


def beside(features: Iterable[FeatureDrift]) -> tuple[str, ...]:
    """Features that drifted materially, and that the model looks at as far as that is known."""
    return tuple(
        one.name
        for one in features
        if one.verdict is Drifted.MATERIAL and (one.importance is None or one.importance > 0)
    )
