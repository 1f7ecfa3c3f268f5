"""A view of a feature store as two samples of the same entities."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from excise.adapters.stores import find, schemes
from excise.core.audit import Gap
from excise.core.drift import FeatureDrift
from excise.core.errors import UsageError
from excise.core.stores import TIME
from excise.features.skew import skew, with_skew
from excise.tables import Table, read

MOST = 20_000
"""Entities that are asked for at most."""


class Pairs(NamedTuple):
    """Both sides of a view.

    Attributes:
        offline, online: features alone, row by row of the same entities.
        times: of both, when values came about.
        entities: that there are.
    """

    offline: Table
    online: Table
    times: tuple[Table, Table]
    entities: int

    def judged(
        self, features: tuple[FeatureDrift, ...], floor: float
    ) -> tuple[tuple[FeatureDrift, ...], tuple[Gap, ...]]:
        """The results with what the pairs say, and how many entities were left out."""
        offline, online = (side.column(TIME).values for side in self.times)
        stale = ~np.isnat(online) & (online < offline)
        judged = tuple(
            with_skew(one, skew(self.offline.column(one.name), self.online.column(one.name), stale), floor)
            for one in features
        )
        left = self.entities - self.offline.rows
        why = f"{MOST} of them, evenly spread, were read"
        return judged, (Gap(what=f"{left} of {self.entities} entities", why=why),) if left else ()


def stored_pairs(reference: Any) -> Pairs:
    """The two sides of a view, ``feast:PATH/VIEW``.

    Raises:
        UsageError: the reference is none, so that something to hold against it is missing.
        DataError: the view cannot be read, or has nothing online.
        MissingExtra: the store's library is not installed.
    """
    scheme, colon, place = reference.partition(":") if isinstance(reference, str) else ("", "", "")
    if not colon or scheme not in schemes():
        offered = ", ".join(f"{name}:PATH/VIEW" for name in schemes())
        raise UsageError(
            "Missing argument 'CUR': what is held against the reference",
            hint=f"only a view of a feature store brings both: {offered}",
        )
    view = find(scheme).read(place, MOST)
    offline, online = (read(side) for side in (view.offline, view.online))
    return Pairs(
        offline=offline.select(view.features).with_source(f"{reference} offline"),
        online=online.select(view.features).with_source(f"{reference} online"),
        times=(offline, online),
        entities=view.entities,
    )
