"""Which of what a folder holds is audited: what production runs, on the data that fits it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

from excise.api import config
from excise.api.finding.data import find_current, find_data, find_reference, find_target, is_recorded, used_by
from excise.api.finding.models import find_models
from excise.api.finding.services import Service, find_services
from excise.core.errors import DataError, ModelError
from excise.core.refs import ModelRef
from excise.core.spelling import did_you_mean
from excise.tables.heads import column_names


class Choice(NamedTuple):
    """The settings that are filled in; None for what was neither given nor found."""

    model: str | None = None
    current: str | None = None
    reference: str | None = None
    target: str | None = None
    request: str | None = None
    body: str | None = None

    def filled(self) -> dict[str, str]:
        """Those that have a value, by key."""
        return {key: value for key, value in self._asdict().items() if value is not None}

    def over(self, found: Self) -> Self:
        """What is given beats what was found."""
        return self._replace(**{key: value for key, value in found._asdict().items() if getattr(self, key) is None})


class Sight(NamedTuple):
    """What a folder holds.

    Attributes:
        models: handlers and model files, the likeliest first.
        services: applications.
        data: tables of rows. recorded: tables of requests.
        columns: of every table, as far as its head tells.
    """

    models: list[str]
    services: list[Service]
    data: list[str]
    recorded: list[str]
    columns: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, root: Path) -> Self:
        """Look at a folder and at those right below it."""
        tables = find_data(root)
        recorded = [name for name in tables if is_recorded(root / name)]
        return cls(
            models=find_models(root),
            services=find_services(root),
            data=[name for name in tables if name not in recorded],
            recorded=recorded,
            columns={name: column_names(root / name) for name in tables},
        )

    @property
    def names(self) -> tuple[str, ...]:
        """All of it, as the settings name it."""
        return (*(service.ref for service in self.services), *self.models, *self.recorded, *self.data)


def choose(given: Choice, sight: Sight, root: Path) -> Choice:
    """What is given, and for the rest what was found.

    A service is what production runs: it comes before a handler, and that before a model file, if there are rows with
    the fields that it asks for or requests that were recorded.
    """
    service = next((one for one in sight.services if given.model in (None, one.ref) and asks(one, given, sight)), None)
    model = given.model or (service.ref if service else next(iter(sight.models), None))
    tables = sight.data if service is None or fit(service, given, sight) else sight.recorded
    reference = given.reference or find_reference(tables, given.current)
    current = given.current or find_current(tables, reference)
    columns = columns_of(current, sight, root)
    used = None if model is None else used_by(model, service, root)
    made = Choice(model, current, reference, find_target(columns, used))
    return given.over(made if service is None else with_request(made, service, current in sight.recorded))


def asks(service: Service, given: Choice, sight: Sight) -> bool:
    """Whether there is something to ask a service with."""
    return given.model is not None or bool(sight.recorded) or fit(service, given, sight)


def fit(service: Service, given: Choice, sight: Sight) -> bool:
    """Whether there are rows with the fields that a service asks for."""
    current = given.current or find_current(sight.data, given.reference or find_reference(sight.data, None))
    return current is not None and service.fits(sight.columns.get(current, ()))


def with_request(choice: Choice, service: Service, recorded: bool) -> Choice:
    """The choice with how the service is asked; recorded requests have bodies of their own."""
    return choice._replace(request=service.request, body=None if recorded else service.body)


def columns_of(source: str | None, sight: Sight, root: Path) -> tuple[str, ...]:
    """Columns of a table that was seen, or of one that was given."""
    if source is None:
        return ()
    return sight.columns[source] if source in sight.columns else column_names(root / source)


def demand(choice: Choice, root: Path) -> None:
    """Refuse what is not there.

    Raises:
        InvalidRef: the model is no model reference.
        ModelError: there is no model. DataError: there is no data, or it has no such column.
    """
    if choice.model is None:
        raise ModelError("no model found here", hint="excise init MODEL")
    ref = ModelRef.parse(choice.model)
    if ref.kind in config.LOCAL_KINDS and not (root / ref.target).exists():
        raise ModelError(f"no such file: {ref.target}", hint="paths count from the folder that gets excise.toml")
    if choice.current is None:
        raise DataError("no data found here", hint="excise init MODEL --current DATA")
    for source in (choice.current, choice.reference):
        demand_file(source, root)
    columns = column_names(root / choice.current)
    if choice.target is not None and columns and choice.target not in columns:
        raise DataError(f"no column {choice.target!r}", hint=did_you_mean(choice.target, columns))


def demand_file(source: str | None, root: Path) -> None:
    """Refuse a plain path that is not there; what a URL or a pattern leads to is seen when it is read."""
    plain = source is not None and "://" not in source and not set(source) & set("*?[")
    if plain and not (root / str(source)).exists():
        raise DataError(f"no such file: {source}", hint="paths count from the folder that gets excise.toml")
