"""Upper tails of the distributions that tests are held against, without scipy."""

from __future__ import annotations

import math

TERMS = 500
CLOSE = 1e-15
TINY = 1e-300
FIRST_SERIES = 1.18
"""Below it the theta series converges fast, above it the alternating one."""


def kolmogorov(value: float) -> float:
    """P(K > value) of the largest excursion of a Brownian bridge.

    >>> round(kolmogorov(1.3581), 4), kolmogorov(0.0)
    (0.05, 1.0)

    Source: Kolmogorov 1933; the two forms of Marsaglia, Tsang & Wang 2003, section 1.
    """
    if value <= 0:
        return 1.0
    if value < FIRST_SERIES:
        inner = sum(math.exp(-((2 * k - 1) ** 2) * math.pi**2 / (8 * value**2)) for k in range(1, 8))
        return min(1.0, max(0.0, 1 - math.sqrt(2 * math.pi) / value * inner))
    outer = sum(math.copysign(math.exp(-2 * (k * value) ** 2), 1 if k % 2 else -1) for k in range(1, 8))
    return min(1.0, max(0.0, 2 * outer))


def chi_square(value: float, freedom: int) -> float:
    """P(X > value) of a chi-square variable.

    >>> round(chi_square(3.8415, 1), 4), round(chi_square(124.3421, 100), 4)
    (0.05, 0.05)

    Args:
        value: of the statistic.
        freedom: degrees of freedom; without any there is nothing to reject.
    """
    if freedom <= 0 or value <= 0:
        return 1.0
    return upper_gamma(freedom / 2, value / 2)


def upper_gamma(shape: float, value: float) -> float:
    """Q(shape, value), the regularized upper incomplete gamma function.

    >>> round(upper_gamma(1.0, 2.0), 6), round(math.exp(-2.0), 6)
    (0.135335, 0.135335)

    Source: DLMF 8.11.4 below shape + 1, the continued fraction 8.9.2 above it, evaluated by Lentz's method.
    """
    scale = math.exp(-value + shape * math.log(value) - math.lgamma(shape))
    if value < shape + 1:
        return max(0.0, 1 - scale * lower_series(shape, value))
    return min(1.0, scale * upper_fraction(shape, value))


def lower_series(shape: float, value: float) -> float:
    """The sum of value^k / (shape (shape + 1) ... (shape + k))."""
    term = total = 1 / shape
    for k in range(1, TERMS * 20):
        term *= value / (shape + k)
        total += term
        if term < total * CLOSE:
            break
    return total


def upper_fraction(shape: float, value: float) -> float:
    """The continued fraction of the upper function."""
    lead = value + 1 - shape
    above, below = 1 / TINY, 1 / lead
    found = below
    for k in range(1, TERMS):
        step = -k * (k - shape)
        lead += 2
        below = 1 / nonzero(step * below + lead)
        above = nonzero(lead + step / above)
        found *= below * above
        if abs(below * above - 1) < CLOSE:
            break
    return found


def nonzero(value: float) -> float:
    """The value, or something next to nothing."""
    return value if abs(value) > TINY else TINY
