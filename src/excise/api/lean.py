"""Lean variants: the user's own and what the catalogue's transforms make."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from excise.adapters.transforms import installed
from excise.api.asking import told, with_request, without_secrets
from excise.api.candidates import Candidate
from excise.api.fetching import describe
from excise.core.predictor import HOLDERS, LoaderSpec, Subject, Variant
from excise.core.refs import SERVICES, ModelRef
from excise.core.tax import Culprit, Remedy, Trial
from excise.frontier import propose
from excise.frontier.preparation import Prepared, Sample, prepare_all
from excise.measure.process import Worker
from excise.tables import Table

if TYPE_CHECKING:
    from excise.api.auditor import Auditor

WITHOUT_MODEL = {
    "python": "the handler has no attribute `model`",
    "service": "the service holds no single model among its globals and its state",
}
"""Why the catalogue has nothing to work on, by the subject's kind."""
LEAN = "lean:"
EXPORT_ROWS = 64
"""Rows that an exporter sees and compares its answers on."""


def lean_candidates(auditor: Auditor) -> Iterator[Candidate]:
    """The user's own candidates, then the catalogue's."""
    subject = auditor.subject
    names = Counter(own_name(text) for text in auditor.settings.lean)
    for text in auditor.settings.lean:
        name = own_name(text)
        yield own_candidate(auditor, text, name if names[name] == 1 else f"{LEAN}{text}")
    if subject.kind in WITHOUT_MODEL and not auditor.facts["has_model"]:
        if not auditor.settings.lean:
            auditor.gap(Culprit.MODEL_BLOAT, f"{WITHOUT_MODEL[subject.kind]}, and no --lean candidate was given")
        return
    yield from made_candidates(auditor)


def own_name(text: str) -> str:
    """What a candidate of the user's is called: its label, or a short name of what it is.

    >>> own_name("small=small.onnx"), own_name("fast.py:predict"), own_name("asgi:fast:app")
    ('small', 'lean:predict', 'lean:fast')
    """
    ref = ModelRef.parse(text)
    attribute = None if ref.attribute in SERVICES else ref.attribute
    return ref.label or f"{LEAN}{attribute or ref.name}"


def own_candidate(auditor: Auditor, text: str, name: str) -> Candidate:
    """A model of the user's: a handler takes production's place, a model file that of its handler's ``model``.

    Raises:
        InputError: it cannot be opened.
    """
    ref = ModelRef.parse(text)
    subject = auditor.subject
    given = auditor.settings
    found = describe(ref, trust_pickle=given.trust_pickle, project=given.project, offline=given.offline)
    found = with_request(found, auditor.asked, given)
    loader = found.variant.loader
    if subject.kind in HOLDERS and found.kind not in HOLDERS:
        production = subject.variant.loader
        inside = {"loader": loader.loader, "target": loader.target, "options": loader.options}
        loader = msgspec.structs.replace(production, options={**production.options, "replace_model": inside})
    variant = Variant(name=name, loader=loader, lineage=(text,), size_bytes=found.variant.size_bytes)
    return candidate(variant, f"your own candidate {text}", f"put {text} in production's place")


def candidate(variant: Variant, seen: str, command: str) -> Candidate:
    """A lean variant as a remedy."""
    remedy = Remedy(name=variant.name, culprit=Culprit.MODEL_BLOAT, seen=seen, command=command)
    return Candidate(remedy=remedy, variant=variant)


def made_candidates(auditor: Auditor) -> Iterator[Candidate]:
    """Variants that transforms can make of this model; every refusal is told."""
    subject = auditor.subject
    proposals = propose(subject, installed())
    for proposal in proposals:
        if not proposal.applies:
            refuse(auditor, proposal.transform.name, proposal.reason or "it does not apply")
    transforms = [proposal.transform for proposal in proposals if proposal.applies]
    rows = auditor.samples.choice[: EXPORT_ROWS * auditor.settings.batch]
    table = export_table(auditor).take(rows)
    made = prepare_all(
        without_secrets(subject),
        transforms,
        open_worker=lambda: Told(subject, project=auditor.opened.folder),
        sample=Sample(table=table, kind=auditor.kind, rows=tuple(range(table.rows)), batch=auditor.settings.batch),
        out_dir=auditor.project / "variants",
        budget_s=auditor.settings.prepare_budget_s,
        environment=auditor.environment.lock_digest,
    )
    for transform, one in zip(transforms, made, strict=True):
        if isinstance(one, Prepared):
            variant = msgspec.structs.replace(one.variant, loader=told(one.variant.loader, subject))
            yield candidate(variant, "; ".join((one.variant.name, *one.notes)), command_for(one))
        else:
            refuse(auditor, transform.name, one.reason)


class Told(Worker):
    """A worker that is told how the subject is asked, beside what stands in files of its loader."""

    def __init__(self, subject: Subject, *, project: Path | None, **more: Any) -> None:
        super().__init__(sys.executable, project=project, **more)
        self.subject = subject

    def load(self, spec: LoaderSpec, **more: Any) -> dict[str, Any]:
        """Load the model."""
        return super().load(told(spec, self.subject), **more)


def export_table(auditor: Auditor) -> Table:
    """Rows that the exporter runs the model on: clean ones where production's need casting."""
    return auditor.samples.tables.get("cast", auditor.samples.tables["current"])


def refuse(auditor: Auditor, name: str, reason: str) -> None:
    """A transform that made nothing."""
    auditor.found.trials.append(
        Trial(remedy=name, culprit=Culprit.MODEL_BLOAT, effect_ms=None, admissible=None, reason=reason)
    )


def command_for(made: Prepared) -> str:
    """Where the variant lies that removes the line."""
    target = Path(made.variant.loader.options.get("replace_model", {}).get("target") or made.variant.loader.target)
    shown = target.relative_to(Path.cwd()) if target.is_relative_to(Path.cwd()) else target
    return f"serve {shown}"
