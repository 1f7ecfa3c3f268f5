"""Trades: remedies that cost more skill than waste may, but stay above ``--floor``. Beside the rate, never in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from excise.api.candidates import Candidate
from excise.core.errors import NotMeasured
from excise.core.tax import Trade, cell_name
from excise.tax import further

if TYPE_CHECKING:
    from excise.api.auditor import Auditor
    from excise.measure.answers import Answers

GAP = "trade"


@dataclass(frozen=True, slots=True)
class Offer:
    """A remedy that keeps the floor on the choice half.

    Attributes:
        way: the remedy, and what it cannot run without.
        pilot_ms: of its unpaired pilot; the cheapest offer is measured.
        why: what it does to skill.
    """

    way: tuple[Candidate, ...]
    pilot_ms: float
    why: str

    def taken_with(self, names: tuple[str, ...], candidates: Mapping[str, Candidate]) -> tuple[Candidate, ...]:
        """The offer in the place of what removes the same lines, everything else of S* kept."""
        culprits = {one.remedy.culprit for one in self.way}
        others = [candidates[name] for name in names]
        return (*self.way, *(one for one in others if one.remedy.culprit not in culprits))


def offer(auditor: Auditor, answers: Answers, name: str) -> Offer | None:
    """A remedy as an offer; None where no floor was given or it is below it."""
    floor, way = auditor.settings.floor, auditor.ways[name]
    if floor is None:
        return None
    cell = cell_name(one.remedy.name for one in way)
    looser = auditor.admission(answers, cell, delta=1 - floor)
    return Offer(way, answers.pilot_ms[cell], looser.why) if looser.admissible else None


def trades(auditor: Auditor) -> tuple[Trade, ...]:
    """The measured trade, where it keeps the floor on the half that states the rate too; else a gap says why."""
    deal, floor = auditor.deal, auditor.settings.floor
    if not deal or floor is None:
        return ()
    remedies = tuple(one.remedy.name for one in deal)
    admission = auditor.found.estimated.get(cell_name(remedies))
    if admission is None or not admission.admissible:
        auditor.gap(GAP, f"{remedies[0]}: {admission.why if admission else 'its answers were not compared'}")
        return ()
    attainable = auditor.found.kept.get("latency", ())
    try:
        saved = further(auditor.measured, cell_name(attainable), cell_name(remedies), auditor.pricing.cost)
    except NotMeasured as error:
        auditor.gap(GAP, error)
        return ()
    remedy = deal[0].remedy
    return (
        Trade(
            remedy=remedy.name,
            culprit=remedy.culprit,
            latency_ms=saved.latency_ms,
            cost_per_1000=saved.cost_per_1000,
            floor=floor,
            evidence=admission.why,
            command=remedy.command,
            remedies=remedies,
        ),
    )
