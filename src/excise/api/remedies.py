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
    """The declared stages alone."""
    facts = auditor.facts
    if not facts["stages"]:
        if auditor.opened.subject.kind == "python":
            auditor.gap(Culprit.SHADOW_PIPELINE, "the handler declares no stages (preprocess, predict, postprocess)")
        return
    if not facts["shadow"]:
        return
    kept = ", ".join(f"{name} ({reason})" for name, reason in facts["required"].items())
    yield Candidate(
        remedy=Remedy(
            name=DROP_SHADOW,
            culprit=Culprit.SHADOW_PIPELINE,
            seen="work beside the declared stages" + (f"; kept as required: {kept}" if kept else ""),
            command="drop it, or name it in the handler's `required` with a reason",
        ),
        shadow=False,
    )
