"""Has a model become worse? By labels where they came, by calibrated scores where they did not."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from excise.core.estimate import Estimate


class Harmed(StrEnum):
    """What can be said of a model's quality."""

    HARM = "harm"
    NONE = "none"
    UNCLEAR = "unclear"


class Basis(StrEnum):
    """What a statement about quality rests on."""

    LABELS = "labels"
    ESTIMATE = "estimate"


class QualityChange(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of quality: on the reference, now, and what was lost (then minus now)."""

    then: Estimate
    now: Estimate
    lost: Estimate


class RiskBet(msgspec.Struct, frozen=True, kw_only=True):
    """A bet that the risk, a mean loss from 0 to 1, has risen; it may be looked at after every row.

    Attributes:
        loss: which one; losses without a bound are cut off.
        baseline: risk on the reference; its upper end is what the bet is made against.
        risk: now.
        e_value: evidence after the last row. most: the largest after any. threshold: at which the rise is shown.
        alpha: chance that it is shown wrongly, over all rows and both samples.
        passed: row of the current sample, counted from 1, at which it first was; None where it never was.
    """

    loss: str
    baseline: Estimate
    risk: Estimate
    e_value: float
    most: float
    threshold: float
    alpha: float
    passed: int | None


class Assumption(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement rests on.

    Attributes:
        name: ``calibration``, ``support``, ``no_concept_change``, ``independent_rows``.
        holds: None where it cannot be checked.
        evidence: one line.
    """

    name: str
    holds: bool | None
    evidence: str


class Harm(msgspec.Struct, frozen=True, kw_only=True):
    """A model's quality against that on its reference.

    Attributes:
        how: by labels, or estimated from calibrated scores.
        outcome: harm, none or unclear.
        why: one line.
        output: of the model, that was judged. metric: the loss behind the skill.
        reference_rows, current_rows: that were judged.
        skill: 1 - loss ÷ loss of the best constant. accuracy: share of right labels. auc: area under the ROC curve.
            None where a measure does not apply.
        bet: None without labels.
        assumptions: of the statement.
        features: those that drifted materially beside it, the ones that matter most first.
        cut: what was left out for want of time, None where nothing was.
    """

    how: Basis
    outcome: Harmed
    why: str
    output: str
    metric: str
    reference_rows: int
    current_rows: int
    skill: QualityChange | None
    accuracy: QualityChange | None
    auc: QualityChange | None
    bet: RiskBet | None
    assumptions: tuple[Assumption, ...]
    features: tuple[str, ...] = ()
    cut: str | None = None
