"""The suite that every feature store can be held against; third parties run it on theirs.

check_store(MyStore, "a/repository/a_view", "a/repository/no_such_view")
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from excise.core.errors import DataError, Mismatch
from excise.core.stores import TIME, FeatureStore, StoredView
from excise.tables import Table, read

FEW, MANY = 2, 1_000_000


def check_store(make: Callable[[], Any], place: str, missing: str) -> list[str]:
    """Hold a store against the contract.

    Args:
        make: makes a store.
        place: a view with at least three entities, all of them online.
        missing: a view that is not there.
    Returns:
        Names of the checks that passed.
    Raises:
        Mismatch: the first check that failed, with what was seen.
    """
    store = make()
    if not isinstance(store, FeatureStore) or not store.name:
        raise Mismatch("a feature store needs name and read")
    view = store.read(place, MANY)
    offline, online = read(view.offline), read(view.online)
    paired(view, offline, online)
    few = store.read(place, FEW)
    if read(few.offline).rows != FEW or few.entities != view.entities:
        raise Mismatch(f"{read(few.offline).rows} rows of {few.entities} entities where {FEW} were asked for")
    try:
        store.read(missing, MANY)
    except DataError:
        return ["interface", "offline and online in one order", "a sample of the entities", "a view that is missing"]
    raise Mismatch("a view that is not there was read")


def paired(view: StoredView, offline: Table, online: Table) -> None:
    """Both sides have the same entities in the same order, and all columns."""
    for side in (offline, online):
        lacking = {*view.keys, *view.features, TIME} - set(side.names)
        if lacking:
            raise Mismatch(f"columns are missing: {', '.join(sorted(lacking))}")
    for key in view.keys:
        if offline.column(key).plain() != online.column(key).plain():
            raise Mismatch(f"{key} differs between offline and online")
    if offline.rows != view.entities:
        raise Mismatch(f"{offline.rows} rows of {view.entities} entities")
