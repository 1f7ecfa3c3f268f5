"""Quantiles and tail probabilities of the few distributions that intervals here rest on, without scipy."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

TINY = 1e-300
"""Keeps the continued fraction away from a division by zero (Numerical Recipes, section 6.4)."""
TERMS = 10_000
"""Far more terms than the fraction needs for parameters up to 1e6."""


def normal(probability: float) -> float:
    """Quantile of the standard normal distribution.

    >>> round(normal(0.975), 4)
    1.96
    """
    return NormalDist().inv_cdf(probability)


def normal_cdf(value: float) -> float:
    """Probability that a standard normal value is at most ``value``.

    >>> normal_cdf(0.0)
    0.5
    """
    return NormalDist().cdf(value)


@lru_cache(maxsize=4096)
def student_t(probability: float, df: float) -> float:
    """Quantile of Student's t distribution.

    With one degree of freedom it is Cauchy's, tan(pi * (p - 1/2)); with two it is known in closed form.

    >>> round(student_t(0.975, 1), 3), round(student_t(0.975, 4), 3), student_t(0.5, 7)
    (12.706, 2.776, 0.0)

    Args:
        probability: in (0, 1).
        df: degrees of freedom, above 0.
    Raises:
        ValueError: a probability or degrees of freedom outside their range.
    Source: Abramowitz & Stegun 1964, 26.7.1, inverted by bisection on the tail's beta integral.
    """
    if not 0 < probability < 1 or df <= 0:
        msg = f"no t quantile at probability {probability} with {df} degrees of freedom"
        raise ValueError(msg)
    if probability == 0.5:  # noqa: PLR2004  the median of a symmetric distribution
        return 0.0
    tail = 2 * min(probability, 1 - probability)
    low, high = 0.0, 1.0
    while high - low > 1e-16 * high:
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        low, high = (middle, high) if beta_cdf(middle, df / 2, 0.5) < tail else (low, middle)
    value = math.sqrt(df * (1 - high) / high)
    return value if probability > 0.5 else -value  # noqa: PLR2004  as above


def beta_cdf(x: float, a: float, b: float) -> float:
    """Regularized incomplete beta function I_x(a, b).

    >>> beta_cdf(0.25, 1, 1), round(beta_cdf(0.5, 2, 3), 4)
    (0.25, 0.6875)

    Source: Numerical Recipes, 3rd edition, section 6.4 (Lentz's continued fraction).
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_cdf(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) * _beta_fraction(x, a, b) / a


def _beta_fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            value *= d * c
        if abs(d * c - 1) < 1e-16:  # noqa: PLR2004  one unit in the last place
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY


def binomial_cdf(successes: int, trials: int, probability: float) -> float:
    """Probability of at most ``successes`` in ``trials``.

    >>> round(binomial_cdf(1, 3, 0.5), 6)
    0.5

    Source: Abramowitz & Stegun 1964, 26.5.24 (the tail is a beta integral).
    """
    if successes < 0:
        return 0.0
    if successes >= trials:
        return 1.0
    return beta_cdf(1 - probability, trials - successes, successes + 1)
