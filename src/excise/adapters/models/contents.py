"""Which model a folder from elsewhere holds."""

from __future__ import annotations

from pathlib import Path

from excise.adapters.models import installed
from excise.core.errors import ModelError
from excise.core.refs import ModelRef, RefKind
from excise.core.spelling import LISTED


def model_in(path: Path, ref: ModelRef) -> ModelRef:
    """The reference of what an adapter knows: the path itself, else the one thing below it that is a model.

    Args:
        path: a file or a folder.
        ref: what the user wrote, for the error.
    Raises:
        ModelError: there is none, or more than one.
    """
    itself = local(path)
    if path.is_file() or known(itself):
        return itself
    every = [below for below in sorted(path.rglob("*")) if known(local(below))]
    found = [one for one in every if not set(one.parents) & set(every)]  # what lies inside a model is a part of it
    if len(found) == 1:
        return local(found[0])
    names = [one.relative_to(path).as_posix() for one in found or sorted(path.rglob("*"))]
    listed = ", ".join(names[:LISTED]) or "nothing"
    if found:
        raise ModelError(f"{ref.text} holds {len(found)} models: {listed}", hint=f"name one: {ref.text}/{names[0]}")
    raise ModelError(f"{ref.text} holds no model of a known kind", hint=f"it holds: {listed}")


def local(path: Path) -> ModelRef:
    """A reference to a path, whatever its name looks like."""
    return ModelRef(kind=RefKind.PATH, text=str(path), target=str(path))


def known(ref: ModelRef) -> bool:
    """Whether an adapter says that it is one of its own."""
    return any(adapter.matches(ref) for adapter in installed())
