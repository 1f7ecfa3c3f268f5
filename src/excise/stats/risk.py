"""Has a model's risk risen above its baseline's? A bet on its losses, whose winnings may be looked at after every row.

The baseline is a sample, so its risk is known to a bound only. The bet is made against that bound: where it holds, the
bet does not pay on average while the running risk is at or below the baseline's. Both errors together are the test's.

Source: Podkopaev & Ramdas 2022, "Tracking the risk of a deployed model" (arXiv:2110.06177); Timans, Verma, Nalisnick &
Naesseth 2025 (arXiv:2506.16416) for bets in the place of confidence sequences.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from excise.stats.eprocess import rescaled
from excise.stats.proportions import proportion

Floats = NDArray[np.float64]

STAKES = np.array([0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64])
"""Shares of the capital that a loss of zero costs: for a risk that creeps up, and for one that breaks."""
HALVINGS = 40
BOUND_SHARE = 0.5
"""Of the chance of a false alarm, what the baseline's bound may use up."""


class Bet(NamedTuple):
    """What betting on a model's losses has won.

    Attributes:
        e_value: evidence that the risk has risen, after the last row.
        most: the largest it has been after any row.
        threshold: evidence at which the rise is shown.
        passed: row, counted from 1, after which it first was; None where it never was.
        bound: what the baseline's risk is at most; bets are made against it.
    """

    e_value: float
    most: float
    threshold: float
    passed: int | None
    bound: float


def log_risk_e_process(losses: ArrayLike, bound: float) -> Floats:
    """Logarithm of the evidence after each row that the running risk lies above a bound.

    Each stake f multiplies its capital by 1 + f (loss / bound - 1), and the capital is spread evenly over the stakes.
    A stake stays the same at all rows, so that the product of expectations is at most the power of their mean: the bet
    is fair against every sequence of risks whose running mean is at most the bound, not only against a constant one.

    One loss of 1 against a bound of 1/2 multiplies each capital by 1 + f:

    >>> round(float(np.exp(log_risk_e_process([1.0], 0.5)[0])), 12) == round(1 + float(STAKES.mean()), 12)
    True

    Args:
        losses: shape (n,), each in [0, 1], in the order in which they came.
        bound: of the risk, above 0.
    Returns:
        Shape (n,).
    Raises:
        ValueError: a loss lies outside [0, 1].
    Source: Waudby-Smith & Ramdas 2024, section 4, with a mixture in the place of one bet (section 5.8's diversified
        capital); for the running mean Howard et al. 2021, section 3's sub-psi condition.
    """
    unit = rescaled(losses, 0.0, 1.0)
    paid = np.cumsum(np.log1p(STAKES[:, None] * (unit / bound - 1)), axis=1)
    return np.asarray(np.logaddexp.reduce(paid, axis=0) - math.log(STAKES.size), dtype=np.float64)


def risk_bound(losses: ArrayLike, alpha: float) -> float:
    """What the risk is at most, with a chance of ``alpha`` of being wrong.

    Exact for losses of 0 and 1; for all others the largest mean that a bet on gains does not refute.

    >>> round(risk_bound([0.0] * 97 + [1.0] * 3, 0.025), 4), round(risk_bound([0.25] * 1000, 0.025), 4)
    (0.0852, 0.2537)

    Args:
        losses: of the baseline, shape (n,), each in [0, 1].
        alpha: as said.
    Source: Clopper & Pearson 1934; Waudby-Smith & Ramdas 2024, theorem 3, inverted at the last row.
    """
    unit = rescaled(losses, 0.0, 1.0)
    if not unit.size:
        return 1.0
    if np.isin(unit, (0.0, 1.0)).all():
        hits = int(unit.sum())
        return proportion(hits, unit.size, level=1 - 2 * alpha if hits else 1 - alpha).high or 1.0
    low, high = float(unit.mean()), 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        refuted = middle >= 1 or log_gain(1 - unit, 1 - middle, alpha) >= math.log(1 / alpha)
        low, high = (low, middle) if refuted else (middle, high)
    return high


def log_gain(gains: Floats, mean: float, alpha: float) -> float:
    """Logarithm of what a bet wins by the last row against a mean that gains do not exceed; falls with the mean.

    The bet's share rests on past rows only: sqrt(2 log(1/alpha) / (variance so far * n)), for this number of rows.
    """
    count = np.arange(1, gains.size + 1)
    center = (0.5 + np.cumsum(gains)) / (count + 1)
    spread = (0.25 + np.cumsum((gains - center) ** 2)) / (count + 1)
    before = np.concatenate([[0.25], spread[:-1]])
    share = np.sqrt(2 * math.log(1 / alpha) / (before * gains.size))
    return float(np.log1p(np.minimum(share, 0.75 / mean) * (gains - mean)).sum())


def risk_bet(baseline: ArrayLike, losses: ArrayLike, *, alpha: float = 0.05) -> Bet:
    """Whether the running risk has risen above the baseline's; false alarms are at most ``alpha``, over all looks.

    >>> clean, broken = [0.0] * 90 + [1.0] * 10, [0.0] * 50 + [1.0] * 50
    >>> risk_bet(clean * 10, clean * 10).passed is None, risk_bet(clean * 10, broken * 10).passed < 150
    (True, True)

    Args:
        baseline: losses when the model was approved, shape (m,), each in [0, 1].
        losses: since then, shape (n,), likewise, in the order in which they came.
        alpha: one half for the baseline's bound, the other for the bet.
    """
    bound = risk_bound(baseline, BOUND_SHARE * alpha)
    threshold = 1 / ((1 - BOUND_SHARE) * alpha)
    process = log_risk_e_process(losses, bound)
    above = np.flatnonzero(process >= math.log(threshold))
    last, most = (float(process[-1]), float(process.max())) if process.size else (0.0, 0.0)
    return Bet(capped(last), capped(most), threshold, int(above[0]) + 1 if above.size else None, bound)


def capped(log_evidence: float) -> float:
    """Evidence, no larger than can be written down.

    >>> capped(0.0), capped(1e6)
    (1.0, 1e+300)
    """
    return math.exp(min(log_evidence, math.log(1e300))) if log_evidence < math.log(1e300) else 1e300
