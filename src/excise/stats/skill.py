"""Skill: how much better than the best constant, and whether a candidate keeps it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from excise.core.errors import NotComparable
from excise.core.estimate import Estimate
from excise.stats.quantiles import student_t

Floats = NDArray[np.float64]

SMALLEST_PROBABILITY = 1e-15
"""Log loss is cut off here, so that one certain error is expensive but finite (as scikit-learn does)."""
ROUNDING = 1e-6
"""Two losses closer than this share of the constant's mean loss are the same: float32 rounding."""
UNIT_SUM = 1e-3
"""Rows of a probability matrix add up to one within it (float32, many classes)."""


class Loss(StrEnum):
    """Losses per row."""

    ZERO_ONE = "zero_one"
    BRIER = "brier"
    LOG_LOSS = "log_loss"
    SQUARED = "squared"
    ABSOLUTE = "absolute"


def zero_one(target: ArrayLike, outputs: ArrayLike) -> Floats:
    """1 where the label is wrong.

    >>> zero_one(["a", "b"], ["a", "a"])
    array([0., 1.])
    """
    return np.asarray(np.asarray(target) != np.asarray(outputs), dtype=np.float64)


def brier(target: ArrayLike, outputs: ArrayLike) -> Floats:
    """Squared error of probabilities, summed over classes; a vector holds the probability of class 1.

    >>> brier([1, 0], [0.9, 0.2]).round(2), brier([1, 0], [[0.1, 0.9], [0.8, 0.2]]).round(2)
    (array([0.01, 0.04]), array([0.02, 0.08]))

    Args:
        target: shape (n,): class numbers, or probabilities of class 1; or (n, C): probabilities of each class.
        outputs: (n,) or (n, C).
    Source: Brier 1950 (the matrix form is his original one: twice the vector form for two classes).
    """
    found = np.asarray(outputs, dtype=np.float64)
    return _over_rows((found - _as_probabilities(target, found)) ** 2)


def log_loss(target: ArrayLike, outputs: ArrayLike) -> Floats:
    """Minus the log probability that was given to what happened.

    >>> log_loss([1], [0.5]).round(4)
    array([0.6931])
    """
    found = np.clip(np.asarray(outputs, dtype=np.float64), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    truth = _as_probabilities(target, found)
    if found.ndim == 1:
        return np.asarray(-(truth * np.log(found) + (1 - truth) * np.log1p(-found)), dtype=np.float64)
    return _over_rows(-truth * np.log(found))


def squared(target: ArrayLike, outputs: ArrayLike) -> Floats:
    """Squared error, summed over all axes but the first.

    >>> squared([1.0, 2.0], [1.5, 2.0])
    array([0.25, 0.  ])
    """
    return _over_rows((np.asarray(outputs, dtype=np.float64) - np.asarray(target, dtype=np.float64)) ** 2)


def absolute(target: ArrayLike, outputs: ArrayLike) -> Floats:
    """Absolute error, summed over all axes but the first."""
    return _over_rows(np.abs(np.asarray(outputs, dtype=np.float64) - np.asarray(target, dtype=np.float64)))


LOSSES: dict[Loss, Callable[[ArrayLike, ArrayLike], Floats]] = {
    Loss.ZERO_ONE: zero_one,
    Loss.BRIER: brier,
    Loss.LOG_LOSS: log_loss,
    Loss.SQUARED: squared,
    Loss.ABSOLUTE: absolute,
}


def _over_rows(values: Floats) -> Floats:
    return np.asarray(values.reshape(values.shape[0], -1).sum(axis=1), dtype=np.float64)


def _as_probabilities(target: ArrayLike, like: Floats) -> Floats:
    truth = np.asarray(target)
    if truth.shape == like.shape:
        return truth.astype(np.float64)
    if truth.ndim != 1 or like.ndim != 2:  # noqa: PLR2004  rows by classes
        raise NotComparable(f"a target of shape {truth.shape} against outputs of shape {like.shape}")
    return np.eye(like.shape[1], dtype=np.float64)[truth.astype(np.int64)]


def best_constant_loss(target: ArrayLike, loss: Loss, *, classes: int | None = None) -> Floats:
    """Loss per row of the constant that has the lowest mean loss: what no skill at all reaches.

    The most frequent label for zero_one, the frequencies for brier and log_loss, the mean for squared, the
    median for absolute.

    >>> best_constant_loss(["a", "a", "b"], Loss.ZERO_ONE), best_constant_loss([0.0, 2.0], Loss.SQUARED)
    (array([0., 0., 1.]), array([1., 1.]))

    Args:
        target: shape (n,), or (n, ...) where the loss sums over axes.
        loss: which one.
        classes: columns of the probability matrix that the outputs are; None for a vector.
    """
    truth = np.asarray(target)
    if loss is Loss.ZERO_ONE:
        labels, counts = np.unique(truth, return_counts=True)
        return zero_one(truth, labels[np.argmax(counts)])
    if loss in {Loss.BRIER, Loss.LOG_LOSS} and classes is not None and truth.ndim == 1:
        truth = np.eye(classes, dtype=np.float64)[truth.astype(np.int64)]
    truth = truth.astype(np.float64)
    constant = np.median(truth, axis=0) if loss is Loss.ABSOLUTE else truth.mean(axis=0)
    return LOSSES[loss](truth, np.broadcast_to(constant, truth.shape))


def choose_loss(target: ArrayLike, outputs: ArrayLike) -> Loss:
    """The loss that fits, where nobody named one.

    Numbers against labels, in [0, 1] (rows of a matrix add up to one): brier. Numbers against numbers: squared.
    Everything else: zero_one.

    >>> choose_loss([0, 1, 1], [0.2, 0.7, 0.9]), choose_loss(["a", "b"], ["a", "a"]), choose_loss([3.5, 1.2], [3, 1])
    (<Loss.BRIER: 'brier'>, <Loss.ZERO_ONE: 'zero_one'>, <Loss.SQUARED: 'squared'>)
    """
    truth, found = np.asarray(target), np.asarray(outputs)
    if is_labels(truth) and is_probabilities(found):
        return Loss.BRIER
    numbers = all(array.dtype.kind in "iuf" for array in (truth, found))
    return Loss.SQUARED if numbers and not is_labels(truth) else Loss.ZERO_ONE


def is_labels(target: ArrayLike, *, most: int = 20) -> bool:
    """Whether a target holds classes: text, booleans, or whole numbers of at most 20 kinds.

    >>> is_labels([0, 1, 1]), is_labels([0.0, 1.0]), is_labels([0.5, 1.0]), is_labels(range(30))
    (True, True, False, False)
    """
    truth = np.asarray(target)
    if truth.dtype.kind not in "iuf":
        return True
    if truth.ndim != 1 or (truth.dtype.kind == "f" and not np.all(truth == np.round(truth))):
        return False
    return bool(np.unique(truth).size <= most)


def is_probabilities(outputs: ArrayLike) -> bool:
    """Whether outputs are floats in [0, 1]: a vector, or a matrix whose rows add up to one."""
    found = np.asarray(outputs)
    if found.dtype.kind != "f" or found.size == 0 or found.ndim > 2:  # noqa: PLR2004  rows by classes
        return False
    if not np.all((found >= -ROUNDING) & (found <= 1 + ROUNDING)):
        return False
    return bool(found.ndim == 1 or found.shape[1] == 1 or np.all(np.abs(found.sum(axis=1) - 1) < UNIT_SUM))


def skill(loss: ArrayLike, constant_loss: ArrayLike, *, level: float = 0.95) -> Estimate:
    """1 - mean(loss) / mean(constant loss): 1 is perfect, 0 is the best constant, under 0 is worse than it.

    >>> round(skill([0.1, 0.3], [1.0, 1.0]).value, 3)
    0.8

    Args:
        loss: per row, shape (n,).
        constant_loss: of the best constant on the same rows.
        level: nominal coverage.
    Returns:
        Unit ``ratio``, n counts rows; the ends are None for one row.
    Raises:
        NotComparable: no rows, or the constant makes no error: there is nothing to predict.
    Source: ratio estimator, linearized over rows (Cochran 1977, section 6.4); skill score as in Murphy 1988.
    """
    mine, constant = np.asarray(loss, dtype=np.float64), np.asarray(constant_loss, dtype=np.float64)
    if mine.size == 0 or constant.mean() <= 0:
        raise NotComparable("the target does not vary, so there is no skill to speak of", hint="give labels that vary")
    ratio = mine.mean() / constant.mean()
    half = half_width((mine - ratio * constant) / constant.mean(), level)
    value = float(1 - ratio)
    low, high = (None, None) if half is None else (value - half, value + half)
    return Estimate(value=value, low=low, high=high, level=level, unit="ratio", n=mine.size)


def half_width(rows: Floats, level: float) -> float | None:
    """Half a t interval of a mean over rows; None for fewer than two."""
    if rows.size < 2:  # noqa: PLR2004  no spread in one row
        return None
    error = float(rows.std(ddof=1)) / math.sqrt(rows.size)
    return student_t((1 + level) / 2, rows.size - 1) * error


@dataclass(frozen=True, slots=True)
class Bound:
    """Whether a candidate keeps the incumbent's skill.

    Attributes:
        loss_of_skill: share of the incumbent's skill that is lost; negative where the candidate is better.
        upper: its one-sided 97.5 % upper bound; infinite where the incumbent has no skill to lose.
        admissible: the bound is at most delta.
        why: one line.
    """

    loss_of_skill: Estimate
    upper: float
    admissible: bool
    why: str


def non_inferior(
    loss_candidate: ArrayLike,
    loss_incumbent: ArrayLike,
    loss_constant: ArrayLike,
    *,
    delta: float = 0.005,
    worth: float | None = None,
) -> Bound:
    """One-sided 97.5 % test that the candidate loses at most ``delta`` of the incumbent's skill.

    The loss of skill is D = mean(candidate - incumbent) / mean(constant - incumbent). D <= delta is tested as
    mean((candidate - incumbent) - delta * (constant - incumbent)) <= 0, which needs no ratio; ``upper`` is the
    largest delta that the same test would reject at (Fieller's bound). Identical losses are admissible with any
    number of rows: nothing was lost on any of them.

    >>> losses = np.array([0.0, 0.0, 1.0, 0.0] * 50)
    >>> non_inferior(losses, losses, np.array([0.0, 1.0, 1.0, 0.0] * 50)).admissible
    True
    >>> non_inferior(1 - losses, losses, np.array([0.0, 1.0, 1.0, 0.0] * 50)).admissible
    False

    Args:
        loss_candidate: per row, shape (n,).
        loss_incumbent: on the same rows.
        loss_constant: of the best constant on the same rows.
        delta: share of the skill that may be lost.
        worth: what a row's skill is worth on average, where these rows alone cannot say it (a slice is held
            against the whole); None to take it from these rows.
    Returns:
        The bound; not admissible where the incumbent is not shown to be better than a constant.
    Raises:
        NotComparable: no rows.
    Source: Fieller 1954; the linearized test as in Hauck & Anderson 1999 for non-inferiority of ratios.
    """
    candidate, incumbent, constant = (
        np.asarray(loss, dtype=np.float64) for loss in (loss_candidate, loss_incumbent, loss_constant)
    )
    lost, gain = candidate - incumbent, constant - incumbent
    if lost.size == 0:
        raise NotComparable("no rows to compare skill on")
    if np.all(np.abs(lost) <= ROUNDING * max(constant.mean(), incumbent.mean())):
        zero = Estimate(value=0.0, low=0.0, high=0.0, unit="ratio", n=lost.size)
        return Bound(zero, 0.0, admissible=True, why="no row's loss differs")
    if worth is not None:
        gain = np.full_like(gain, worth)
    return _judge(lost, gain, delta)


def _judge(lost: Floats, gain: Floats, delta: float) -> Bound:
    value = float(lost.mean() / gain.mean()) if gain.mean() > 0 else math.inf
    ends = fieller(lost, gain)
    low, high = ends if ends is not None else (None, None)
    found = Estimate(value=value, low=low, high=high, unit="ratio", n=lost.size)
    if lost.size < 2:  # noqa: PLR2004  no spread in one row
        return Bound(found, math.inf, admissible=False, why="one row cannot show it")
    if high is None:
        return Bound(found, math.inf, admissible=False, why="the incumbent is not shown to beat a constant")
    admissible = high <= delta
    return Bound(found, high, admissible, why=_skill_text(value, high, delta))


def _skill_text(value: float, upper: float, delta: float) -> str:
    return f"skill {-100 * value:+.2g} % (at worst {-100 * upper:+.2g}), allowed {-100 * delta:.2g}"


def fieller(numerator: ArrayLike, denominator: ArrayLike, *, level: float = 0.95) -> tuple[float, float] | None:
    """Interval of a ratio of two paired means; None where the denominator is not shown to be above zero.

    With a denominator that does not vary it is the plain t interval: 1, 2, 3 over 2 is 1 -+ 2.4841 / 2.

    >>> [round(end, 4) for end in fieller([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])]
    [-0.2421, 2.2421]

    Args:
        numerator: per row, shape (n,).
        denominator: on the same rows.
        level: nominal coverage.
    Source: Fieller 1954: the d at which mean(numerator - d * denominator) is just within its t interval.
    """
    top, bottom = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    if top.size < 2:  # noqa: PLR2004  no spread in one row
        return None
    t_squared = student_t((1 + level) / 2, top.size - 1) ** 2
    (v_top, v_both), (_, v_bottom) = np.cov(top, bottom) / top.size
    a = bottom.mean() ** 2 - t_squared * v_bottom
    if bottom.mean() <= 0 or a <= 0:
        return None
    b = top.mean() * bottom.mean() - t_squared * v_both
    c = top.mean() ** 2 - t_squared * v_top
    root = math.sqrt(max(b * b - a * c, 0.0))
    return float((b - root) / a), float((b + root) / a)


def disagreement(candidate_outputs: ArrayLike, incumbent_outputs: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Losses without labels: the incumbent's outputs take the place of the target, so its skill is 1.

    Labels are compared by equality, everything numeric by squared difference; the constant is the one that
    agrees best with the incumbent.

    >>> candidate, incumbent, constant = disagreement([1.0, 3.0], [1.0, 2.0])
    >>> candidate, incumbent, constant
    (array([0., 1.]), array([0., 0.]), array([0.25, 0.25]))

    Args:
        candidate_outputs: shape (n, ...).
        incumbent_outputs: the same shape.
    Returns:
        Losses of candidate, incumbent and best constant, shape (n,) each: as ``non_inferior`` takes them.
    """
    found, truth = np.asarray(candidate_outputs), np.asarray(incumbent_outputs)
    if found.shape != truth.shape:
        raise NotComparable(f"outputs of shape {found.shape} against {truth.shape}")
    if found.dtype.kind != "f" and found.ndim > 1:
        found, truth = _row_labels(np.stack([found, truth]))
    numbers = found.dtype.kind == "f" or truth.dtype.kind == "f"
    loss = Loss.SQUARED if numbers else Loss.ZERO_ONE
    measure = LOSSES[loss]
    return measure(truth, found), np.zeros(truth.shape[0]), best_constant_loss(truth, loss)


def _row_labels(pair: NDArray[np.generic]) -> NDArray[np.int64]:
    """Rows of two stacked label arrays as numbers: equal where the whole rows are equal."""
    _, labels = np.unique(pair.reshape(pair.shape[0] * pair.shape[1], -1), axis=0, return_inverse=True)
    return np.asarray(labels, dtype=np.int64).reshape(pair.shape[:2])
