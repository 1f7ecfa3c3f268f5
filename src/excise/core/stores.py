"""The seam to feature stores: what a model is trained on, and what it is served, of the same entities."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

TIME = "event_timestamp"
"""The column that says when a row's values came about."""


class StoredView(NamedTuple):
    """The latest values of a feature view, twice.

    Attributes:
        keys: columns that name an entity.
        features: columns that are compared.
        offline, online: tables, row by row of the same entities; both with the keys, the features and
            ``event_timestamp``. An entity that is not there online has nulls.
        entities: that are there offline, of which the rows may be a sample.
    """

    keys: tuple[str, ...]
    features: tuple[str, ...]
    offline: Any
    online: Any
    entities: int


@runtime_checkable
class FeatureStore(Protocol):
    """One system that keeps features; found through the entry-point group ``excise.stores``."""

    name: str
    """The scheme in front of its references: ``feast`` in ``feast:PATH/VIEW``."""

    def read(self, place: str, most: int) -> StoredView:
        """The latest values of a view, of so many entities at most, evenly spread.

        Raises:
            DataError: no such store or view, or nothing was brought online yet; the hint says what to do.
            MissingExtra: the system's library is not installed.
        """
