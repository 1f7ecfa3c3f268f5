"""How well scores rank what happened above what did not: the area under the ROC curve, and its interval."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from excise.core.errors import NotComparable
from excise.core.estimate import Estimate
from excise.stats.quantiles import normal

Floats = NDArray[np.float64]


def auc(hits: ArrayLike, scores: ArrayLike, *, level: float = 0.95) -> Estimate:
    """The chance that a row that hit scores above one that did not; ties are one half.

    >>> round(auc([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.9]).value, 2)
    0.75

    Args:
        hits: 0 or 1 by row, shape (n,).
        scores: shape (n,).
        level: nominal coverage.
    Returns:
        Unit ``ratio``; n counts rows. The ends are None where a side has one row.
    Raises:
        NotComparable: all rows are of one class.
    Source: DeLong, DeLong & Clarke-Pearson 1988; ends on the logit scale, so that they stay within [0, 1].
    """
    happened, found = np.asarray(hits, dtype=np.float64) > 0, np.asarray(scores, dtype=np.float64)
    above, below = found[happened], found[~happened]
    if not (above.size and below.size):
        raise NotComparable("all rows are of one class, so there is nothing to rank", hint="give rows of both classes")
    wins, losses = share_below(below, above), 1 - share_below(above, below)
    value = float(wins.mean())
    low, high = logit_ends(value, placement_error(wins, losses), level)
    return Estimate(value=value, low=low, high=high, level=level, unit="ratio", n=found.size)


def placement_error(wins: Floats, losses: Floats) -> float | None:
    """Standard error of an area; None where a side has one row."""
    if min(wins.size, losses.size) < 2:  # noqa: PLR2004  no spread in one row
        return None
    return math.sqrt(float(wins.var(ddof=1)) / wins.size + float(losses.var(ddof=1)) / losses.size)


def logit_ends(value: float, error: float | None, level: float) -> tuple[float | None, float | None]:
    """Ends of a share's interval, by the normal approximation of its logit; None without an error."""
    if error is None:
        return None, None
    if not 0 < value < 1 or not error:
        return value, value
    center, half = math.log(value / (1 - value)), normal((1 + level) / 2) * error / (value * (1 - value))
    return 1 / (1 + math.exp(min(half - center, 700.0))), 1 / (1 + math.exp(-half - center))


def share_below(values: Floats, marks: Floats) -> Floats:
    """By mark, the share of values below it; ties count one half."""
    ordered = np.sort(values)
    left, right = np.searchsorted(ordered, marks, "left"), np.searchsorted(ordered, marks, "right")
    return np.asarray((left + right) / (2 * ordered.size), dtype=np.float64)


def expected_auc(chances: ArrayLike, scores: ArrayLike) -> float:
    """The area under the curve to be expected where each row hits with its own chance; NaN without a chance of both.

    >>> expected_auc([0.0, 0.0, 1.0, 1.0], [0.1, 0.4, 0.3, 0.9])
    0.75

    Args:
        chances: shape (n,), in [0, 1].
        scores: shape (n,).
    """
    hit, found = np.asarray(chances, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    kinds, place = np.unique(found, return_inverse=True)
    ones = np.bincount(place, hit, minlength=kinds.size)
    zeros = np.bincount(place, 1 - hit, minlength=kinds.size)
    pairs = ones.sum() * zeros.sum()
    won = float((ones * (np.cumsum(zeros) - zeros / 2)).sum())
    return won / float(pairs) if pairs else math.nan
