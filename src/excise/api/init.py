"""``excise.init``: write a commented ``excise.toml`` for a model and its data."""

from __future__ import annotations

import ast
import csv
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Self

import msgspec

from excise.api import config
from excise.core.errors import Conflict, DataError, InputError, ModelError, StoreError
from excise.core.refs import ModelRef
from excise.core.spelling import did_you_mean

HANDLER_NAMES = ("handler", "predictor", "predict")
"""Attributes of a Python file that are likely to be what production calls, the likeliest first."""
MODEL_SUFFIXES = (".onnx", ".skops", ".pt2", ".joblib", ".pkl", ".pt")
"""Model files, those that load without running code first."""
PICKLES = (".joblib", ".pkl", ".pt")
DATA_SUFFIXES = (".parquet", ".csv", ".jsonl", ".arrow", ".feather")
CURRENT_WORDS = frozenset(
    {"current", "cur", "production", "prod", "live", "serving", "recent", "today", "latest", "now"}
)
REFERENCE_WORDS = frozenset({"reference", "ref", "train", "training", "baseline", "approved", "validation"})
TARGET_NAMES = ("target", "label", "y", "class", "outcome")
SKIPPED = frozenset({"node_modules", "venv", "env", "site-packages", "__pycache__", "tests", "docs", "dist", "build"})
MEANING_COLUMN = 34
"""Where what a setting means begins in ``excise.toml``, unless its value is longer."""
HEAD_BYTES = 65536
"""How much of a text file is read in order to see its columns."""


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """What ``init`` found and wrote.

    Attributes:
        path: the file that was written.
        model, current, reference, target: what it names; None where nothing was given or found.
        found: which of the four were found rather than given.
        others: models and data that were seen as well.
        command: one line that runs as it stands in the same folder.
        notes: what a person should know before running it.
    """

    path: str
    model: str
    current: str
    reference: str | None
    target: str | None
    found: tuple[str, ...]
    others: tuple[str, ...]
    command: str
    notes: tuple[str, ...]


class Choice(NamedTuple):
    """The four settings that ``init`` fills in."""

    model: str
    current: str
    reference: str | None
    target: str | None

    def completed(self, root: Path) -> Self:
        """The same, checked against the files, with the target that the current data's columns give away."""
        require_model(self.model, root)
        require_data((self.current, self.reference), root)
        names = columns(root / self.current)
        require_target(self.target, names)
        return self._replace(target=self.target or find_target(names))


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
    models, data = find_models(root), find_data(root)
    chosen = Choice(
        model=model or first(models, ModelError("no model found here", hint="excise init MODEL")),
        current=current or find_current(data, reference or find_reference(data, current)),
        reference=reference or find_reference(data, current),
        target=target,
    ).completed(root)
    others = tuple(name for name in (*models, *data) if name not in chosen)
    write(root / config.FILE, text(chosen, others))
    given = (model, current, reference, target)
    return Project(
        **chosen._asdict(),
        path=str(root / config.FILE),
        found=tuple(key for key, old, new in zip(Choice._fields, given, chosen, strict=True) if old is None and new),
        others=others,
        command=command(chosen),
        notes=notes(chosen),
    )


def refuse_existing(root: Path) -> None:
    """Refuse a folder that has settings already, in either place."""
    for path, table in config.tables_in(root):
        if table is not None:
            raise Conflict(
                f"{path} holds settings already", hint="edit it, or remove it first; init overwrites nothing"
            )


def first(found: list[str], error: InputError) -> str:
    """The first of what was found."""
    if not found:
        raise error
    return found[0]


def find_models(root: Path) -> list[str]:
    """Likely models, the likeliest first: Python handlers, then model files. No file is run."""
    files = list(walk(root))
    handlers = [(name, path) for path in files if path.suffix == ".py" for name in handlers_in(path)]
    handlers.sort(key=lambda found: (HANDLER_NAMES.index(found[0]), depth(found[1], root)))
    stored = [path for path in files if path.suffix in MODEL_SUFFIXES]
    stored.sort(key=lambda path: (MODEL_SUFFIXES.index(path.suffix), depth(path, root)))
    return [f"{relative(path, root)}:{name}" for name, path in handlers] + [relative(path, root) for path in stored]


def find_data(root: Path) -> list[str]:
    """Tables in the folder, those right in it first."""
    return [relative(path, root) for path in walk(root) if path.suffix in DATA_SUFFIXES]


def find_reference(data: Iterable[str], current: str | None) -> str | None:
    """The table whose name says that it is the reference."""
    return next((name for name in data if words(name) & REFERENCE_WORDS and name != current), None)


def find_current(data: Iterable[str], reference: str | None) -> str:
    """The table whose name says that it is current, else the first that is not the reference."""
    rest = [name for name in data if name != reference]
    named = [name for name in rest if words(name) & CURRENT_WORDS]
    return first(named or rest, DataError("no data found here", hint="excise init MODEL --current DATA"))


def find_target(names: Iterable[str]) -> str | None:
    """A column whose name can only be a label's; anything less plain is left to the user."""
    by_lower = {name.lower(): name for name in names}
    return next((by_lower[name] for name in TARGET_NAMES if name in by_lower), None)


def require_model(text: str, root: Path) -> None:
    """Refuse a model file that is not there.

    Raises:
        InvalidRef: it is no model reference.
        ModelError: the file is missing.
    """
    ref = ModelRef.parse(text)
    if ref.kind in config.LOCAL_KINDS and not (root / ref.target).exists():
        raise ModelError(f"no such file: {ref.target}", hint="paths count from the folder that gets excise.toml")


def require_data(sources: Iterable[str | None], root: Path) -> None:
    """Refuse a plain path that is not there; what a URL or a pattern leads to is seen when it is read."""
    for source in sources:
        plain = source is not None and "://" not in source and not set(source) & set("*?[")
        if plain and not (root / str(source)).exists():
            raise DataError(f"no such file: {source}", hint="paths count from the folder that gets excise.toml")


def require_target(target: str | None, names: tuple[str, ...]) -> None:
    """Refuse a label column that the data does not have; where the columns could not be read, believe it."""
    if target is not None and names and target not in names:
        raise DataError(f"no column {target!r}", hint=did_you_mean(target, names))


def walk(root: Path) -> Iterator[Path]:
    """Files of a folder, then those of the folders right below it, by name; hidden and built ones left out."""
    entries = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    yield from (path for path in entries if path.is_file())
    for below in entries:
        if below.is_dir() and below.name not in SKIPPED and not (below / "pyvenv.cfg").exists():
            yield from sorted(path for path in below.iterdir() if path.is_file() and not path.name.startswith("."))


def handlers_in(path: Path) -> list[str]:
    """Names at the top of a Python file that production may call; read, not run."""
    try:
        body = ast.parse(path.read_bytes()).body
    except (SyntaxError, ValueError, OSError):
        return []
    defined = {name for node in body for name in defined_by(node)}
    return [name for name in HANDLER_NAMES if name in defined]


def defined_by(node: ast.stmt) -> Iterator[str]:
    """Names that one statement at the top of a file binds to something that may be called."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield node.name
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def columns(path: Path) -> tuple[str, ...]:
    """Column names by the head of a file; empty where that does not tell them."""
    try:
        if path.suffix == ".csv":
            return tuple(next(csv.reader([head(path)]), []))
        if path.suffix == ".jsonl":
            return tuple(json.loads(head(path)))
    except (OSError, ValueError, csv.Error):
        return ()
    return ()


def head(path: Path) -> str:
    """The first line of a text file."""
    with path.open(encoding="utf-8-sig") as file:
        return file.readline(HEAD_BYTES)


def words(name: str) -> set[str]:
    """The words in a file's name.

    >>> sorted(words("data/flights_Current-2013.csv"))
    ['2013', 'current', 'flights']
    """
    return set(re.split(r"[^a-z0-9]+", Path(name).stem.lower())) - {""}


def depth(path: Path, root: Path) -> int:
    """How many folders lie between."""
    return len(path.relative_to(root).parts)


def relative(path: Path, root: Path) -> str:
    """The path as it is written in the settings, with forward slashes."""
    return path.relative_to(root).as_posix()


def text(chosen: Choice, others: Iterable[str]) -> str:
    """The content of ``excise.toml``: what was chosen, and every other setting as a comment."""
    seen = [f"# seen as well: {one_line(name)}" for name in others]
    shared = [setting(key, getattr(chosen, key, None)) for key in config.SHARED]
    blocks = ["# Settings of excise. Flags and EXCISE_… variables beat what stands here.", *seen, "", *shared]
    for verb, keys in config.SECTIONS.items():
        own = [setting(key, None) for key in keys if key not in config.SHARED]
        blocks += ["", f"[{verb}]", *own] if own else []
    return "\n".join(blocks) + "\n"


def setting(key: str, value: str | None) -> str:
    """One line: the setting with what it means behind it, commented out where it has no value."""
    about = config.KEYS[key]
    line = f"{key} = {about.example if value is None else quoted(value)}"
    return f"{'# ' if value is None else ''}{line}".ljust(MEANING_COLUMN) + f"  # {about.meaning}"


def quoted(value: str) -> str:
    """A TOML basic string; JSON's escapes are TOML's, but for DEL, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def one_line(name: str) -> str:
    """A file's name that cannot break out of a comment."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def write(path: Path, content: str) -> None:
    """Create the file; never over one that has appeared in the meantime.

    Raises:
        Conflict: it exists by now.
        StoreError: the folder cannot be written to.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        raise Conflict(f"{path} exists already", hint="init overwrites nothing") from None
    except OSError as error:
        path.unlink(missing_ok=True)
        raise StoreError(
            f"cannot write {path}: {error.strerror}", hint="check the folder and its permissions"
        ) from error


def command(chosen: Choice) -> str:
    """The audit of what was chosen, as one line for a shell."""
    flags = {"--reference": chosen.reference, "--current": chosen.current, "--target": chosen.target}
    given = [part for flag, value in flags.items() if value is not None for part in (flag, value)]
    return shlex.join(["excise", "audit", chosen.model, *given])


def notes(chosen: Choice) -> tuple[str, ...]:
    """What a person should know before running the command."""
    told = []
    if chosen.model.endswith(PICKLES):
        told.append(
            f"{chosen.model} is a pickle: loading it runs code that it holds; add --trust-pickle if you trust it"
        )
    if chosen.reference is None:
        told.append("without a reference, creep and fat features are not measured")
    if chosen.target is None:
        told.append("without a target, agreement with production stands in for skill")
    return tuple(told)
