"""Which remedies are taken: S*, chosen on the screening half and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from excise.core.errors import NotMeasured
from excise.core.estimate import Estimate
from excise.core.measurement import Experiment
from excise.core.tax import Culprit, Remedy, Trial, cell_name
from excise.stats.medians import standard_error
from excise.tax.admission import Admission
from excise.tax.cells import Set, members
from excise.tax.costs import Cost, Costs, costs_of

Floats = NDArray[np.float64]

LEAST_SAVING = 0.005
"""A saving under 0.5 % of production is not worth a remedy."""
PROCESS_OFFSET = 0.04
"""Doubt about a saving, as a share of production, where under three rounds tell none: offsets of fresh
processes reach 4 % on a quiet machine (measured on 22 A/A pairs)."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """S* of each ledger, by screening saving, greatest first, and what became of every remedy.

    Attributes:
        latency: names of the remedies that lower the mean wall time most.
        money: names of those that lower the cost most; empty without a price.
        tried: every remedy, in the order given.
    """

    latency: tuple[str, ...]
    money: tuple[str, ...]
    tried: tuple[Trial, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Move:
    """Remedies that are taken in one step, and what that saves as a share of production's cost."""

    remedies: Set
    cell: Set
    saving: float
    error: float

    @property
    def convinces(self) -> bool:
        return self.saving > max(self.error, LEAST_SAVING)


def choose(
    screen: Experiment,
    remedies: Sequence[Remedy],
    *,
    admissible: Mapping[str, Admission],
    cost: Cost | None = None,
) -> Choice:
    """Choose S* in both ledgers from the screening half alone, so that the estimate has no winner's curse.

    A remedy convinces where its saving is above one standard error and above 0.5 % of production; the test is
    lenient because the other half will estimate what is left of it. One remedy per culprit; the empty set is
    always a candidate. A remedy that cannot run alone is judged by what it adds to the largest measured cell
    that it can join, and is taken only with the remedies of that cell.

    Args:
        screen: cells named by ``cell_name``: each remedy alone, or joint cells where one cannot run alone.
        remedies: what was tried.
        admissible: by name; a remedy that is not in it is not admissible.
        cost: the price of demand; None without a price.
    Raises:
        NotMeasured: no round completed its cells.
    """
    screening = _Screening.of(screen, remedies, cost)
    allowed = {name for name, admission in admissible.items() if admission.admissible}
    chosen = screening.best(screening.latency, allowed), screening.best(screening.money, allowed)
    tried = tuple(_trial(remedy, screening, admissible.get(remedy.name), chosen) for remedy in remedies)
    return Choice(latency=chosen[0], money=chosen[1], tried=tried)


@dataclass(frozen=True, slots=True, eq=False)
class _Screening:
    """What the screening half says: costs around every cell, and the moves of both ledgers."""

    experiment: Experiment
    culprits: Mapping[str, Culprit]
    tables: Mapping[Set, Costs]
    latency: Sequence[_Move]
    money: Sequence[_Move]

    @classmethod
    def of(cls, screen: Experiment, remedies: Sequence[Remedy], cost: Cost | None) -> _Screening:
        culprits = {remedy.name: remedy.culprit for remedy in remedies}
        tables = dict(_tables(screen, culprits, cost))
        latency = _moves({cell: _by_set(costs.wall_ms, culprits) for cell, costs in tables.items()})
        priced = {cell: costs.per_1000 for cell, costs in tables.items() if costs.per_1000 is not None}
        money = _moves({cell: _by_set(costs, culprits) for cell, costs in priced.items()})
        return cls(screen, culprits, tables, latency, money)

    def best(self, moves: Sequence[_Move], allowed: set[str]) -> tuple[str, ...]:
        """The moves that save most together, every culprit at most once; names by saving, greatest first."""
        usable = [move for move in moves if move.convinces and move.cell <= allowed]
        best = max(_packings(usable, self.culprits), key=lambda packing: sum(move.saving for move in packing))
        taken = sorted(best, key=lambda move: move.saving, reverse=True)
        return tuple(name for move in taken for name in sorted(move.remedies))

    def move(self, name: str, ledger: Sequence[_Move]) -> _Move | None:
        """What taking this remedy means in a ledger, None where it did not run."""
        return next((move for move in ledger if name in move.remedies), None)

    def effect(self, name: str) -> Estimate | None:
        """What the remedy saves alone, ms; beside those that it needs, where it cannot run alone."""
        move = self.move(name, self.latency)
        if move is None:
            return None
        costs = self.tables[move.cell]
        with_it, without = (costs.wall_ms[cell_name(cell)] for cell in (move.cell, move.cell - move.remedies))
        return costs.estimate(without - with_it, "ms")


def _tables(screen: Experiment, culprits: Mapping[str, Culprit], cost: Cost | None) -> Iterator[tuple[Set, Costs]]:
    """Costs of every cell and the measured cells inside it, each on the rounds that these share.

    Of the joint cells only those with a remedy that did not run alone.
    """
    sets = {taken for name in screen.cells if (taken := members(name, culprits))}
    for cell in sorted(sets, key=lambda cell: (len(cell), sorted(cell))):
        if len(cell) > 1 and all(frozenset({name}) in sets for name in cell):
            continue
        inside = [cell_name(subset) for subset in sets if subset <= cell]
        try:
            costs = costs_of(screen, inside, cost, least_share=0.0)
        except NotMeasured:
            continue
        if cell_name(cell) in costs.wall_ms:
            yield cell, costs


def _by_set(cells: Mapping[str, Floats], culprits: Mapping[str, Culprit]) -> dict[Set, Floats]:
    return {taken: values for name, values in cells.items() if (taken := members(name, culprits)) is not None}


def _moves(tables: Mapping[Set, Mapping[Set, Floats]]) -> list[_Move]:
    """One move per table: from the best cell inside it that convinces by itself, else from production."""
    moves = []
    for cell, table in tables.items():
        steps = [_move(inside, frozenset(), table) for inside in table if inside and inside < cell]
        sure = [step for step in steps if step.convinces]
        below = max(sure, key=lambda step: step.saving).cell if sure else frozenset()
        moves.append(_move(cell, below, table))
    return moves


def _move(cell: Set, below: Set, table: Mapping[Set, Floats]) -> _Move:
    saved = (table[below] - table[cell]) / table[frozenset()]
    error = standard_error(saved)
    return _Move(cell - below, cell, float(saved[0]), PROCESS_OFFSET if error is None else error)


def _packings(moves: Sequence[_Move], culprits: Mapping[str, Culprit]) -> list[tuple[_Move, ...]]:
    """Every set of moves that exclude each other nowhere and bring along what they need.

    One remedy per culprit keeps this to a few hundred sets for a catalogue of a few dozen.
    """
    packings: list[tuple[_Move, ...]] = [()]
    for move in moves:
        packings += [(*others, move) for others in packings if _fits(move, others, culprits)]
    return [packing for packing in packings if _complete(packing)]


def _fits(move: _Move, others: tuple[_Move, ...], culprits: Mapping[str, Culprit]) -> bool:
    together = move.cell.union(*(other.cell for other in others))
    one_per_culprit = len({culprits[name] for name in together}) == len(together)
    return one_per_culprit and not any(move.remedies & other.remedies for other in others)


def _complete(packing: tuple[_Move, ...]) -> bool:
    taken: set[str] = set().union(*(move.remedies for move in packing))
    return all(move.cell <= taken for move in packing)


def _trial(
    remedy: Remedy,
    screening: _Screening,
    admission: Admission | None,
    chosen: tuple[tuple[str, ...], tuple[str, ...]],
) -> Trial:
    moves = screening.move(remedy.name, screening.latency), screening.move(remedy.name, screening.money)
    taken = remedy.name in chosen[0], remedy.name in chosen[1]
    if any(taken):
        reason = _why_taken(moves, taken)
    elif moves[0] is None:
        reason = screening.experiment.failed.get(cell_name({remedy.name}), "it was not run")
    else:
        rivals = [name for names in chosen for name in names if screening.culprits[name] == remedy.culprit]
        reason = _why_not(moves[0], moves[1], admission, rivals)
    return Trial(
        remedy=remedy.name,
        culprit=remedy.culprit,
        effect_ms=screening.effect(remedy.name),
        admissible=None if admission is None else admission.admissible,
        chosen=any(taken),
        reason=reason,
    )


def _why_taken(moves: tuple[_Move | None, _Move | None], taken: tuple[bool, bool]) -> str:
    named = zip(moves, ("latency", "money"), taken, strict=True)
    parts = [f"{move.saving:.1%} of {ledger}" for move, ledger, _ in named if move is not None]
    text = f"saves {' and '.join(parts)} when screened"
    if moves[1] is None or all(taken):
        return text
    return f"for {'latency' if taken[0] else 'money'} only: {text}"


def _why_not(latency: _Move, money: _Move | None, admission: Admission | None, rivals: Sequence[str]) -> str:
    if admission is None:
        return "its outputs were not compared"
    if not admission.admissible:
        return admission.why
    if not (latency.convinces or (money is not None and money.convinces)):
        slower = latency.saving < -max(latency.error, LEAST_SAVING)
        return "slower" if slower else "no difference that could be told"
    if rivals:
        return f"{rivals[0]} removes the same line and saves more"
    return "it runs only with remedies that are not taken"
