"""Embeddings whose rows are at hand: can a classifier tell the two samples apart?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from excise.features.embeddings import is_vector
from excise.features.profile import FeatureProfile
from excise.stats.domain_classifier import separation
from excise.stats.two_samples import Difference
from excise.tables import Column, Table

MOST_ROWS = 2000
MOST_LENGTH = 512
"""Numbers of a vector that a classifier sees; longer ones are projected."""
SEED = 20_417
Floats = NDArray[np.float64]


def separations(reference: FeatureProfile, before: Table, now: Table) -> dict[str, Difference]:
    """By embedding that both tables have, how well a classifier tells the tables apart.

    At most 2000 rows of each are drawn, the same ones every time.
    """
    names = [name for name, column in reference.columns.items() if column.form == "embedding" and name in now.names]
    return {name: found for name in names for found in told_apart(name, before, now)}


def told_apart(name: str, before: Table, now: Table) -> Iterator[Difference]:
    """The comparison of one embedding; nothing where no vectors of one length are left."""
    length = len(next(cell for cell in before.column(name).values if cell is not None and is_vector(cell)))
    sides = [drawn(table.column(name), length) for table in (before, now)]
    if min(map(len, sides)):
        yield separation(sides[0], sides[1], seed=SEED)


def drawn(column: Column, length: int) -> Floats:
    """Finite vectors of this length, shape (n, at most 512)."""
    cells = [cell for cell in column.values if cell is not None and is_vector(cell) and len(cell) == length]
    random = np.random.default_rng(SEED)
    chosen = np.sort(random.permutation(len(cells))[:MOST_ROWS])
    matrix = np.array([cells[index] for index in chosen.tolist()], np.float64).reshape(-1, length)
    whole = matrix[np.isfinite(matrix).all(axis=1)]
    if length <= MOST_LENGTH:
        return whole
    return np.asarray(whole @ np.random.default_rng(length).choice((-1.0, 1.0), (length, MOST_LENGTH)))
