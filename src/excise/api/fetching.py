"""References that lead off this machine's paths: fetched by their registry, then described as what lies there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from excise.adapters.models import find
from excise.adapters.models.contents import model_in
from excise.adapters.registries import registry_of
from excise.core.errors import InvalidRef
from excise.core.predictor import Subject
from excise.core.refs import ModelRef
from excise.core.registry import Fetched, Terms, silent
from excise.ledger import find_project

FOLDER = "registries"
"""Below ``.excise``: what registries brought here."""
Tell = Callable[[str], None]


def fetched(ref: ModelRef, *, project: Path | None, offline: bool = False, tell: Tell = silent) -> Fetched | None:
    """What a reference's registry brings; None for a reference that stays on this machine.

    Args:
        ref: what the user wrote, parsed.
        project: where ``.excise`` is looked for.
        offline: download nothing.
        tell: is told what is fetched.
    Raises:
        InvalidRef, NotFound, InputError, MissingExtra, Mismatch: as the registry says.
    """
    registry = registry_of(ref)
    if registry is None:
        return None
    folder = find_project(project or Path.cwd()) / FOLDER
    return registry.fetch(ref, Terms(folder=folder, offline=offline, tell=tell))


def describe(
    ref: ModelRef, *, trust_pickle: bool, project: Path | None, offline: bool = False, tell: Tell = silent
) -> Subject:
    """A model that is no release, wherever it is kept.

    Raises:
        InvalidRef: it is a release. ModelError, UntrustedPickle, MissingExtra: as the adapters say.
    """
    brought = fetched(ref, project=project, offline=offline, tell=tell)
    if brought is None:
        return find(ref, trust_pickle=trust_pickle)
    return described(ref, brought, trust_pickle=trust_pickle)


def described(ref: ModelRef, brought: Fetched, *, trust_pickle: bool) -> Subject:
    """What was fetched, as the adapter for its kind describes it; it keeps the name that the user gave it."""
    if brought.release is not None:
        raise InvalidRef(f"{ref.text} is a release already", hint="excise audit takes it as MODEL")
    subject = find(model_in(Path(brought.path), ref), trust_pickle=trust_pickle)
    return msgspec.structs.replace(subject, ref=labeled(ref, brought))


def labeled(ref: ModelRef, brought: Fetched) -> ModelRef:
    """The reference under the short name that its registry knows."""
    return msgspec.structs.replace(ref, label=ref.label or brought.name)
