"""The tax return: remedies, culprits, lines and rates."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from excise.core.estimate import Estimate


class Culprit(StrEnum):
    """The lines of a tax return."""

    MODEL_BLOAT = "model_bloat"
    DEPENDENCY_ROT = "dependency_rot"
    FAT_FEATURES = "fat_features"
    SHADOW_PIPELINE = "shadow_pipeline"


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """An action that someone here can take.

    Attributes:
        name: unique within an audit (``onnx``, ``cast``, ``drop_shadow``, ``newest``).
        culprit: the line that it removes. Two remedies of one culprit exclude each other.
        seen: the evidence, in a few words.
        command: what removes the line; parses as a command of excise, or is a plain instruction.
    """

    name: str
    culprit: Culprit
    seen: str = ""
    command: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One culprit's share. ``latency_ms`` and ``cost_per_1000`` add up over the lines exactly.

    Attributes:
        culprit: whose share it is; several joined by ``+`` where they cannot be separated.
        latency_ms, cost_per_1000: the Shapley shares of the two ledgers.
        alone_ms: what the remedy saves when it is the only one.
        last_ms: what it saves when all others were already taken.
        evidence: what was seen.
        remedy: the command that removes it.
        remedies: names of the remedies behind the line.
    """

    culprit: str
    latency_ms: Estimate | None
    cost_per_1000: Estimate | None
    alone_ms: Estimate | None
    last_ms: Estimate | None
    evidence: str
    remedy: str
    remedies: tuple[str, ...] = ()


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A remedy that was tried.

    Attributes:
        remedy: its name.
        culprit: the line that it would remove.
        effect_ms: production minus remedy on the screening half (negative: slower); None where it did not run.
        admissible: whether skill or agreement held; None where that was not reached.
        chosen: whether it is in S*.
        reason: why it is or is not.
    """

    remedy: str
    culprit: Culprit
    effect_ms: Estimate | None
    admissible: bool | None
    chosen: bool = False
    reason: str


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """A remedy that costs more skill than waste may, and less than the floor allows. Never inside the rate.

    Attributes:
        remedy: its name; ``culprit``: the line that it would lower further.
        latency_ms, cost_per_1000: what it saves beyond what is attainable without it.
        floor: share of skill that must stay.
        evidence: what it does to skill. command: what makes the trade.
        remedies: everything that is taken with it.
    """

    remedy: str
    culprit: Culprit
    latency_ms: Estimate
    cost_per_1000: Estimate | None
    floor: float
    evidence: str
    command: str
    remedies: tuple[str, ...] = ()


class Subset(msgspec.Struct, frozen=True, kw_only=True):
    """One measured cell of the subset table."""

    remedies: tuple[str, ...]
    latency_ms: Estimate | None
    cost_per_1000: Estimate | None
    why_not: str | None = None


class TaxRate(msgspec.Struct, frozen=True, kw_only=True):
    """1 - attainable ÷ current in one ledger, with what it was reached with.

    Attributes:
        rate: unit ``ratio``; the interval is not clipped at zero.
        remedies: S*, in the order of their screening effect.
    """

    rate: Estimate
    remedies: tuple[str, ...]


PRODUCTION = "production"
"""Name of the cell with no remedy taken."""


def cell_name(remedies: Iterable[str]) -> str:
    """Name of the cell in which these remedies are taken.

    >>> cell_name(()), cell_name({"onnx", "cast"})
    ('production', 'cast & onnx')
    """
    return " & ".join(sorted(remedies)) or PRODUCTION
