"""P-values of several tests at once, adjusted so that each can be held against one error rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def holm(p_values: ArrayLike) -> Floats:
    """Adjusted p-values that bound the chance of any false alarm, whatever the tests' dependence.

    >>> holm([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.06, 0.06]

    Args:
        p_values: shape (tests,).
    Returns:
        The same shape and order; at or below alpha rejects.
    Source: Holm 1979.
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values)
    steps = np.maximum.accumulate(values[order] * np.arange(values.size, 0, -1))
    return restored(np.minimum(steps, 1.0), order)


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Adjusted p-values that bound the share of false alarms among the alarms, for independent or alike tests.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(4).tolist()
    [0.03, 0.04, 0.04]

    Args:
        p_values: shape (tests,).
    Returns:
        The same shape and order; at or below the rate rejects.
    Source: Benjamini & Hochberg 1995.
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values)
    scaled = values[order] * values.size / np.arange(1, values.size + 1)
    steps = np.minimum.accumulate(scaled[::-1])[::-1]
    return restored(np.minimum(steps, 1.0), order)


def restored(values: Floats, order: NDArray[np.int64]) -> Floats:
    """Sorted values back in the order in which they came."""
    found = np.empty_like(values)
    found[order] = values
    return found
