"""E-detectors: evidence of a change that may be looked at every day, against a reference that is a sample itself.

What is watched are shares: of values up to a cut, or of one level. While nothing changes, the true share lies in a
band about the reference's share. Bets are made against the band's edges and not against the share itself: a null
hypothesis with the reference's share plugged in is wrong by the reference's own error, and once the stream is about
as long as the reference, evidence against that error is all that is left.

Source: Shin, Ramdas & Rinaldo 2022, "E-detectors" (arXiv:2203.03532); over many streams Dandapanthula & Ramdas 2025
(arXiv:2501.04130).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

MARGINS = (0.01, 0.02, 0.04, 0.1, 0.3)
"""How far beyond the band's edge the bets are placed, as shares: from a slow creep to a break in a small window."""
CUTS = (0.0, 0.02, 0.2, 0.35, 0.5, 0.65, 0.8, 0.98, 1.0)
"""Values of the reference's distribution function at which exceedances are counted; its two ends among them."""
HALVINGS = 50
SMALLEST = 1e-300


def threshold(features: int, looks: int, false_alarms: float) -> float:
    """Evidence of all features together, the sum of their statistics, at which there is an alarm.

    A Shiryaev-Roberts statistic less the number of looks is a supermartingale while nothing changes, and so is a sum of
    several less as many times that number, whatever their dependence. So the sum reaches the threshold within ``looks``
    looks with probability at most features * looks / threshold, and on average at most ``false_alarms`` times where it
    starts anew after each alarm.

    >>> threshold(50, 90, 0.05)
    90000.0

    Args:
        features: that are watched at once.
        looks: per quarter, or any other span.
        false_alarms: that are accepted in that span, over all features.
    """
    return features * looks / false_alarms


def in_alarm(logs: ArrayLike, least: float) -> NDArray[np.bool_]:
    """The fewest features without which the evidence of all others together is below the threshold.

    >>> in_alarm(np.log([3.0, 90.0, 1.0, 8.0]), math.log(10)).tolist()
    [False, True, False, True]

    Args:
        logs: logarithms of the features' evidence, shape (..., features).
        least: logarithm of the threshold.
    Returns:
        The same shape; all False where the sum of all is below the threshold.
    """
    found = np.asarray(logs, dtype=np.float64)
    order = found.argsort(axis=-1)
    weaker = np.logaddexp.accumulate(np.take_along_axis(found, order, axis=-1), axis=-1)
    alarming = np.zeros(found.shape, dtype=np.bool_)
    np.put_along_axis(alarming, order, weaker >= least, axis=-1)
    return alarming


def dkw_radius(rows: float, alpha: float) -> float:
    """Half the width of a band that holds a whole distribution function, whatever it is.

    >>> round(dkw_radius(20_000, 0.05), 4)
    0.0096

    Args:
        rows: of the sample.
        alpha: chance that the function leaves the band anywhere.
    Source: Dvoretzky, Kiefer & Wolfowitz 1956 with the constant of Massart 1990.
    """
    return math.sqrt(math.log(2 / alpha) / (2 * rows))


def cut_points(counts: ArrayLike) -> NDArray[np.int64]:
    """Bins whose upper edges are the cuts: where the reference's distribution function is nearest to each of ``CUTS``.

    >>> cut_points([0, 25, 25, 25, 25, 0]).tolist()
    [0, 1, 2, 3, 4]

    Args:
        counts: of the reference by bin, shape (bins,), at least two.
    Returns:
        Ascending, without repeats; never the last bin, up to whose end all values lie.
    """
    reached = np.cumsum(np.asarray(counts, dtype=np.float64))[:-1]
    inner = np.abs(reached[:, None] - np.array(CUTS[1:-1]) * reached[-1]).argmin(axis=0)
    return np.unique([0, *inner.tolist(), reached.size - 1])


def function_band(shares: ArrayLike, rows: float, alpha: float, tolerance: float = 0.0) -> Floats:
    """Largest true shares of values up to each cut, and beyond it, that go with the reference.

    >>> function_band([0.5], 20_000, 0.05).round(4).tolist()
    [[0.5096, 0.5096]]

    Args:
        shares: the reference's distribution function at the cuts, shape (..., cuts).
        rows: of the reference, divided by its inflation where they depend on each other.
        alpha: chance that any true share lies outside.
        tolerance: change of a share that nobody wants to hear of.
    Returns:
        Shape (..., cuts, 2); 1 and above where nothing can be bet.
    """
    below = np.asarray(shares, dtype=np.float64)
    return np.stack([below, 1 - below], axis=-1) + dkw_radius(rows, alpha) + tolerance


def share_band(shares: ArrayLike, rows: float, alpha: ArrayLike, tolerance: float = 0.0) -> Floats:
    """Largest true shares of each level, and of all others, that go with the reference.

    Rare levels get a narrow band, unlike that of a distribution function: of 1000 rows without a single null, at most
    a share of 1 - 0.025^(1/1000) of them may be null.

    >>> share_band([0.0], 1000, [0.05]).round(5).tolist()
    [[0.00368, 1.0]]

    Args:
        shares: of the levels in the reference, shape (levels,).
        rows: as in ``function_band``.
        alpha: by level, chance that its true share lies outside.
        tolerance: as in ``function_band``.
    Returns:
        Shape (levels, 2).
    Source: Hoeffding 1963, theorem 1, inverted.
    """
    seen = np.asarray(shares, dtype=np.float64)
    nats = np.log(2 / np.asarray(alpha, dtype=np.float64)) / rows
    return np.stack([largest(seen, nats), largest(1 - seen, nats)], axis=-1) + tolerance


def largest(seen: Floats, nats: Floats) -> Floats:
    """Largest probabilities whose relative entropy from the seen shares is at most ``nats``, rounded up."""
    low, high = seen.copy(), np.ones_like(seen)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        near = divergence(seen, middle) <= nats
        low, high = np.where(near, middle, low), np.where(near, high, middle)
    return high


def divergence(seen: Floats, true: Floats) -> Floats:
    """Relative entropy of Bernoulli variables, in nats."""
    hit = seen * np.log(np.maximum(seen, SMALLEST) / np.maximum(true, SMALLEST))
    miss = (1 - seen) * np.log(np.maximum(1 - seen, SMALLEST) / np.maximum(1 - true, SMALLEST))
    return hit + miss


def log_bets(hits: ArrayLike, trials: ArrayLike, band: Floats, inflation: float = 1.0) -> Floats:
    """Logarithms of what one window pays to each bet.

    A bet on a share q against p pays (q / p)^k ((1 - q) / (1 - p))^(n - k) for k hits of n. Its expectation is 1 at p,
    and below 1 at all smaller shares, so one bet per edge is fair against the whole band. One hit of one pays q / p:

    >>> np.exp(log_bets([1], [1], np.array([[0.5, 0.5]])))[0, :, -1].round(12).tolist()
    [1.6, 0.4]

    Args:
        hits: rows up to each cut, or of each level, shape (..., events).
        trials: rows that were counted; the same shape, or one that broadcasts to it.
        band: of ``function_band`` or ``share_band``, shape (..., events, 2).
        inflation: by how much dependence between the rows of a window widens the variance of counts; n and k are
            divided by it. That is right for the variance and approximate for the bets.
    Returns:
        Shape (..., events, 2, margins): up and down; -inf where there is no room for a bet.
    """
    count, of = np.broadcast_arrays(np.asarray(hits, dtype=np.float64), np.asarray(trials, dtype=np.float64))
    came = np.stack([count, of - count], axis=-1)[..., None] / inflation
    win, loss = stakes(band)
    paid = came * win + (of[..., None, None] / inflation - came) * loss
    return np.asarray(np.where(np.isnan(win), -np.inf, paid), dtype=np.float64)


def stakes(band: Floats) -> tuple[Floats, Floats]:
    """What a hit and a miss pay, as logarithms; NaN where the bet's share would not be below 1."""
    null = band[..., None]
    bet = null + np.array(MARGINS)
    room = bet < 1
    safe, placed = np.where(room, null, 0.5), np.where(room, bet, 0.5)
    win, loss = np.log(placed / safe), np.log1p(-placed) - np.log1p(-safe)
    return np.where(room, win, np.nan), np.where(room, loss, np.nan)


def shiryaev_roberts(before: Floats, paid: Floats) -> Floats:
    """The statistics after one more look, as logarithms: M becomes (M + 1) L.

    Each look opens a bet anew with one unit, beside all that are running: the change may begin at any of them.

    >>> np.exp(shiryaev_roberts(np.log([3.0]), np.log([0.5]))).round(12).tolist()
    [2.0]

    Args:
        before: logarithms, -inf at the start.
        paid: of ``log_bets``, the same shape.
    """
    return np.logaddexp(before, 0.0) + paid


def log_evidence(statistics: Floats, band: Floats) -> Floats:
    """Logarithm of the mean over all bets that have room; shape (...,) from (..., events, 2, margins).

    >>> log_evidence(np.log([[[3.0] * 5, [1.0] * 5]]), np.array([[0.5, 0.5]])).round(6) == round(math.log(2), 6)
    np.True_
    """
    axes = (-3, -2, -1)
    rooms = (band[..., None] + np.array(MARGINS) < 1).sum(axis=axes)
    top = statistics.max(axis=axes)
    base = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        found = np.log(np.exp(statistics - base[..., None, None, None]).sum(axis=axes)) + base
        return np.asarray(found - np.log(np.maximum(rooms, 1)), dtype=np.float64)
