"""Keeps an audit: its raw trials beside the ledger, its document inside, and what changed since the last one."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from excise.core.audit import Audit, Change, Gap
from excise.core.errors import StoreError
from excise.core.measurement import Experiment
from excise.core.tax import Trial
from excise.ledger import Ledger
from excise.tables import read, write_parquet

if TYPE_CHECKING:
    from excise.api.auditor import Auditor

KIND = "audit"
"""The ledger's kind of fact."""


def keep(auditor: Auditor, audit: Audit) -> Audit:
    """The audit with its trials' place and its change; what cannot be written is a gap, not an error."""
    try:
        trials = write_trials(auditor.project, audit.model.name, audit.run.started, auditor.measured)
        with Ledger.open(auditor.project) as ledger:
            kept = msgspec.structs.replace(
                audit,
                run=msgspec.structs.replace(audit.run, trials=trials),
                change=change(ledger, audit),
            )
            ledger.append(KIND, audit.model.name, msgspec.json.encode(kept), key=key(kept))
    except (StoreError, OSError) as error:
        why = str(error).splitlines()[0]
        gaps = (*audit.not_measured, Gap(what="record", why=f"the audit was not kept: {why}"))
        return msgspec.structs.replace(audit, not_measured=gaps)
    return kept


def key(audit: Audit) -> str:
    """What makes an audit one of a kind: its model, when it started and in which process."""
    return f"{audit.model.name} {audit.run.started} {os.getpid()}"


class Interrupted(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit had when it was interrupted.

    Attributes:
        model: its name. started: ISO 8601, UTC.
        tried: remedies that were already judged.
        trials: where the raw trials are, None where no round was complete.
        rounds: complete rounds of the last experiment.
    """

    schema: str = "excise/interrupted-audit/v1"
    model: str
    started: str
    tried: tuple[Trial, ...]
    trials: str | None
    rounds: int


def keep_interrupted(auditor: Auditor, experiment: Experiment | None) -> None:
    """What was measured so far, in the ledger; silent where it cannot be written, since the user is leaving."""
    with contextlib.suppress(StoreError, OSError):
        name, started = auditor.opened.subject.ref.name, auditor.started.isoformat(timespec="seconds")
        latest = experiment or auditor.found.estimate or auditor.found.screen
        kept = Interrupted(
            model=name,
            started=started,
            tried=tuple(auditor.found.trials),
            trials=write_trials(auditor.project, name, started, latest) if latest else None,
            rounds=latest.rounds if latest else 0,
        )
        with Ledger.open(auditor.project) as ledger:
            ledger.append("interrupted_audit", name, msgspec.json.encode(kept), key=f"{name} {started} {os.getpid()}")


def write_trials(project: Path, model: str, started: str, experiment: Experiment) -> str:
    """Every block of every round and cell, as Parquet; the path relative to the project."""
    folder = project / "trials"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = started.replace(":", "").replace("+0000", "Z")
    path = folder / f"{model}-{stamp}-{os.getpid()}.parquet"
    write_parquet(read(columns(experiment)), path)
    return str(Path(project.name) / path.relative_to(project))


def columns(experiment: Experiment) -> dict[str, NDArray[Any]]:
    """One row per round, block and cell."""
    cells = dict(experiment.cells) | ({"(twin)": experiment.twin} if experiment.twin else {})
    parts = [(name, *np.indices(trials.wall_ms.shape).reshape(2, -1), trials) for name, trials in cells.items()]
    return {
        "cell": np.concatenate([np.full(len(rounds), name, dtype=object) for name, rounds, _, _ in parts]),
        "round": np.concatenate([rounds for _, rounds, _, _ in parts]),
        "block": np.concatenate([blocks for _, _, blocks, _ in parts]),
        "wall_ms": np.concatenate([trials.wall_ms.ravel() for *_, trials in parts]),
        "cpu_ms": np.concatenate([trials.cpu_ms.ravel() for *_, trials in parts]),
        "disturbed": np.concatenate([experiment.disturbed[rounds] for _, rounds, _, _ in parts]),
    }


def history(project: Path, model: str | None = None) -> list[Audit]:
    """Past audits, oldest first."""
    with Ledger.open(project) as ledger:
        read = [readable(fact.document) for fact in ledger.history(KIND, model)]
    return [audit for audit in read if audit is not None]


def readable(document: bytes) -> Audit | None:
    """A kept audit; None where it was written in a form that is not known any more, or not yet."""
    try:
        return msgspec.json.decode(document, type=Audit)
    except msgspec.ValidationError:
        return None


def change(ledger: Ledger, audit: Audit) -> Change | None:
    """This audit against the last one of the same model; None for a first one or without a rate."""
    last = ledger.latest(KIND, audit.model.name)
    before = None if last is None else readable(last.document)
    if before is None or before.tax_rate is None or audit.tax_rate is None:
        return None
    moved = audit.tax_rate.value - before.tax_rate.value
    same = before.catalogue == audit.catalogue
    return Change(
        since=before.run.started[:10],
        before=before.tax_rate.value,
        after=audit.tax_rate.value,
        yours=moved if same else None,
        catalogue=0.0 if same else None,
    )
