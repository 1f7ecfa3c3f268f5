"""Feast: the latest rows of a view's source, as ``feast materialize`` takes them, and what the online store answers."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from excise.adapters.stores.rows import beside, evenly
from excise.core.errors import DataError, MissingExtra, first_line
from excise.core.stores import TIME, StoredView
from excise.tables import Table, read
from excise.tables.table import closest

SETTINGS = "feature_store.yaml"
AT_ONCE = 1000
"""Entities of one request to the online store."""
BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class FeastStore:
    """A repository of Feast, read through its own offline and online stores; nothing is written or sent elsewhere.

    Raises:
        MissingExtra: Feast is not installed.
    """

    name = "feast"

    def __init__(self) -> None:
        if find_spec("feast") is None:
            raise MissingExtra("feast", extra="feast")

    def read(self, place: str, most: int) -> StoredView:
        """The latest values of a view; ``place`` is the repository's folder and the view's name, ``PATH/VIEW``.

        Raises:
            DataError: no such repository or view, its source cannot be read, or nothing is online.
        """
        os.environ.setdefault("FEAST_USAGE", "False")
        folder, _, name = place.rpartition("/")
        store, view = opened(folder or ".", name)
        keys = tuple(column.name for column in view.entity_columns)
        features = tuple(feature.name for feature in view.features)
        latest = offline(store, view, keys, features)
        chosen = evenly(latest, most)
        served = online(store, name, chosen.select(keys), features)
        if not served.column(TIME).present().any():
            raise DataError(f"{name} has no values online", hint=f"feast -c {folder or '.'} materialize-incremental …")
        return StoredView(keys, features, chosen, served, latest.rows)


def opened(folder: str, name: str) -> tuple[Any, Any]:
    """The repository and the view.

    Raises:
        DataError: one is not there.
    """
    if not (Path(folder) / SETTINGS).is_file():
        raise DataError(f"{folder} is no Feast repository: it has no {SETTINGS}", hint="write feast:PATH/VIEW")
    from feast import FeatureStore  # noqa: PLC0415  loading it takes seconds
    from feast.errors import FeatureViewNotFoundException  # noqa: PLC0415  as above

    try:
        store = FeatureStore(repo_path=folder)
        return store, store.get_feature_view(name)
    except FeatureViewNotFoundException as error:
        names = [view.name for view in store.list_feature_views()]
        hint = closest(name, names).replace("its columns are", "its views are") if names else "run feast apply first"
        raise DataError(f"{folder} has no feature view {name!r}", hint=hint) from error
    except Exception as error:  # whatever its settings or its registry hold
        raise DataError(f"cannot open {folder}: {first_line(error)}", hint="does feast itself read it?") from error


def offline(store: Any, view: Any, keys: tuple[str, ...], features: tuple[str, ...]) -> Table:
    """The latest row of each entity in the view's source.

    Raises:
        DataError: it cannot be read, or is empty.
    """
    from feast.infra.offline_stores.offline_utils import get_offline_store_from_config  # noqa: PLC0415  as above

    source = view.batch_source
    try:
        table = (
            get_offline_store_from_config(store.config.offline_store)
            .pull_latest_from_table_or_query(
                config=store.config,
                data_source=source,
                join_key_columns=list(keys),
                feature_name_columns=list(features),
                timestamp_field=source.timestamp_field,
                created_timestamp_column=source.created_timestamp_column or None,
                start_date=BEGINNING,
                end_date=dt.datetime.now(dt.UTC),
            )
            .to_arrow()
        )
    except Exception as error:
        raise DataError(f"cannot read the source of {view.name}: {first_line(error)}", hint="is it there?") from error
    rows = read(table)
    stamps = replace(rows.column(source.timestamp_field), name=TIME)
    return Table((*rows.select([*keys, *features]).columns, stamps), view.name)


def online(store: Any, view: str, entities: Table, features: tuple[str, ...]) -> Table:
    """What the online store answers for these entities, in their order."""
    asked = entities.records()
    cells: dict[str, list[Any]] = {name: [] for name in (*features, TIME)}
    for start in range(0, len(asked), AT_ONCE):
        answer = store.get_online_features([f"{view}:{name}" for name in features], asked[start : start + AT_ONCE])
        values = answer.to_dict()
        for name in features:
            cells[name] += values[name]
        cells[TIME] += times(answer)
    return beside(entities, cells)


def times(answer: Any) -> list[dt.datetime | None]:
    """By entity, when the newest of its values came about, in UTC; None where none is online."""
    results = [result.event_timestamps for result in answer.proto.results if result.event_timestamps]
    newest = (max(row, key=lambda time: time.seconds) for row in zip(*results, strict=True))
    return [time.ToDatetime() if time.seconds else None for time in newest]
