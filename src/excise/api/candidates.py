"""Remedies as things that can be run: which process, which rows, with or without the shadow pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from pathlib import Path
from typing import Any, Self

import msgspec

from excise.core.predictor import Variant
from excise.core.tax import PRODUCTION, Remedy, cell_name
from excise.measure.design import Arm, Cell


@dataclass(frozen=True, slots=True)
class Candidate:
    """A remedy and what taking it changes; what is None stays as production has it.

    Attributes:
        remedy: its name, culprit, evidence and command.
        variant: another form of the model.
        python: another environment's interpreter.
        sample: other rows (``cast``).
        shadow: whether the shadow pipeline still runs.
    """

    remedy: Remedy
    variant: Variant | None = None
    python: str | None = None
    sample: str | None = None
    shadow: bool = True


@dataclass(frozen=True, slots=True)
class Ground:
    """Production as it is: what the candidates change."""

    variant: Variant
    python: str
    project: Path | None

    def place(self, taken: Iterable[Candidate]) -> tuple[Arm, Cell]:
        """The process and the way of calling with these remedies taken together."""
        chosen = list(taken)
        variant = next((one.variant for one in chosen if one.variant), self.variant)
        variant = msgspec.structs.replace(variant, drop=self.variant.drop)
        python = next((one.python for one in chosen if one.python), self.python)
        where = "" if python == self.python else " in another environment"
        arm = Arm(name=variant.name + where, variant=variant, python=python, project=self.project)
        cell = Cell(
            name=cell_name(one.remedy.name for one in chosen),
            arm=arm.name,
            sample=next((one.sample for one in chosen if one.sample), "current"),
            shadow=all(one.shadow for one in chosen),
        )
        return arm, cell

    def without(self, calls: tuple[dict[str, Any], ...]) -> Self:
        """The same production, whose shadow pipeline is these calls."""
        return replace(self, variant=msgspec.structs.replace(self.variant, drop=calls))

    def places(self, sets: Iterable[Sequence[Candidate]]) -> tuple[dict[str, Arm], dict[str, Cell]]:
        """Arms and cells of several sets; production is always among them."""
        made = [self.place(one) for one in [(), *sets]]
        return {arm.name: arm for arm, _ in made}, {cell.name: cell for _, cell in made}


def subsets(names: Sequence[str], candidates: Mapping[str, Candidate]) -> list[tuple[Candidate, ...]]:
    """All subsets that are not empty, the smaller ones first."""
    sizes = range(1, len(names) + 1)
    return [tuple(candidates[name] for name in one) for one in chain(*(combinations(names, size) for size in sizes))]


def needed(ledgers: Iterable[Sequence[str]], candidates: Mapping[str, Candidate]) -> list[tuple[Candidate, ...]]:
    """The subsets that every ledger's remedies need, each once."""
    found: dict[str, tuple[Candidate, ...]] = {}
    for names in ledgers:
        for one in subsets(names, candidates):
            found.setdefault(cell_name(candidate.remedy.name for candidate in one), one)
    found.pop(PRODUCTION, None)
    return list(found.values())
