"""Python handlers: ``file.py:attribute`` and ``module:attribute``."""

from __future__ import annotations

import ast
import difflib
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from excise.adapters.models import LOADERS
from excise.adapters.models.inspection import existing_file
from excise.core.errors import ModelError
from excise.core.predictor import InputKind, LoaderSpec, Subject, Variant
from excise.core.refs import ModelRef, RefKind


class PythonModels:
    """Callables, and objects with any of preprocess, predict, postprocess."""

    name = "python"
    suffixes: ClassVar[tuple[str, ...]] = ()

    def matches(self, ref: ModelRef) -> bool:
        """Whether it names an attribute of a file or module."""
        return ref.kind in (RefKind.FILE_ATTRIBUTE, RefKind.MODULE_ATTRIBUTE)

    def describe(self, ref: ModelRef, *, trust_pickle: bool = False) -> Subject:
        """Describe the handler by its source; nothing is imported.

        Raises:
            ModelError: the file or module is missing, does not parse, or does not define the attribute.
        """
        del trust_pickle  # a handler is code that the user wrote
        attribute = str(ref.attribute)
        if ref.kind is RefKind.FILE_ATTRIBUTE:
            file = existing_file(ref.target).resolve()
            demand_attribute(file, attribute)
            return _subject(ref, f"{file}:{attribute}", file)
        source = _module_source(ref)
        if source is not None:
            demand_attribute(source, attribute)
        return _subject(ref, f"{ref.target}:{attribute}", source)


def _subject(ref: ModelRef, target: str, source: Path | None) -> Subject:
    loader = LoaderSpec(loader=str(LOADERS / "python.py"), target=target)
    size = source.stat().st_size if source else 0
    return Subject(
        ref=ref,
        kind=PythonModels.name,
        variant=Variant(name="production", loader=loader, size_bytes=size),
        default_input=InputKind.RECORDS,
        files=(str(source),) if source else (),
    )


def _module_source(ref: ModelRef) -> Path | None:
    """The module's file, seen from the working directory first; None for a compiled one."""
    top, *rest = ref.target.split(".")
    spec = PathFinder.find_spec(top, [str(Path.cwd())]) or find_spec(top)
    for name in rest:
        places = spec.submodule_search_locations if spec else None
        spec = PathFinder.find_spec(name, list(places)) if places else None
    if spec is None:
        raise ModelError(f"there is no module {ref.target}", hint="name a file instead: path/to/file.py:attribute")
    return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None


def demand_attribute(file: Path, attribute: str) -> None:
    """Refuse an attribute that the source cannot define."""
    names = _top_level_names(file)
    first = attribute.partition(".")[0]
    if names is None or first in names:
        return
    close = difflib.get_close_matches(first, sorted(names), n=1)
    offered = ", ".join(sorted(n for n in names if not n.startswith("_"))[:8])
    hint = f"did you mean {file}:{close[0]}?" if close else f"it defines: {offered or 'nothing'}"
    raise ModelError(f"{file} does not define {first!r}", hint=hint)


def _top_level_names(file: Path) -> set[str] | None:
    """Names that the file binds at its top level; None where they cannot be known (``import *``, ``__getattr__``).

    Raises:
        ModelError: it is not Python.
    """
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        line = f" line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise ModelError(
            f"{file}{line} is not Python: {error}", hint="run python on the file to see the error"
        ) from None
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.alias):
            if node.name == "*":
                return None
            names.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return None if "__getattr__" in names else names
