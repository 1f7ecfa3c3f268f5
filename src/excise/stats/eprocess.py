"""E-processes: evidence that may be looked at after every observation.

An e-process starts at 1 and, while the null hypothesis holds, exceeds 1/alpha ever with probability at most
alpha (Ville's inequality). So a test may stop at the first look at which it does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

STAKES = np.array([0.25, 0.5, 1.0, 2.0, 4.0])
"""Slopes of the sign-flip bet, in units of the rounds' own size: from doubt to near-certainty."""
LARGEST_BET = 0.75
"""Share of the capital that one bet may lose at most (Waudby-Smith & Ramdas 2024, section B.3)."""


def sign_flip_e_process(per_round: ArrayLike) -> Floats:
    """Evidence after each round that paired differences are not symmetric about zero.

    Given its size, a symmetric difference d is +|d| or -|d| by a fair coin, so exp(b*d) / cosh(b*d) is a fair
    bet for every slope b that rests on the past and on sizes. Slopes are fixed multiples of 1 over the root mean
    square so far, in both directions, and the capital is spread evenly over them. No assumption about the
    noise but symmetry, which the paired log-ratio of two equal processes has.

    One round of size 1 is worth 1 whatever its sign: exp(b)/cosh(b) and exp(-b)/cosh(b) average to 1.

    >>> sign_flip_e_process([1.0]).round(12), sign_flip_e_process([0.5] * 10)[-1] > 20
    (array([1.]), np.True_)

    Args:
        per_round: shape (K,), in the order in which the rounds ran; NaN rounds are dropped.
    Returns:
        Shape (K',), the e-process after each kept round.
    Source: de la Pena 1999; Ramdas, Ruf, Larsson & Koolen 2020 (arXiv:2009.03167), section 5, symmetric laws.
    """
    values = np.asarray(per_round, dtype=np.float64).ravel()
    values = values[np.isfinite(values)]
    size = np.sqrt(np.cumsum(values**2) / np.arange(1, values.size + 1))
    unit = np.divide(values, size, out=np.zeros_like(values), where=size > 0)
    bets = np.concatenate([STAKES, -STAKES])[:, None] * unit
    gains = bets - np.abs(bets) - np.log1p(np.exp(-2 * np.abs(bets))) + np.log(2.0)
    return np.asarray(np.exp(np.cumsum(gains, axis=1)).mean(axis=0), dtype=np.float64)


def sign_flip_e_value(per_round: ArrayLike) -> float:
    """The sign-flip e-process after the last round; 1 with no rounds. At or above 1/alpha rejects at alpha.

    >>> sign_flip_e_value([])
    1.0
    """
    process = sign_flip_e_process(per_round)
    return float(process[-1]) if process.size else 1.0


def bounded_mean_e_process(values: ArrayLike, mean: float, *, low: float = 0.0, high: float = 1.0) -> Floats:
    """Evidence after each value that bounded values do not have this mean; half bets up, half bets down.

    >>> bounded_mean_e_process([1.0] * 8, 0.5)[-1] > bounded_mean_e_process([1.0] * 7, 0.5)[-1]
    np.True_

    Args:
        values: shape (n,), each in [low, high], in order.
        mean: the hypothesis, inside (low, high).
        low: least possible value.
        high: largest possible value.
    Returns:
        Shape (n,).
    Raises:
        ValueError: a value or the mean lies outside the range.
    Source: Waudby-Smith & Ramdas 2024, "Estimating means of bounded random variables by betting", section 4.
    """
    unit, null = rescaled(values, low, high), (mean - low) / (high - low)
    if not 0 < null < 1:
        msg = f"a mean of {mean} is not inside ({low}, {high})"
        raise ValueError(msg)
    bet = np.abs(plug_in_bets(unit, alpha=0.05))
    up = np.cumsum(np.log1p(np.minimum(bet, LARGEST_BET / null) * (unit - null)))
    down = np.cumsum(np.log1p(-np.minimum(bet, LARGEST_BET / (1 - null)) * (unit - null)))
    return np.asarray(np.exp(np.logaddexp(up, down) - np.log(2.0)), dtype=np.float64)


def rescaled(values: ArrayLike, low: float, high: float) -> Floats:
    """Values moved into [0, 1]; a ValueError where one lies outside [low, high]."""
    array = np.asarray(values, dtype=np.float64).ravel()
    if not np.all((array >= low) & (array <= high)):
        msg = f"a value lies outside [{low}, {high}]"
        raise ValueError(msg)
    return (array - low) / (high - low)


def plug_in_bets(unit: Floats, *, alpha: float) -> Floats:
    """Predictable bets: sqrt(2 log(2/alpha) / (variance so far * t * log(1 + t))), from the past only."""
    count = np.arange(1, unit.size + 1)
    _, variance = running_moments(unit)
    before = np.concatenate([[0.25], variance[:-1]]) if unit.size else variance
    return np.asarray(np.sqrt(2 * np.log(2 / alpha) / (before * count * np.log1p(count))), dtype=np.float64)


def running_moments(unit: Floats) -> tuple[Floats, Floats]:
    """Mean and variance after each value, drawn toward 1/2 and 1/4 by one imagined value."""
    count = np.arange(1, unit.size + 1)
    mean = (0.5 + np.cumsum(unit)) / (count + 1)
    variance = (0.25 + np.cumsum((unit - mean) ** 2)) / (count + 1)
    return mean, variance
