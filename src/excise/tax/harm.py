"""Has the model become worse? Its answers to the reference and to current rows, with the labels that there are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from excise.core.errors import NotComparable
from excise.core.estimate import Estimate
from excise.core.harm import Assumption, Basis, Harm, Harmed, QualityChange, RiskBet
from excise.core.measurement import Outputs
from excise.features.causes import percent
from excise.features.support import Support
from excise.stats.calibration import CalibrationMap, miscalibration
from excise.stats.expected import OWN_ANSWER, TWO_CLASSES, Measure, expected_quality
from excise.stats.proportions import proportion
from excise.stats.quantiles import normal
from excise.stats.ranking import auc
from excise.stats.risk import risk_bet
from excise.stats.skill import Loss, skill
from excise.tax.beside import skill_lost
from excise.tax.outputs import column, labeled, losses, metric_of, plain, soft

Array = NDArray[Any]
Floats = NDArray[np.float64]

ALPHA = 0.05
"""Chance that a bet shows harm where the risk has not risen."""
NOTICEABLE = 0.02
"""Loss of quality, or gap of a calibration, that is too small to call a model worse for."""
CUT_AT = 0.99
"""Losses without a bound are cut off at this quantile of the reference's, so that a bet can be made on them."""
FEWEST = 100
"""Reference rows with labels, from which on a calibration can be learned and tested."""
CLOSE = 0.05
"""Gap of a calibration, beyond which rows that do not refute it are too few to say that it holds."""
LARGEST_OUTSIDE = 0.05
"""Share of rows unlike the reference's, beyond which an estimate is an extrapolation."""
NAMED = 3
"""Features that are named for it."""
LOSS_IN_WORDS = {Loss.ZERO_ONE.value: "error rate", Loss.BRIER.value: "Brier score"}
UNCHANGED = Assumption(
    name="no_concept_change",
    holds=None,
    evidence="whether a score still means what it meant cannot be seen without labels",
)
PROBABILITIES = {Loss.BRIER.value, Loss.LOG_LOSS.value}


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One sample's answers, row by row, in the order in which the rows came.

    Attributes:
        rows: numbers of the rows in their sample, shape (n,).
        output, metric: what was judged by which loss.
        loss, constant: of the model and of the best constant, shape (n,).
        wrong: 1 where the label is wrong; None where answers are no labels.
        hits, scores: whether it was the second of two classes, and the score for that; None for all else.
        most: the largest loss that there can be; infinite where there is no bound.
    """

    rows: NDArray[np.int64]
    output: str
    metric: str
    loss: Floats
    constant: Floats
    wrong: Floats | None
    hits: Floats | None
    scores: Floats | None
    most: float


def harm(
    then: Outputs,
    now: Outputs,
    labels: Array,
    labels_now: Array | None,
    *,
    metric: str | None = None,
    support: Support | None = None,
) -> Harm:
    """Hold a model's quality now against that on its reference.

    Args:
        then: answers to rows of the reference.
        now: answers to current rows.
        labels: of the answered reference rows, shape (then,).
        labels_now: of the answered current rows, shape (now,); None, or all missing, for an estimate without labels.
        metric: a loss by name, None to choose.
        support: how many current rows the reference does not know the like of.
    Raises:
        NotComparable: no output fits the labels, a label is new, or without labels the answers are no probabilities.
        UsageError: there is no such metric.
    """
    outputs, found = ordered(then, labels)
    first = losses(outputs, outputs, found.labels, metric_of(found.labels, metric))
    coded = coded_alike(found.labels, found.labels, outputs[first.output], first.metric)
    before = judged({first.output: outputs[first.output]}, Rows(found.rows, coded), first.metric)
    answers = plain(now)
    if first.output not in answers:
        raise NotComparable(f"current rows get no answer {first.output!r}", hint="ask the same model for both")
    answers = {first.output: answers[first.output]}
    if labels_now is not None and (came := labeled(labels_now)[0]).any():
        kept = sorted_rows(now, came)
        current = {name: array[kept] for name, array in answers.items()}
        same = coded_alike(found.labels, labels_now[kept], outputs[first.output], first.metric)
        return by_labels(before, judged(current, Rows(now.rows[kept], same), first.metric))
    return by_estimate(before, outputs[first.output], answers[first.output], support)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows with a label: their numbers and the labels."""

    rows: NDArray[np.int64]
    labels: Array


def ordered(outputs: Outputs, labels: Array) -> tuple[dict[str, Array], Rows]:
    """Answers with a label, in the order of their rows."""
    kept = sorted_rows(outputs, labeled(labels)[0])
    if not kept.size:
        raise NotComparable("no row of the reference has a label", hint="name another --target")
    return {name: array[kept] for name, array in plain(outputs).items()}, Rows(outputs.rows[kept], labels[kept])


def sorted_rows(outputs: Outputs, kept: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Where the kept answers stand, in the order of their rows."""
    order = np.argsort(outputs.rows, kind="stable")
    return np.asarray(order[kept[order]], dtype=np.int64)


def coded_alike(labels: Array, current: Array, output: Array, metric: str) -> Array:
    """Current labels in the terms of the reference's, so that a class that did not come keeps its place.

    Raises:
        NotComparable: a label is one that the reference does not know.
    """
    truth, others = labeled(labels)[1], labeled(current)[1]
    if metric not in PROBABILITIES:
        return others
    found = column(output)
    columns = found.shape[1] if found.ndim > 1 else 2
    numbers = truth.dtype.kind in "biuf"
    known = np.arange(columns) if numbers and truth.min() >= 0 and truth.max() < columns else np.unique(truth)
    new = ~np.isin(others, known)
    if new.any():
        hint = f"it knows: {', '.join(map(str, known[:8]))}"
        raise NotComparable(f"{int(new.sum())} labels are none that the reference knows", hint=hint)
    return np.searchsorted(known, others)


def judged(outputs: Mapping[str, Array], found: Rows, metric: str) -> Judged:
    """One output against the labels."""
    mine = losses(outputs, outputs, found.labels, metric)
    output = outputs[mine.output]
    wrong = hits = scores = None
    if metric in PROBABILITIES | {Loss.ZERO_ONE.value}:
        wrong = losses(outputs, outputs, found.labels, Loss.ZERO_ONE).candidate
    if metric in PROBABILITIES and (score := second_of_two(output)) is not None:
        hits, scores = (found.labels[mine.kept] == 1).astype(np.float64), score[mine.kept]
    bounded = {Loss.ZERO_ONE.value: 1.0, Loss.BRIER.value: float(column(output).ndim)}
    return Judged(
        rows=found.rows[mine.kept],
        output=mine.output,
        metric=metric,
        loss=mine.candidate,
        constant=mine.constant,
        wrong=wrong,
        hits=hits,
        scores=scores,
        most=bounded.get(metric, math.inf),
    )


def second_of_two(output: Array) -> Floats | None:
    """Scores of the second of two classes; None for more classes."""
    found = column(output)
    if found.ndim == 1:
        return found.astype(np.float64)
    return found[:, 1].astype(np.float64) if found.shape[1] == 2 else None  # noqa: PLR2004  two classes


def by_labels(before: Judged, now: Judged) -> Harm:
    """By a bet on the losses of current rows."""
    cap = unit_of(before)
    losses_then, losses_now = (np.clip(side.loss / cap, 0, 1) for side in (before, now))
    made = risk_bet(losses_then, losses_now, alpha=ALPHA)
    bet = RiskBet(
        loss=before.metric,
        baseline=mean_of(losses_then, upper=made.bound),
        risk=mean_of(losses_now),
        e_value=made.e_value,
        most=made.most,
        threshold=made.threshold,
        alpha=ALPHA,
        passed=None if made.passed is None else int(now.rows[made.passed - 1]) + 1,
    )
    lost = changed(skill_of(before), skill_of(now))
    outcome, why = told_by_bet(bet, lost, rise(losses_then, losses_now))
    return Harm(
        how=Basis.LABELS,
        outcome=outcome,
        why=why,
        output=before.output,
        metric=before.metric,
        reference_rows=before.loss.size,
        current_rows=now.loss.size,
        skill=lost,
        accuracy=changed(accuracy_of(before), accuracy_of(now)),
        auc=changed(auc_of(before), auc_of(now)),
        bet=bet,
        assumptions=(
            Assumption(name="independent_rows", holds=None, evidence="rows of one sample say nothing of each other"),
        ),
    )


def unit_of(before: Judged) -> float:
    """What losses are divided by to lie in [0, 1], beyond which they are cut off."""
    if math.isfinite(before.most):
        return before.most
    return float(np.quantile(before.loss, CUT_AT)) or float(before.loss.max()) or 1.0


def mean_of(values: Floats, upper: float | None = None) -> Estimate:
    """A mean over rows, with normal ends, or with this upper one alone."""
    value, half = float(values.mean()), normal(0.975) * float(values.std()) / np.sqrt(values.size)
    low, high = (float(value - half), float(value + half)) if upper is None else (None, upper)
    return Estimate(value=value, low=low, high=high, unit="ratio", n=values.size)


def rise(before: Floats, now: Floats) -> float:
    """By how much the mean loss has risen at most, one-sided 97.5 %."""
    error = np.sqrt(before.var() / before.size + now.var() / now.size)
    return float(now.mean() - before.mean() + normal(0.975) * error)


def skill_of(side: Judged) -> Estimate | None:
    """Skill, None where the target does not vary."""
    try:
        return skill(side.loss, side.constant)
    except NotComparable:
        return None


def accuracy_of(side: Judged) -> Estimate | None:
    """Share of right labels, None where answers are no labels."""
    if side.wrong is None or not side.wrong.size:
        return None
    wrong = proportion(int(side.wrong.sum()), side.wrong.size)
    right = wrong.scaled(-1.0)
    ends = [None if end is None else 1 + end for end in (right.low, right.high)]
    return Estimate(value=1 - wrong.value, low=ends[0], high=ends[1], unit="ratio", n=wrong.n)


def auc_of(side: Judged) -> Estimate | None:
    """Area under the ROC curve, None for other than two classes that both came."""
    if side.hits is None or side.scores is None:
        return None
    try:
        return auc(side.hits, side.scores)
    except NotComparable:
        return None


def changed(then: Estimate | None, now: Estimate | None) -> QualityChange | None:
    """Both, and their difference; None where one is missing."""
    if then is None or now is None:
        return None
    return QualityChange(then=then, now=now, lost=skill_lost(then, now))


def told_by_bet(bet: RiskBet, skill: QualityChange | None, most: float) -> tuple[Harmed, str]:
    """What a bet says, and the numbers behind it."""
    moved = f"{human(bet.loss)} {bet.baseline.value:.3f} (at most {bet.baseline.high:.3f}), now {bet.risk.value:.3f}"
    if bet.passed is not None:
        return Harmed.HARM, f"by row {bet.passed} the risk had risen: {moved}"
    if most > NOTICEABLE:
        return Harmed.UNCLEAR, f"no rise of the risk is shown, nor is one of {most:.2g} excluded: {moved}"
    if skill is not None and skill.lost.low is not None and skill.lost.low > 0:
        return Harmed.UNCLEAR, f"the risk has not risen, but there was less to tell, and skill was lost: {moved}"
    return Harmed.NONE, f"the risk has risen by no more than {max(most, 0.0):.2g}: {moved}"


def human(loss: str) -> str:
    """A loss in words.

    >>> human("zero_one"), human("brier")
    ('error rate', 'Brier score')
    """
    return LOSS_IN_WORDS.get(loss, f"{loss.replace('_', ' ')} error, as a share of its cut")


def by_estimate(before: Judged, output: Array, current: Array, support: Support | None) -> Harm:
    """By calibrated scores, where their assumptions are not refuted."""
    scores, hits, scores_now, measures = scored(before, output, current)
    found = expected_quality(scores, hits, scores_now, measures=measures)
    assumptions = (calibration(scores, hits), *([supported(support)] if support else []), UNCHANGED)
    name = "skill" if "skill" in found else "accuracy"
    outcome, why = told_by_estimate(name, found.get(name), assumptions)
    return Harm(
        how=Basis.ESTIMATE,
        outcome=outcome,
        why=why,
        output=before.output,
        metric=before.metric,
        reference_rows=scores.size,
        current_rows=scores_now.size,
        skill=found.get("skill"),
        accuracy=found.get("accuracy"),
        auc=found.get("auc"),
        bet=None,
        assumptions=assumptions,
    )


def scored(before: Judged, output: Array, current: Array) -> tuple[Floats, Floats, Floats, Mapping[str, Measure]]:
    """Scores and hits of the reference, scores of current rows, and what can be told from them.

    Raises:
        NotComparable: the answers are no probabilities, or too few have a label.
    """
    if before.metric not in PROBABILITIES or before.wrong is None or not soft(current):
        hint = "give current rows with labels, or a model that answers with probabilities"
        raise NotComparable("without labels only probabilities tell how good answers are", hint=hint)
    if before.loss.size < FEWEST:
        rows = before.loss.size
        raise NotComparable(f"{rows} reference rows are too few to calibrate on", hint=f"give {FEWEST} and more")
    second = second_of_two(current)
    if before.hits is None or before.scores is None or second is None:
        return output.max(axis=1).astype(np.float64), 1 - before.wrong, current.max(axis=1), OWN_ANSWER
    return before.scores, before.hits, second, TWO_CLASSES


def supported(found: Support) -> Assumption:
    """Whether the reference knows rows such as the current ones."""
    named = [f"{name} in {percent(share)}" for name, share in found.features.items()][:NAMED]
    said = f"{percent(found.outside)} of the rows have values that the reference does not know"
    return Assumption(
        name="support",
        holds=found.outside <= LARGEST_OUTSIDE,
        evidence=f"{said}: {', '.join(named)}" if named else said,
    )


def calibration(scores: Floats, hits: Floats) -> Assumption:
    """Whether a map that is learned on the first half of the reference holds on the second."""
    half = len(scores) // 2
    learned = CalibrationMap.learn(scores[:half], hits[:half])
    found = miscalibration(learned(scores[half:]), hits[half:], learned_on=half)
    said = f"learned on the reference's first half, off by {found.gap:.3f} on its second, p = {found.p_value:.2g}"
    refuted = found.p_value < ALPHA and found.gap > NOTICEABLE
    holds = False if refuted else True if found.gap <= CLOSE else None
    return Assumption(name="calibration", holds=holds, evidence=f"{learned.method}, {said}")


def told_by_estimate(name: str, found: QualityChange | None, assumptions: tuple[Assumption, ...]) -> tuple[Harmed, str]:
    """What an estimate says, as far as its assumptions let it."""
    if found is None or found.lost.low is None or found.lost.high is None:
        return Harmed.UNCLEAR, "the reference's labels do not vary enough to tell"
    lost = f"{name} {found.then.value:.3f}, expected now {found.now.value:.3f}"
    broken = [one.name for one in assumptions if one.holds is False]
    if broken:
        return Harmed.UNCLEAR, f"{lost}, but the estimate does not hold: {', '.join(broken)}"
    if found.lost.low > 0:
        return Harmed.HARM, f"quality is expected to be lost: {lost}"
    if found.lost.high <= NOTICEABLE:
        return Harmed.NONE, f"no more than {max(found.lost.high, 0.0):.2g} is expected to be lost: {lost}"
    return Harmed.UNCLEAR, f"no loss is shown, nor is one of {found.lost.high:.2g} excluded: {lost}"
