"""Which files of a project a handler needs: what it imports from there, read from the source, never executed."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from excise.core.errors import ModelError

IMPORTERS = ("import_module", "__import__")
"""Calls that import by name; followed where the name stands there as a literal."""


def local_modules(entry: Path, folders: Sequence[Path]) -> tuple[Path, ...]:
    """The entry and every module that it imports, directly or not, from the given folders; sorted.

    Args:
        entry: a Python file.
        folders: where the project's modules are looked for, in the order of ``sys.path``.

    Raises:
        ModelError: a file that Python cannot parse.
    """
    found, waiting = {entry}, [entry]
    while waiting:
        file = waiting.pop()
        fresh = {path for name, start in imported(file, folders) for path in locate(name, start)} - found
        found |= fresh
        waiting.extend(fresh)
    return tuple(sorted(found))


def imported(file: Path, folders: Sequence[Path]) -> Iterator[tuple[str, Sequence[Path]]]:
    """Dotted names that a file imports, each with the folders to look in."""
    for node in ast.walk(parse(file)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, folders) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = [file.parents[node.level - 1]] if node.level else folders
            yield from ((name, start) for name in names_of(node))
        elif isinstance(node, ast.Call) and (name := literal_import(node)):
            yield name, folders


def names_of(node: ast.ImportFrom) -> Iterator[str]:
    """What ``from a import b`` may mean: the module ``a``, and ``a.b`` where that is a module too."""
    prefix = f"{node.module}." if node.module else ""
    if node.module:
        yield node.module
    yield from (prefix + alias.name for alias in node.names if alias.name != "*")


def literal_import(call: ast.Call) -> str | None:
    """The module of ``import_module("name")``."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", None)
    first = call.args[0] if call.args else None
    if name in IMPORTERS and isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value
    return None


def locate(name: str, folders: Iterable[Path]) -> Iterator[Path]:
    """The files behind a dotted name: its packages' ``__init__``, and the module itself."""
    head = name.partition(".")[0]
    for folder in folders:
        if (folder / head).is_dir() or (folder / f"{head}.py").is_file():
            yield from files_of(folder, name.split("."))
            return


def files_of(folder: Path, parts: Sequence[str]) -> Iterator[Path]:
    """The files that importing ``parts`` from a folder executes."""
    for part in parts:
        module, package = folder / f"{part}.py", folder / part / "__init__.py"
        if package.is_file():
            yield package
        elif module.is_file():
            yield module
        folder /= part


def parse(file: Path) -> ast.Module:
    """The syntax tree of a file."""
    try:
        return ast.parse(file.read_bytes(), filename=str(file))
    except (SyntaxError, ValueError) as error:
        raise ModelError(f"{file} is not Python: {error}", hint="fix the file, or name the right one") from error
    except OSError as error:
        raise ModelError(f"{file}: {error.strerror}", hint="check the path") from error
