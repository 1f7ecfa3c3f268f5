"""The suite that every registry can be held against; third parties run it on theirs.

check_registry(registry, ModelRef.parse("mlflow:models:/flights@champion"), folder, missing=["mlflow:models:/lost/1"])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from excise.adapters.registries.cache import digest, size_of
from excise.core.errors import ExciseError, InputError, InvalidRef, Mismatch
from excise.core.refs import ModelRef
from excise.core.registry import Registry, Terms


def check_registry(registry: Any, ref: ModelRef, folder: Path, *, missing: Sequence[str] = ()) -> list[str]:
    """Hold a registry against the contract.

    Args:
        registry: under test.
        ref: of a model that it has.
        folder: an empty one, for what is fetched.
        missing: references of its scheme that lead nowhere, or must be refused.
    Returns:
        Names of the checks that passed.
    Raises:
        Mismatch: the first check that failed, with what was seen.
    """
    checks: list[tuple[str, Callable[[], None]]] = [
        ("interface", lambda: _interface(registry, ref)),
        ("brings the model here", lambda: _brings(registry, ref, folder)),
        ("the same again", lambda: _repeatable(registry, ref, folder)),
        *((f"refuses {text}", lambda text=text: _refuses(registry, text, folder)) for text in missing),
        ("leaves nothing half-written", lambda: _nothing_left(folder)),
    ]
    for _, check in checks:
        check()
    return [name for name, _ in checks]


def _interface(registry: Any, ref: ModelRef) -> None:
    if not isinstance(registry, Registry):
        raise Mismatch("a registry needs name and fetch")
    if registry.name != ref.attribute:
        raise Mismatch(f"it is named {registry.name!r}, and its references begin with {ref.attribute!r}")


def _brings(registry: Registry, ref: ModelRef, folder: Path) -> None:
    found = registry.fetch(ref, Terms(folder=folder))
    if not Path(found.path).exists():
        raise Mismatch(f"{found.path} is not there")
    if found.release is None and found.size_bytes != size_of(Path(found.path)):
        raise Mismatch(f"it says {found.size_bytes} bytes, and {size_of(Path(found.path))} lie there")
    if not found.name or "/" in found.name or not found.origin:
        raise Mismatch(f"{found.name!r} is no short name, or {found.origin!r} no origin")


def _repeatable(registry: Registry, ref: ModelRef, folder: Path) -> None:
    first, second = (registry.fetch(ref, Terms(folder=folder)) for _ in range(2))
    if first != second or (first.release is None and digest(Path(first.path)) != digest(Path(second.path))):
        raise Mismatch(f"two calls lead to {first} and {second}")


def _refuses(registry: Registry, text: str, folder: Path) -> None:
    try:
        found = registry.fetch(ModelRef.parse(text), Terms(folder=folder))
    except (InputError, InvalidRef, Mismatch) as refused:
        if not refused.hint:
            raise Mismatch(f"{text} is refused without a hint: {refused.message}") from None
        return
    except ExciseError as error:
        raise Mismatch(f"{text} is refused by {type(error).__name__}, which is no fault of the input") from error
    raise Mismatch(f"{text} leads to {found.path} instead of being refused")


def _nothing_left(folder: Path) -> None:
    left = [path for path in folder.rglob("*") if path.name.startswith((".fetching-", "tmp"))]
    if left:
        raise Mismatch(f"{left[0]} was left behind")
