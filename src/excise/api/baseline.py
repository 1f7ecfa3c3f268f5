"""Measures a release once, when it is approved: what later audits hold it against."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from excise.api.standing import standing
from excise.core.audit import Standing
from excise.core.clock import SystemClock
from excise.core.measurement import Outputs
from excise.core.predictor import Variant
from excise.core.release import Baseline, OpenedRelease
from excise.core.tax import PRODUCTION
from excise.measure.answers import collect
from excise.measure.design import Arm, Budget, Cell, Design
from excise.measure.experiment import run_experiment
from excise.releases.hardware import hardware
from excise.tables import Table
from excise.tax import Admission, admit, metric_of

SECONDS = 10.0
"""Wall time of measuring a baseline; creating a release must not take long."""
ANSWER_SECONDS = 2.0
LEAST, MOST = 3, 8


def measure_baseline(opened: OpenedRelease, reference: Table, target: str | None) -> Baseline:
    """Latency, CPU, memory and skill of a release on its reference rows, in fresh processes.

    Args:
        opened: the release, laid out.
        reference: its rows, the label column among them.
        target: name of the label column, None without.
    Raises:
        CallFailed, CallTimeout, WorkerDied: it does not run on its own reference.
    """
    labels = None if target is None else reference.column(target).values
    design = design_of(opened, reference if target is None else reference.drop([target]))
    order = np.random.default_rng(0).permutation(reference.rows)
    outputs = collect(design, order, seconds=ANSWER_SECONDS).outputs[PRODUCTION]
    experiment = run_experiment(design, Budget(seconds=SECONDS, rows=order, least=LEAST, most=MOST, twin=False), seed=0)
    own = skill_of(outputs, labels)
    found = standing(experiment.cells[PRODUCTION], skill=own.skill)
    return baseline_of(opened, found, own.metric, target)


def design_of(opened: OpenedRelease, rows: Table) -> Design:
    """An experiment with the release and nothing else."""
    variant = Variant(name=PRODUCTION, loader=opened.loader)
    arm = Arm(name=PRODUCTION, variant=variant, python=sys.executable, project=Path(opened.root))
    cell = Cell(name=PRODUCTION, arm=PRODUCTION)
    return Design(
        arms={PRODUCTION: arm},
        cells={PRODUCTION: cell},
        incumbent=PRODUCTION,
        samples={"current": rows},
        kind=opened.release.input,
    )


def skill_of(outputs: Outputs, labels: NDArray[Any] | None) -> Admission:
    """The release held against itself: its skill, and the loss behind it."""
    target = None if labels is None else labels[outputs.rows]
    return admit(outputs, outputs, target, metric=metric_of(labels, None))


def baseline_of(opened: OpenedRelease, found: Standing, metric: str | None, target: str | None) -> Baseline:
    """The numbers as a baseline."""
    return Baseline(
        release=opened.release.digest,
        measured=SystemClock().now().isoformat(timespec="seconds"),
        latency_ms=found.latency_ms,
        p50_ms=found.p50_ms,
        p95_ms=found.p95_ms,
        p99_ms=found.p99_ms,
        cpu_ms=found.cpu_ms,
        rss_mib=found.rss_mib,
        load_ms=found.load_ms,
        skill=found.skill,
        metric=metric,
        target=target,
        hardware=hardware(),
    )
