"""What an audit needs, and whether it is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import msgspec

from excise.core.verdict import Outcome, Verdict, compose


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that an audit needs, or can make use of.

    Attributes:
        what: its name.
        outcome: pass where it is there, fail where it is not, not_measured where there was no time to see.
        seen: what is there, or why it is not.
        unlocks: what an audit measures with it.
        get: the flag or the command that brings it; None where nothing is to be done.
        required: whether an audit does not run without it.
    """

    what: str
    outcome: Outcome
    seen: str
    unlocks: str
    get: str | None = None
    required: bool = False


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """All of it.

    Attributes:
        outcome: of what is required: fail where any of it is missing.
        why: in one line.
        command: the audit that would run.
        needs: in the order in which they are shown.
    """

    schema: str = "excise/check/v1"
    outcome: Outcome
    why: str
    command: str
    needs: tuple[Need, ...]

    @classmethod
    def of(cls, needs: Iterable[Need], command: str) -> Self:
        """The check of these needs."""
        found = tuple(needs)
        verdicts = [Verdict(outcome=one.outcome, why=f"{one.what}: {one.seen}", required=one.required) for one in found]
        verdict = compose(verdicts)
        why = "all that an audit needs is there" if verdict.outcome is Outcome.PASS else verdict.why
        return cls(outcome=verdict.outcome, why=why, command=command, needs=found)
