"""Every remedy that can be tried on this model here, and why the others cannot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from excise.api.candidates import Candidate
from excise.api.lean import lean_candidates
from excise.api.rot import rot_candidates
from excise.core.tax import Culprit, Remedy

if TYPE_CHECKING:
    from excise.api.auditor import Auditor

CAST, DROP_SHADOW = "cast", "drop_shadow"


def all_candidates(auditor: Auditor) -> Iterator[Candidate]:
    """The catalogue, as far as it applies; what does not is left as a gap with its reason."""
    yield from cast_candidates(auditor)
    yield from shadow_candidates(auditor)
    yield from lean_candidates(auditor)
    yield from rot_candidates(auditor)


def cast_candidates(auditor: Auditor) -> Iterator[Candidate]:
    """Inputs cast and cleaned at the boundary, outside the timed call."""
    samples = auditor.samples
    if samples.reference_rows is None:
        auditor.gap(Culprit.FAT_FEATURES, "no --reference to learn the inputs' proper form from")
        return
    if "cast" not in samples.tables:
        return
    columns = [cast.partition(":")[0] for cast in samples.casts]
    shown = ", ".join(columns[:3]) + (f" and {len(columns) - 3} more" if len(columns) > 3 else "")  # noqa: PLR2004
    yield Candidate(
        remedy=Remedy(
            name=CAST,
            culprit=Culprit.FAT_FEATURES,
            seen=f"{shown}: not in the reference's form",
            command=f"excise profile {reference_name(auditor)} --emit-cast cast.py",
        ),
        sample="cast",
    )


def reference_name(auditor: Auditor) -> str:
    """The reference as a command line names it."""
    given = auditor.settings.reference
    if given is None:
        return auditor.settings.model
    return str(given) if isinstance(given, str | os.PathLike) else "REFERENCE"


def shadow_candidates(auditor: Auditor) -> Iterator[Candidate]:
    """Production without its shadow pipeline: the declared stages alone, or without calls that no answer depends on."""
    if auditor.subject.kind == "service":
        yield from unneeded_calls(auditor)
        return
    facts = auditor.facts
    if not facts["stages"]:
        if auditor.subject.kind == "python":
            auditor.gap(Culprit.SHADOW_PIPELINE, "the handler declares no stages (preprocess, predict, postprocess)")
        return
    if not facts["shadow"]:
        return
    kept = ", ".join(f"{name} ({reason})" for name, reason in facts["required"].items())
    yield dropping(
        seen="work beside the declared stages" + (f"; kept as required: {kept}" if kept else ""),
        command="drop it, or name it in the handler's `required` with a reason",
    )


def unneeded_calls(auditor: Auditor) -> Iterator[Candidate]:
    """A service without the calls that no answer of the survey depended on."""
    inside = auditor.found.breakdown
    if inside is None:
        return
    if inside.reason:
        auditor.gap(Culprit.SHADOW_PIPELINE, inside.reason)
    if inside.undeclared:
        names = ", ".join(dict.fromkeys(f"{item.name} ({item.where})" for item in inside.undeclared))
        first = inside.undeclared[0].name.rpartition(".")[2]
        yield dropping(
            seen=f"no answer depends on: {names}",
            command=f"drop it, or keep it: --required {first}",
        )


def dropping(*, seen: str, command: str) -> Candidate:
    """Production without its shadow pipeline, as a remedy."""
    remedy = Remedy(name=DROP_SHADOW, culprit=Culprit.SHADOW_PIPELINE, seen=seen, command=command)
    return Candidate(remedy=remedy, shadow=False)
