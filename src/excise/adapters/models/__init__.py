"""Kinds of models, found by name through the entry points ``excise.models``; a stranger's register as ours do."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from excise.adapters.entries import entries
from excise.core.errors import InvalidRef, ModelError
from excise.core.predictor import ModelAdapter, Subject
from excise.core.refs import ModelRef, RefKind

GROUP = "excise.models"
LOADERS = Path(__file__).parent / "loaders"
"""Folder of the self-contained loader files."""
ELSEWHERE = {
    RefKind.RELEASE: "a release, where a model of this machine is meant",
    RefKind.DIGEST: "a release, where a model of this machine is meant",
    RefKind.SCHEME: "kept elsewhere, where a model of this machine is meant",
}
"""What a reference is that no adapter takes: releases and registries are opened before adapters are asked."""

__all__ = ["LOADERS", "find", "installed"]


@cache
def installed() -> tuple[ModelAdapter, ...]:
    """Every registered adapter, by name.

    Raises:
        ModelError: none is registered, since the distribution's metadata is missing.
    """
    found = entries(GROUP)
    if not found:
        raise ModelError(
            "no model adapter is registered", hint="install excise: pip install excise, or pip install -e ."
        )
    return tuple(entry.load()() for entry in found)


def find(ref: ModelRef, *, trust_pickle: bool = False) -> Subject:
    """Describe a model by the adapter that knows its kind; nothing is loaded.

    Args:
        ref: what the user wrote, parsed.
        trust_pickle: whether a pickle may be loaded later.
    Raises:
        ModelError: missing, truncated, of another type, or of no known kind.
        UntrustedPickle: a pickle without trust.
        MissingExtra: the library that loads it is not installed.
        InvalidRef: it names no model that an adapter could load.
    """
    for adapter in installed():
        if adapter.matches(ref):
            return adapter.describe(ref, trust_pickle=trust_pickle)
    if ref.kind in ELSEWHERE:
        raise InvalidRef(f"{ref.text} is {ELSEWHERE[ref.kind]}", hint="give a file, file.py:attr or module:attr")
    raise _unknown(ref)


def _unknown(ref: ModelRef) -> ModelError:
    """No adapter knows it; what they know is listed."""
    from excise.adapters.models.inspection import existing_path, head_of, what_it_is  # noqa: PLC0415  the failing path only

    path = existing_path(ref.target)
    if path.is_dir():
        marks = ", ".join(names_of("members"))
        return ModelError(f"{ref.target} is a folder without a model's files", hint=f"known by one of: {marks}")
    if path.suffix == ".py":
        return ModelError(f"{ref.text} names no attribute", hint=f"write {ref.target}:handler")
    seen = what_it_is(head_of(path))
    return ModelError(
        f"no adapter for {path.suffix or 'a file without suffix'} ({ref.target} is {seen})",
        hint=f"known: {', '.join(names_of('suffixes', 'shared'))}, file.py:attr, module:attr",
    )


def names_of(*which: str) -> list[str]:
    """Names by which the adapters know their models, of the attributes that they have."""
    return sorted({name for adapter in installed() for one in which for name in getattr(adapter, one, ())})
