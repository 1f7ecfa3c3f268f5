"""What a feature is worth to a model, and what its present form costs: asked of the model, in processes of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from excise.api.audit import kept
from excise.api.subjects import Opened, open_model
from excise.core.audit import Gap
from excise.core.drift import Cause, CauseKind, FeatureDrift
from excise.core.errors import CallFailed, ExciseError
from excise.core.estimate import Estimate
from excise.core.measurement import Outputs
from excise.core.predictor import InputKind
from excise.measure.answers import first_rows
from excise.measure.process import Worker
from excise.stats.pairs import paired
from excise.tables import Table
from excise.tax.agreement import disagreeing

CURRENT = "current"
ROWS = 200
"""Rows whose answers tell what a feature is worth."""
PROCESSES = 4
"""Fresh processes behind the interval of a cost."""
TIMED = 60
"""Rows in a timed block."""
SECONDS = 10.0
"""For the answers of one sample, at most."""
COSTED = {
    CauseKind.TYPE_CHANGED,
    CauseKind.STRINGS_IN_NUMBERS,
    CauseKind.BLANKS,
    CauseKind.CASE_VARIANTS,
    CauseKind.NULLS,
    CauseKind.ALL_NULL,
    CauseKind.NON_INTEGER,
    CauseKind.PRECISION,
    CauseKind.INFINITE,
    CauseKind.NEW_CATEGORY,
}
"""Causes that change what the model has to do with a row."""


def weighed(
    model: Any, features: tuple[FeatureDrift, ...], reference: Table, current: Table, *, trust_pickle: bool
) -> tuple[tuple[FeatureDrift, ...], list[Gap]]:
    """The features with their importance and the costs of their causes.

    Args:
        model: a reference, or a fitted estimator.
        features: as they drifted.
        reference: rows as approved, without the label.
        current: rows as production gets them.
        trust_pickle: load pickles.
    Returns:
        The features, and what could not be told.
    Raises:
        ModelError, CallFailed, WorkerDied: the model does not run on the current rows, nor on the reference's.
    """
    text, trusted = kept(model, trust_pickle=trust_pickle)
    opened = open_model(text, trust_pickle=trusted, project=None)
    gaps: list[Gap] = []
    worth: dict[str, float] = {}
    costs: dict[str, Estimate] = {}
    try:
        worth = importances(opened, reference, [one.name for one in features if one.name in reference.names])
    except ExciseError as error:
        gaps.append(Gap(what="importance", why=error.message))
    for name in [one.name for one in features if costed(one) and one.name in reference.names]:
        try:
            costs[name] = cost(opened, name, reference, current)
        except ExciseError as error:
            gaps.append(Gap(what=f"cost of {name}", why=error.message))
    return tuple(with_answers(one, worth, costs) for one in features), gaps


def costed(feature: FeatureDrift) -> bool:
    """Whether a cause of it may cost time."""
    return any(cause.cause in COSTED for cause in feature.causes)


def with_answers(feature: FeatureDrift, worth: Mapping[str, float], costs: Mapping[str, Estimate]) -> FeatureDrift:
    """The feature with what the model said of it."""
    causes = tuple(with_cost(cause, costs.get(feature.name)) for cause in feature.causes)
    return msgspec.structs.replace(feature, importance=worth.get(feature.name), causes=causes)


def with_cost(cause: Cause, found: Estimate | None) -> Cause:
    """A cause that may cost time, with what its feature costs."""
    return msgspec.structs.replace(cause, cost_ms=found) if cause.cause in COSTED else cause


def opened_worker(opened: Opened) -> Worker:
    """A fresh process with the model loaded."""
    worker = Worker(sys.executable, project=opened.folder or Path.cwd())
    try:
        worker.load(opened.subject.variant.loader)
    except ExciseError:
        worker.close()
        raise
    return worker


def importances(opened: Opened, rows: Table, names: list[str]) -> dict[str, float]:
    """By feature, the share of answers that change when its values are dealt out anew among the rows.

    Source: permutation importance, Breiman 2001, with disagreement in the place of a loss: it needs no labels.
    """
    random = np.random.default_rng(0)
    some = rows.take(random.permutation(rows.rows)[:ROWS])
    with opened_worker(opened) as worker:
        own = answers(worker, opened, some, CURRENT)
        found = {}
        for name in names:
            column = some.column(name)
            dealt = some.replace(column.take(random.permutation(some.rows)))
            other = answers(worker, opened, dealt, name)
            shared = min(len(own.rows), len(other.rows))
            found[name] = float(disagreeing(first_rows(own, shared), first_rows(other, shared)).mean())
    return found


def answers(worker: Worker, opened: Opened, rows: Table, sample: str) -> Outputs:
    """The model's answers to rows.

    Raises:
        CallFailed: no row was answered.
    """
    worker.data(rows, kind=InputKind(opened.subject.default_input), name=sample)
    made = worker.outputs(sample, range(rows.rows), batch=1, shadow=True, seconds=SECONDS)
    if not len(made["rows"]):
        raise CallFailed("no row was answered", hint="run the model alone on the same rows")
    return Outputs(cell=sample, rows=made["rows"], values=made["values"])


def cost(opened: Opened, name: str, reference: Table, current: Table) -> Estimate:
    """What current rows take longer than the same rows with the reference's values of one feature, ms a call.

    One number per fresh process, from blocks in turns: current, clean, clean, current.
    """
    random = np.random.default_rng(0)
    some = current.take(random.permutation(current.rows)[:TIMED])
    clean = some.replace(reference.column(name).take(random.integers(reference.rows, size=some.rows)))
    samples = {CURRENT: some, "clean": clean}
    return paired(list(differences(opened, samples)), unit="ms")


def differences(opened: Opened, samples: Mapping[str, Table]) -> Iterator[float]:
    """Of every process, how much longer a call on current rows takes than one on clean rows, ms."""
    for _ in range(PROCESSES):
        with opened_worker(opened) as worker:
            for sample, rows in samples.items():
                worker.data(rows, kind=InputKind(opened.subject.default_input), name=sample)
                worker.warm(sample, range(rows.rows), batch=1, shadow=True, seconds=0.5)
            walls: dict[str, list[float]] = {sample: [] for sample in samples}
            for sample in (CURRENT, "clean", "clean", CURRENT):
                block = worker.run(sample, range(samples[sample].rows), batch=1, shadow=True)
                walls[sample].append(float(np.mean(block["wall_ns"])))
        yield 1e-6 * float(np.mean(walls[CURRENT]) - np.mean(walls["clean"]))
