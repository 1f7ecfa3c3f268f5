"""The project's settings: ``excise.toml`` or ``[tool.excise]``, and the environment above it.

Keys that stand at the top hold for every verb that knows them, keys in ``[audit]``, ``[profile]`` and
``[release]`` for that verb alone. ``EXCISE_TARGET`` and ``EXCISE_AUDIT_BUDGET`` beat the file, flags beat both.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from excise.core.duration import parse_seconds
from excise.core.errors import ConfigError, UsageError
from excise.core.refs import SERVICES, ModelRef, RefKind
from excise.core.spelling import did_you_mean

FILE = "excise.toml"
PYPROJECT = "pyproject.toml"
PREFIX = "EXCISE_"
PROJECT_EDGE = ".git"
"""The search for a file ends at the folder that holds this: what lies above belongs to another project."""


class Kind(NamedTuple):
    """What a value may be: a type that msgspec checks, and its name in words."""

    type: Any
    words: str


TEXT = Kind(str, "a text")
TEXTS = Kind(list[str], "a list of texts")
FLAG = Kind(bool, "true or false")
COUNT = Kind(int, "a whole number")
NUMBER = Kind(float, "a number")
DURATION = Kind(str | float, 'a duration such as "60s"')


def one_of(*choices: str) -> Kind:
    """The kind of a value that is one of a few words."""
    from typing import Literal  # noqa: PLC0415  built at run time from the words

    return Kind(Literal[choices], " or ".join(f'"{choice}"' for choice in choices))


class Key(NamedTuple):
    """One setting: its kind, what it means, and a value to show, as TOML."""

    kind: Kind
    meaning: str
    example: str


KEYS: dict[str, Key] = {
    "model": Key(
        TEXT,
        "what production runs: a file, file.py:attribute, asgi:module:app, a URL, mlflow:…, or name@version",
        '"handler.py:handler"',
    ),
    "current": Key(TEXT, "inputs as production gets them today", '"current.parquet"'),
    "reference": Key(TEXT, "inputs from when the model was approved", '"reference.parquet"'),
    "target": Key(TEXT, "column that holds the label", '"label"'),
    "csv": Key(one_of("exact", "text", "infer"), "how cells of a CSV get their types", '"exact"'),
    "input": Key(one_of("records", "frame", "tensors"), "the form in which a call gets its rows", '"records"'),
    "request": Key(TEXT, "how a service or an endpoint is asked", '"POST /predict"'),
    "headers": Key(TEXTS, "sent with every request; ${NAME} is a variable", '["Authorization: Bearer ${TOKEN}"]'),
    "body": Key(TEXT, "body of a request; {{column}} and {{row}} are the row's", "'{\"x\": {{row}}}'"),
    "required": Key(TEXTS, "functions of a service that must stay, whatever they cost", '["audit_log"]'),
    "against": Key(TEXT, "another model to ask on the same rows", '"http://127.0.0.1:8001"'),
    "token_prices": Key(TEXT, "USD per million tokens of an endpoint", '"input=0.15,cached=0.075,output=0.6"'),
    "batch": Key(COUNT, "rows per call", "1"),
    "budget": Key(DURATION, "wall time of measuring", '"60s"'),
    "prepare_budget": Key(DURATION, "wall time of exporting and building environments", '"2m"'),
    "timeout": Key(DURATION, "longest time that one call may take", '"30s"'),
    "max_cores": Key(COUNT, "cores that measuring may take", "2"),
    "seed": Key(COUNT, "of the order of rows and processes", "0"),
    "price": Key(TEXT, "machine whose price counts, by the price book's name", '"aws/c5.large"'),
    "dollars_per_hour": Key(NUMBER, "what the machine costs, instead of price", "0.085"),
    "slots": Key(NUMBER, "calls that one machine serves at once", "2"),
    "lean": Key(TEXTS, "leaner models of your own to try", '["lean.onnx"]'),
    "baseline": Key(TEXT, "release to hold today's production against", '"flights@1"'),
    "metric": Key(TEXT, "loss behind skill, instead of the one that fits the outputs", '"log_loss"'),
    "engine": Key(one_of("interleaved", "duet"), "how processes are compared", '"interleaved"'),
    "half_width": Key(NUMBER, "stop once every ratio is known to this", "0.01"),
    "delta": Key(NUMBER, "share of skill that a remedy may lose and still count as waste", "0.005"),
    "floor": Key(NUMBER, "share of skill that must stay in a trade, shown apart from the rate", "0.99"),
    "slices": Key(TEXTS, "columns by whose values the skill must hold as well", '["origin"]'),
    "max_tax": Key(NUMBER, "tax rate above which the audit fails", "0.5"),
    "rot": Key(FLAG, "measure the newest compatible environment (downloads wheels)", "false"),
    "offline": Key(FLAG, "download nothing", "false"),
    "find_links": Key(TEXTS, "folders with wheels", '["wheels"]'),
    "max_download": Key(COUNT, "MB that an environment may download", "500"),
    "name": Key(TEXT, "name of the releases", '"flights"'),
}
"""Every setting; it means the same wherever it stands."""

SECTIONS: dict[str, tuple[str, ...]] = {
    "audit": tuple(key for key in KEYS if key != "name"),
    "drift": ("csv",),
    "profile": ("reference", "current", "csv"),
    "release": ("model", "reference", "target", "csv", "request", "body", "name"),
}
"""Which settings a verb knows. ``trust_pickle`` is not among them: a file must not be able to run another."""

SHARED = ("model", "current", "reference", "target", "csv", "input", "batch", "request", "body")
"""Settings that may stand at the top of the file."""

SUBCOMMAND = {"release": "create"}
"""The command of a group that its section speaks to."""

LOCAL_KINDS = (RefKind.PATH, RefKind.FILE_ATTRIBUTE)
"""Model references that name a file."""


@dataclass(frozen=True, slots=True)
class Config:
    """Checked settings.

    Attributes:
        path: the file that they came from, None where there is none.
        shared: of all verbs; sections: of single verbs. The environment's are already in.
    """

    path: Path | None
    shared: Mapping[str, Any]
    sections: Mapping[str, Mapping[str, Any]]

    def settings(self, verb: str) -> dict[str, Any]:
        """What holds for ``verb``, by key."""
        known = {key: value for key, value in self.shared.items() if key in SECTIONS[verb]}
        return known | dict(self.sections.get(verb, {}))

    def defaults(self, verb: str) -> dict[str, Any]:
        """The same, nested as click's ``default_map`` wants it."""
        settings = self.settings(verb)
        return {SUBCOMMAND[verb]: settings} if verb in SUBCOMMAND else settings


def load(start: str | Path = ".", environ: Mapping[str, str] | None = None) -> Config:
    """Find, read and check the settings that hold in a folder.

    Args:
        start: where the search begins; it goes upward to the project's edge.
        environ: variables that beat the file, ``os.environ`` by default.
    Raises:
        ConfigError: the file is no TOML, or a key or value is not known; the hint names the closest key.
    """
    path, table = read(Path(start))
    shared, sections = split(table, path)
    variables = os.environ if environ is None else environ
    for name, section, key in known_variables(variables):
        value = checked(key, from_text(key, variables[name]), where=name)
        if section is None:
            shared[key] = value
            sections = {verb: _without(values, key) for verb, values in sections.items()}
        else:
            sections.setdefault(section, {})[key] = value
    return Config(path=path, shared=shared, sections=sections)


def _without(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != key}


def read(start: Path) -> tuple[Path | None, dict[str, Any]]:
    """The nearest file upward from ``start`` and its table of settings; None and an empty one without."""
    for folder in (start.resolve(), *start.resolve().parents):
        found = [(path, table) for path, table in tables_in(folder) if table is not None]
        if len(found) > 1:
            raise ConfigError(f"{folder} has both {FILE} and [tool.excise] in {PYPROJECT}", hint="keep one of them")
        if found:
            return found[0]
        if (folder / PROJECT_EDGE).exists():
            break
    return None, {}


def tables_in(folder: Path) -> Iterator[tuple[Path, dict[str, Any] | None]]:
    """Both places in one folder that can hold settings, with their table or None."""
    yield folder / FILE, parse(folder / FILE)
    project = parse(folder / PYPROJECT)
    yield folder / PYPROJECT, None if project is None else project.get("tool", {}).get("excise")


def parse(path: Path) -> dict[str, Any] | None:
    """A TOML file's content, None where there is no such file.

    Raises:
        ConfigError: it is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path.name} is not valid TOML: {error}", hint='a setting looks like target = "label"'
        ) from error


def split(table: Mapping[str, Any], path: Path | None) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Checked settings of all verbs and of single verbs, their paths taken from the file's own folder."""
    shared: dict[str, Any] = {}
    sections: dict[str, dict[str, Any]] = {}
    where = path.name if path else FILE
    for key, value in table.items():
        if key in SECTIONS:
            sections[key] = section(key, value, where=where)
        else:
            require_known(key, (*SHARED, *SECTIONS), where=where)
            shared[key] = checked(key, value, where=where)
    folder = path.parent if path else Path()
    return anchored(shared, folder), {verb: anchored(values, folder) for verb, values in sections.items()}


def section(verb: str, table: Any, *, where: str) -> dict[str, Any]:
    """The checked settings of one verb."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: {verb} is a section, not a value", hint=f"write [{verb}] and its settings below")
    for key in table:
        require_known(key, SECTIONS[verb], where=where, prefix=f"{verb}.")
    return {key: checked(key, value, where=where, prefix=f"{verb}.") for key, value in table.items()}


def require_known(key: str, known: tuple[str, ...], *, where: str, prefix: str = "") -> None:
    """Refuse a key that is not among the known ones."""
    if key not in known:
        raise ConfigError(f"{where}: unknown key {prefix}{key}", hint=did_you_mean(key, known))


def checked(key: str, value: Any, *, where: str, prefix: str = "") -> Any:
    """The value, if it is of the key's kind."""
    kind = KEYS[key].kind
    try:
        valid = msgspec.convert(value, kind.type)
        if kind is DURATION:
            parse_seconds(valid)
    except (msgspec.ValidationError, UsageError):
        what = f"{where}: {prefix}{key} must be {kind.words}, not {value!r}"
        raise ConfigError(what, hint=f"such as {key} = {KEYS[key].example}") from None
    return valid


def known_variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str | None, str]]:
    """Every ``EXCISE_…`` variable as (its name, verb or None, key), those of all verbs first.

    Raises:
        ConfigError: a variable names no setting.
    """
    known: dict[str, tuple[str | None, str]] = {f"{PREFIX}{key}".upper(): (None, key) for key in SHARED}
    known |= {f"{PREFIX}{verb}_{key}".upper(): (verb, key) for verb, keys in SECTIONS.items() for key in keys}
    for name in environ:
        if name.startswith(PREFIX) and name not in known:
            raise ConfigError(f"unknown variable {name} in the environment", hint=did_you_mean(name, known))
    return ((name, *place) for name, place in known.items() if name in environ)


def from_text(key: str, text: str) -> Any:
    """A variable's text as the value that a file would hold; unconvertible text stays text."""
    kind = KEYS[key].kind
    if kind is TEXTS:
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return msgspec.convert(text, kind.type, strict=False)
    except msgspec.ValidationError:
        return text


def anchored(settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Settings whose relative paths count from ``folder``, as seen from the working directory."""
    if folder.resolve() == Path.cwd():
        return dict(settings)
    return {key: _moved(value, MOVES[key], folder) if key in MOVES else value for key, value in settings.items()}


def _moved(value: Any, move: Callable[[str, Path], str], folder: Path) -> Any:
    return [move(part, folder) for part in value] if isinstance(value, list) else move(value, folder)


def _moved_data(source: str, folder: Path) -> str:
    return source if "://" in source else str(folder / source)


def _moved_model(text: str, folder: Path) -> str:
    ref = ModelRef.parse(text)
    label = f"{ref.label}=" if ref.label else ""
    if ref.kind is RefKind.SCHEME and ref.attribute in SERVICES:
        return f"{label}{ref.attribute}:{_moved_model(ref.target, folder)}"
    if ref.kind not in LOCAL_KINDS:
        return text
    attribute = f":{ref.attribute}" if ref.attribute else ""
    return f"{label}{folder / ref.target}{attribute}"


MOVES = {
    "current": _moved_data,
    "reference": _moved_data,
    "find_links": _moved_data,
    "model": _moved_model,
    "lean": _moved_model,
    "baseline": _moved_model,
    "against": _moved_model,
}
"""Settings that can name a file, and how each is seen from another folder."""
