"""Values of the same entities, as a model is trained on them and as it is served them, held against each other."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from excise.core.drift import Cause, CauseKind, Drifted, FeatureDrift
from excise.stats.proportions import proportion
from excise.tables import Column

ROUNDING = 2.0**-23
"""Relative difference that storing a number as float32 makes."""
TWO_SIDED = 0.9
"""Coverage of an interval whose lower end alone is right in 95 of 100 cases."""
NUMBERS = {"int", "float", "bool"}
ORDER = (Drifted.MATERIAL, Drifted.IMMATERIAL, Drifted.NONE, Drifted.NOT_MEASURED)


class Skew(NamedTuple):
    """One feature's pairs.

    Attributes:
        pairs: entities. differing: of them, those with another value online.
        older: of the differing ones, those whose online value is older than the offline one.
        example: a pair that differs, None without.
    """

    pairs: int
    differing: int
    older: int
    example: str | None

    @property
    def low(self) -> float:
        """Share of entities that differ, at least."""
        return proportion(self.differing, self.pairs, level=TWO_SIDED).low or 0.0


def skew(offline: Column, online: Column, stale: NDArray[np.bool_]) -> Skew:
    """Compare a feature pair by pair.

    Args:
        offline: values that a model is trained on, shape (entities,).
        online: values that it is served, of the same entities in the same order.
        stale: whether an entity's online values are older than its offline ones, shape (entities,).
    """
    differs = different(offline, online)
    places = np.flatnonzero(differs)
    example = None
    if places.size:
        first = np.array([places[0]])
        example = " → ".join(written(side.take(first).plain()[0]) for side in (offline, online))
    return Skew(len(differs), int(places.size), int((differs & stale).sum()), example)


def written(value: object) -> str:
    """A value as people write it."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def different(offline: Column, online: Column) -> NDArray[np.bool_]:
    """By pair, whether the two are not the same; numbers are where they differ by no more than float32 rounds.

    Two missing values are the same, NaN is missing.
    """
    sides = offline, online
    if all(side.kind in NUMBERS for side in sides):
        first, second = (side.values.astype(np.float64) for side in sides)
        gone = [~side.present() | np.isnan(values) for side, values in zip(sides, (first, second), strict=True)]
        alike = np.isclose(first, second, rtol=ROUNDING, atol=0.0)
        return np.where(gone[0] | gone[1], gone[0] != gone[1], ~alike)
    pairs = zip(*(side.plain() for side in sides), strict=True)
    return np.fromiter((first != second for first, second in pairs), np.bool_, len(offline.held))


def with_skew(feature: FeatureDrift, found: Skew, floor: float) -> FeatureDrift:
    """A feature's result with what its pairs say: material where surely more of them differ than the floor."""
    if not found.differing:
        return feature
    words = "another value online than offline"
    if found.older:
        words += f" (an older one for {found.older} of {found.differing} entities)"
    cause = Cause(cause=CauseKind.SKEW, what=words, share=found.differing / found.pairs, example=found.example)
    verdict = Drifted.MATERIAL if found.low >= floor else Drifted.IMMATERIAL
    return msgspec.structs.replace(
        feature, verdict=min(feature.verdict, verdict, key=ORDER.index), causes=(cause, *feature.causes)
    )
