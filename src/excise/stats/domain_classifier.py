"""Can a classifier tell two samples of vectors apart? Its cross-fitted area under the curve, and a permutation test."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from excise.stats.two_samples import NOTHING, Difference

FOLDS = 5
PERMUTATIONS = 999
FEWEST = 4 * FOLDS
"""Rows of each side."""
RIDGE = 0.1
SQUARED = 64
"""Coordinates whose squares are features as well: a change of spread is none of the mean."""
LEVEL = 0.05
Floats = NDArray[np.float64]


def separation(reference: Floats, current: Floats, *, seed: int = 0) -> Difference:
    """How well a ridge classifier on coordinates and their squares tells two samples apart.

    Each row is scored by a classifier that did not see it. The p-value is that of a permutation test, at least 1/1000;
    the effect is twice the area's excess over one half, and its lower bound takes off the 95 % quantile of what
    permuted labels reach by chance.

    Args:
        reference: shape (n, d), finite.
        current: shape (m, d), finite.
        seed: of folds and permutations.
    Returns:
        Nothing at all where a side has fewer than 20 rows.
    Source: Lopez-Paz & Oquab 2017, Revisiting classifier two-sample tests; Phipson & Smyth 2010 for the p-value.
    """
    sizes = len(reference), len(current)
    if min(sizes) < FEWEST:
        return NOTHING
    random = np.random.default_rng(seed)
    shuffled = random.permutation(sum(sizes))  # ties fall by the order of rows, which must say nothing of the labels
    rows = np.concatenate([reference, current])[shuffled]
    if not np.ptp(rows, axis=0).any():
        return NOTHING
    features = widened(rows)
    labels = np.concatenate([np.zeros(sizes[0]), np.ones(sizes[1])])[shuffled]
    order = np.stack([random.permutation(labels) for _ in range(PERMUTATIONS)], axis=1)
    every = np.column_stack([labels, order])
    areas = area_under_curve(out_of_fold(features, every, random.permutation(sum(sizes)) % FOLDS), every)
    own, chance = float(areas[0]), areas[1:]
    effect = max(0.0, 2 * own - 1)
    low = 2 * (own - float(np.quantile(chance, 1 - LEVEL)) + 0.5) - 1
    p_value = (1 + int((chance >= own).sum())) / (1 + PERMUTATIONS)
    return Difference(p_value, effect, min(max(low, 0.0), effect))


def widened(rows: Floats) -> Floats:
    """Standardized coordinates, and the squares of the first of them."""
    spread = rows.std(axis=0)
    moving = spread > 0
    scaled = (rows[:, moving] - rows[:, moving].mean(axis=0)) / spread[moving]
    squares = scaled[:, :SQUARED] ** 2
    return np.hstack([scaled, squares - squares.mean(axis=0), np.square(scaled).mean(axis=1, keepdims=True) - 1])


def out_of_fold(features: Floats, labels: Floats, folds: NDArray[np.int64]) -> Floats:
    """Scores of every row by a fit on the other folds, shape (rows, labelings)."""
    scores = np.empty_like(labels)
    for fold in range(FOLDS):
        held, rest = folds == fold, folds != fold
        fitted = features[rest]
        gram = fitted.T @ fitted
        gram[np.diag_indices_from(gram)] += RIDGE * len(fitted)
        centered = labels[rest] - labels[rest].mean(axis=0)
        scores[held] = features[held] @ np.linalg.solve(gram, fitted.T @ centered)
    return scores


def area_under_curve(scores: Floats, labels: Floats) -> Floats:
    """By labeling, the chance that a row with label 1 scores above one with label 0; ties are one half by luck.

    >>> area_under_curve(np.array([[0.1], [0.4], [0.3], [0.9]]), np.array([[0.0], [0.0], [1.0], [1.0]])).tolist()
    [0.75]
    """
    ranks = np.argsort(np.argsort(scores, axis=0), axis=0) + 1.0
    ones = labels.sum(axis=0)
    zeros = len(labels) - ones
    return np.asarray(((ranks * labels).sum(axis=0) - ones * (ones + 1) / 2) / (ones * zeros), np.float64)
