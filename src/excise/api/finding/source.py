"""Python files as they are written: parsed, never run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def parsed(path: Path) -> ast.Module:
    """A file's syntax; that of an empty one where it cannot be read as Python."""
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return ast.Module(body=[], type_ignores=[])


def bindings(module: ast.Module) -> Iterator[tuple[str, ast.expr | None]]:
    """Names that a module's top level assigns, each with what it assigns."""
    for node in module.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((target.id, node.value) for target in targets if isinstance(target, ast.Name))


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions at a module's top level."""
    return (node for node in module.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def called(node: ast.AST | None) -> str:
    """The last name of what a call calls, empty for what is no call.

    >>> called(ast.parse("fastapi.FastAPI()", mode="eval").body)
    'FastAPI'
    """
    function = node.func if isinstance(node, ast.Call) else None
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def owner(node: ast.Call) -> str:
    """``app`` in ``app.post(...)``; empty where there is none."""
    value = node.func.value if isinstance(node.func, ast.Attribute) else None
    return value.id if isinstance(value, ast.Name) else ""


def keyword(node: ast.Call, *names: str) -> ast.expr | None:
    """The argument of the first of these names, None without."""
    return next((word.value for word in node.keywords if word.arg in names), None)


def text(node: ast.expr | None) -> str | None:
    """A literal text, None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def texts(node: ast.AST) -> set[str]:
    """Every literal text in it."""
    return {found.value for found in ast.walk(node) if isinstance(found, ast.Constant) and isinstance(found.value, str)}
