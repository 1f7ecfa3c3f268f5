"""Hopsworks: a feature group's rows, offline and online, through its public Python client.

Its server cannot be had on one machine, so that this adapter was held against the client's interface (5.2) and not
against a running store.
"""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from excise.adapters.stores.rows import aligned, evenly, newest
from excise.core.errors import DataError, MissingExtra, first_line
from excise.core.stores import TIME, StoredView
from excise.tables import Table, read

HOST = "HOPSWORKS_HOST"


class HopsworksStore:
    """The project that ``HOPSWORKS_HOST``, ``HOPSWORKS_PROJECT`` and ``HOPSWORKS_API_KEY`` name; nothing is written.

    Raises:
        MissingExtra: the client is not installed.
    """

    name = "hopsworks"

    def __init__(self) -> None:
        if find_spec("hopsworks") is None:
            raise MissingExtra("hopsworks", extra="hopsworks")

    def read(self, place: str, most: int) -> StoredView:
        """The latest values of a feature group; ``place`` is its name and version, ``NAME/VERSION``.

        Raises:
            DataError: no such group, it has no times or no online side, or the store cannot be reached.
        """
        name, _, version = place.partition("/")
        if not version.isdecimal():
            raise DataError(f"{place} names no version", hint="write hopsworks:NAME/VERSION")
        try:
            group = connected().get_feature_group(name, int(version))
        except Exception as error:  # of the network, or of the client
            raise DataError(f"cannot open {place}: {first_line(error)}", hint=f"is {HOST} right?") from error
        if group is None:
            raise DataError(f"there is no feature group {name}, version {version}", hint="write hopsworks:NAME/VERSION")
        return read_group(group, place, most)


def connected() -> Any:
    """The feature store of the project.

    Raises:
        DataError: it is not said which.
    """
    if not os.environ.get(HOST):
        raise DataError(f"{HOST} is not set", hint="set HOPSWORKS_HOST, HOPSWORKS_PROJECT and HOPSWORKS_API_KEY")
    import hopsworks  # noqa: PLC0415  loading it takes seconds

    return hopsworks.login(engine="python").get_feature_store()


def read_group(group: Any, place: str, most: int) -> StoredView:
    """Both sides of a feature group.

    Raises:
        DataError: it has no event time, or nothing online.
    """
    if group.event_time is None or not group.online_enabled:
        raise DataError(f"{place} has no event time, or is not online", hint="create it with both")
    keys, time = tuple(group.primary_key), group.event_time
    features = tuple(one.name for one in group.features if one.name not in {*keys, time})
    offline, online = (read(group.read(online=side, dataframe_type="pandas")) for side in (False, True))
    latest = newest(renamed(offline, time), keys, TIME)
    chosen = evenly(latest, most)
    served = aligned(renamed(online, time), chosen.select(keys), (*features, TIME))
    if not served.column(TIME).present().any():
        raise DataError(f"{place} has no values online", hint="materialize it first")
    return StoredView(keys, features, chosen, served, latest.rows)


def renamed(rows: Table, time: str) -> Table:
    """The rows with their time under the name that all stores share."""
    columns = (replace(one, name=TIME) if one.name == time else one for one in rows.columns)
    return replace(rows, columns=tuple(columns))
