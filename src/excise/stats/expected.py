"""How good a model still is where nobody labeled its rows: what calibrated scores lead one to expect.

It holds while a score still means what it meant: inputs may have moved, what follows from them may not have changed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from excise.core.estimate import Estimate
from excise.core.harm import QualityChange
from excise.stats.calibration import CalibrationMap, cell_edges, cell_sums
from excise.stats.quantiles import normal
from excise.stats.ranking import expected_auc

Floats = NDArray[np.float64]
Measure = Callable[[Floats, Floats], float]

RESAMPLES = 200


def accuracy(chances: Floats, scores: Floats) -> float:
    """Share of rows that are right where the label with the greater score is answered.

    >>> accuracy(np.array([1.0, 0.0, 0.5]), np.array([0.9, 0.6, 0.2]))
    0.5
    """
    return float(np.where(scores >= 0.5, chances, 1 - chances).mean())  # noqa: PLR2004  even odds


def brier_skill(chances: Floats, scores: Floats) -> float:
    """1 - Brier score ÷ Brier score of the best constant; NaN where there is nothing to predict.

    >>> brier_skill(np.array([1.0, 0.0]), np.array([1.0, 0.5]))
    0.5
    """
    mean = float(chances.mean())
    loss = float((chances * (1 - scores) ** 2 + (1 - chances) * scores**2).mean())
    return 1 - loss / (mean * (1 - mean)) if 0 < mean < 1 else math.nan


def mean_chance(chances: Floats, _: Floats) -> float:
    """Share of rows that are right where scores are those of the answers themselves."""
    return float(chances.mean())


TWO_CLASSES: Mapping[str, Measure] = {"skill": brier_skill, "accuracy": accuracy, "auc": expected_auc}
"""Scores are of one class of two."""
OWN_ANSWER: Mapping[str, Measure] = {"accuracy": mean_chance}
"""Scores are of the model's own answer, among more classes."""


def expected_quality(
    scores: ArrayLike,
    hits: ArrayLike,
    scores_now: ArrayLike,
    *,
    measures: Mapping[str, Measure] = TWO_CLASSES,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, QualityChange]:
    """Quality by the reference's labels, and as it is to be expected of rows without labels.

    A map learned on the reference turns scores into chances; each measure is then an expectation over labels that come
    with these chances. What is lost is the difference between the expectations on both samples, by the same map; what
    is left is the reference's quality by its labels less that, so that an error of the map that both samples share
    cancels out. Errors are those of 200 bootstrap resamples of both samples, each with a map of its own.

    Args:
        scores: of the reference, shape (m,).
        hits: 0 or 1, shape (m,).
        scores_now: shape (n,).
        measures: by name.
        level: nominal coverage.
        seed: of the resamples.
    Returns:
        Without the measures that cannot be told.
    Source: Kivimaki et al. 2024 and 2025 (arXiv:2401.08348, 2505.05295) for expectations of confusion matrices by
        calibrated scores; the difference estimator, Cochran 1977, section 7.
    """
    reference = np.asarray(scores, dtype=np.float64), np.asarray(hits, dtype=np.float64)
    current = np.asarray(scores_now, dtype=np.float64)
    random = np.random.default_rng(seed)
    edges = cell_edges(reference[0])
    own = parts(edges, *reference, current, measures)
    drawn = np.array([
        parts(edges, reference[0][rows], reference[1][rows], current[others], measures)
        for rows, others in ((dealt(random, len(reference[0])), dealt(random, len(current))) for _ in range(RESAMPLES))
    ])  # fmt: skip
    half = normal((1 + level) / 2) * np.std(drawn, axis=0, ddof=1)
    count = len(reference[0]), len(current)
    told = np.isfinite(own).all(axis=1) & np.isfinite(half).all(axis=1)
    return {name: change(own[j], half[j], count, level) for j, name in enumerate(measures) if told[j]}


def dealt(random: np.random.Generator, rows: int) -> NDArray[np.int64]:
    """A bootstrap resample."""
    return random.integers(rows, size=rows)


def parts(edges: Floats, scores: Floats, hits: Floats, scores_now: Floats, measures: Mapping[str, Measure]) -> Floats:
    """Quality then, now and lost, by measure; shape (measures, 3). Cells of scores are the same in all resamples."""
    learned = CalibrationMap.on_cells(edges, cell_sums(edges, scores, hits))
    chances, chances_now = learned(scores), learned(scores_now)
    found = []
    for measure in measures.values():
        then, lost = measure(hits, scores), measure(chances, scores) - measure(chances_now, scores_now)
        found.append((then, then - lost, lost))
    return np.array(found, dtype=np.float64)


def change(values: Floats, halves: Floats, rows: tuple[int, int], level: float) -> QualityChange:
    """One measure then, now and lost, of so many rows then and now."""
    then, now, lost = (
        around(value, half, count, level)
        for value, half, count in zip(values, halves, (rows[0], rows[1], min(rows)), strict=True)
    )
    return QualityChange(then=then, now=now, lost=lost)


def around(value: float, half: float, rows: int, level: float) -> Estimate:
    """An estimate with symmetric ends."""
    return Estimate(
        value=float(value), low=float(value - half), high=float(value + half), level=level, unit="ratio", n=rows
    )
