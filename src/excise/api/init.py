"""``excise.init``: write a commented ``excise.toml`` for a model and its data."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import msgspec

from excise.api import config, settings_file
from excise.api.choosing import Choice, Sight, choose, demand
from excise.api.finding.models import is_pickle
from excise.api.finding.price import find_price
from excise.core.errors import Conflict


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """What ``init`` found and wrote.

    Attributes:
        path: the file that was written.
        model, current, reference, target: what it names; None where nothing was given or found.
        request, body: how a service is asked; None for any other model.
        price: what this machine costs, by the price book's name; None where its firmware does not tell.
        found: which of them were found rather than given.
        others: models and data that were seen as well.
        command: one line that runs as it stands in the same folder.
        notes: what a person should know before running it.
    """

    path: str
    model: str
    current: str
    reference: str | None
    target: str | None
    request: str | None
    body: str | None
    price: str | None
    found: tuple[str, ...]
    others: tuple[str, ...]
    command: str
    notes: tuple[str, ...]


def init(
    model: str | None = None,
    *,
    current: str | None = None,
    reference: str | None = None,
    target: str | None = None,
    folder: str | Path = ".",
) -> Project:
    """Write ``excise.toml``; what is not given is looked for in the folder and the folders right below it.

    Args:
        model: a model reference, as ``excise audit`` takes it.
        current: inputs as production gets them today.
        reference: inputs from when the model was approved.
        target: column that holds the label.
        folder: where the file goes.

    Raises:
        Conflict: the folder has settings already; nothing is overwritten.
        ModelError: no model was given and none was found, or the one given is not there.
        DataError: no data was given and none was found, or it has no such column.
    """
    root = Path(folder)
    refuse_existing(root)
    given = Choice(model, current, reference, target)
    sight, price = Sight.of(root), find_price()
    chosen = choose(given, sight, root)
    demand(chosen, root)
    values = {**chosen._asdict(), "price": price.sku}
    others = tuple(name for name in sight.names if name not in chosen)
    settings_file.write(root / config.FILE, settings_file.text(values, others, {"price": price.example}))
    return Project(
        **values,
        path=str(root / config.FILE),
        found=tuple(key for key, value in values.items() if value and getattr(given, key, None) is None),
        others=others,
        command=command(values),
        notes=notes(values, root),
    )


def refuse_existing(root: Path) -> None:
    """Refuse a folder that has settings already, in either place."""
    for path, table in config.tables_in(root):
        if table is not None:
            raise Conflict(
                f"{path} holds settings already", hint="edit it, or remove it first; init overwrites nothing"
            )


FLAGS = ("reference", "current", "target", "request", "body", "price")
"""Settings that the printed line repeats, in the order of the audit's help."""


def command(values: Mapping[str, str | None]) -> str:
    """The audit of what was chosen, as one line for a shell."""
    given = [part for key in FLAGS if (value := values.get(key)) is not None for part in (f"--{key}", value)]
    return shlex.join(["excise", "audit", str(values["model"]), *given])


def notes(values: Mapping[str, str | None], root: Path) -> tuple[str, ...]:
    """What a person should know before running the command."""
    told = []
    if is_pickle(root / str(values["model"])):
        told.append(
            f"{values['model']} is a pickle: loading it runs code that it holds; add --trust-pickle if you trust it"
        )
    if values["reference"] is None:
        told.append("without a reference, creep and fat features are not measured")
    if values["target"] is None:
        told.append("without a target, agreement with production stands in for skill")
    return tuple(told)
