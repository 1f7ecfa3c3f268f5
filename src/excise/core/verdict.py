"""A decision with its evidence and the error rate that was stated before the data came."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """What a check can say; the last two are never a pass and never a fail."""

    PASS = "pass"  # noqa: S105  a verdict, not a password
    FAIL = "fail"
    UNDECIDED = "undecided"
    NOT_MEASURED = "not_measured"


EXIT_CODES = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNDECIDED: 3, Outcome.NOT_MEASURED: 4}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one check, or of several.

    Attributes:
        outcome: pass, fail, undecided or not_measured.
        why: one line of evidence.
        alpha: probability of a wrong ``fail`` that was spent, None for a plain comparison.
        required: whether it decides a composed verdict, or is only shown.
    """

    outcome: Outcome
    why: str
    alpha: float | None = None
    required: bool = True

    @property
    def exit_code(self) -> int:
        """The exit code that a command ends with on this verdict."""
        return EXIT_CODES[self.outcome]


def compose(checks: Iterable[Verdict]) -> Verdict:
    """One verdict of several: the required ones decide, the worst first.

    >>> compose([Verdict(outcome=Outcome.PASS, why="p50"), Verdict(outcome=Outcome.UNDECIDED, why="rss")]).outcome
    <Outcome.UNDECIDED: 'undecided'>
    """
    required = [check for check in checks if check.required]
    for outcome in (Outcome.FAIL, Outcome.UNDECIDED, Outcome.NOT_MEASURED):
        found = [check for check in required if check.outcome is outcome]
        if found:
            return Verdict(outcome=outcome, why="; ".join(check.why for check in found), alpha=total_alpha(required))
    if not required:
        return Verdict(outcome=Outcome.NOT_MEASURED, why="no required check ran")
    return Verdict(outcome=Outcome.PASS, why=f"{len(required)} checks passed", alpha=total_alpha(required))


def total_alpha(checks: Iterable[Verdict]) -> float | None:
    """The family's error rate by the union bound; None where no check spent any."""
    spent = [check.alpha for check in checks if check.alpha is not None]
    return min(1.0, sum(spent)) if spent else None
