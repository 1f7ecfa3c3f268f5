"""Likely models of a folder: handlers in Python files, and model files of every kind that an adapter knows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from excise.adapters.models import find
from excise.adapters.models.contents import known, local
from excise.api.finding.folder import depth, folders, relative, walk
from excise.api.finding.services import is_route
from excise.api.finding.source import bindings, functions, parsed
from excise.core.errors import ExciseError, ModelError, UntrustedPickle

COMMON = (".json", ".xml", ".txt")
"""Suffixes of models and of much else."""
HANDLER_NAMES = ("handler", "predictor", "predict")
"""Attributes of a Python file that are likely to be what production calls, the likeliest first."""


class Stored(NamedTuple):
    """A model file or folder; those that load without running code of theirs come first."""

    pickle: bool
    depth: int
    name: str


def find_models(root: Path) -> list[str]:
    """References to likely models, the likeliest first: handlers, then what adapters know. No file is run."""
    return [*find_handlers(root), *(one.name for one in sorted(stored_in(root)))]


def find_handlers(root: Path) -> list[str]:
    """Attributes of Python files that production may call."""
    found = [(name, path) for path in walk(root) if path.suffix == ".py" for name in handlers_in(path)]
    found.sort(key=lambda one: (HANDLER_NAMES.index(one[0]), depth(one[1], root)))
    return [f"{relative(path, root)}:{name}" for name, path in found]


def stored_in(root: Path) -> Iterator[Stored]:
    """Every file or folder that an adapter takes for a model."""
    whole = [path for path in folders(root) if known(local(path))]
    for path in [*whole, *walk(root)]:
        if path.parent not in whole and known(local(path)) and not is_another(path):
            yield Stored(is_pickle(path), depth(path, root), relative(path, root))


def is_another(path: Path) -> bool:
    """Whether a suffix that many things have stands for something else here: ``package.json``, ``pom.xml``."""
    if path.suffix.lower() not in COMMON:
        return False
    try:
        find(local(path))
    except ModelError:
        return True
    except ExciseError:
        return False  # its library is missing: said when it is opened
    return False


def is_pickle(path: Path) -> bool:
    """Whether loading it runs code that it holds."""
    try:
        find(local(path))
    except UntrustedPickle:
        return True
    except ExciseError:
        return False  # broken, or its library is missing: said when it is opened
    return False


def handlers_in(path: Path) -> list[str]:
    """Names at the top of a Python file that production may call; what answers a route is called by its service."""
    module = parsed(path)
    defined = {name for name, _ in bindings(module)} | {one.name for one in functions(module) if not answers(one)}
    return [name for name in HANDLER_NAMES if name in defined]


def answers(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function answers a route."""
    return any(is_route(node) for node in function.decorator_list)
