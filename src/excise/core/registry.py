"""The seam to places that keep models elsewhere: a registry brings one here, with where it came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec

from excise.core.errors import InputError
from excise.core.refs import ModelRef

LARGEST_BYTES = 50 * 1024**3
"""More than this is refused: naming a reference asks for a model, not for a full disk."""


def silent(what: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a registry may bring a model here.

    Attributes:
        folder: where models from elsewhere are kept; each registry has a folder of its own inside.
        offline: nothing may be downloaded.
        largest_bytes: most that one model may take.
        tell: is told what is fetched and how large it is, before it is.
    """

    folder: Path
    offline: bool = False
    largest_bytes: int = LARGEST_BYTES
    tell: Callable[[str], None] = silent


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """A model that lies on this machine now, and where it came from.

    Attributes:
        path: a file or a folder; of a release, the store that holds it.
        name: a short name for reports.
        origin: what the reference led to, exactly enough to get the same bytes again.
        size_bytes: of all its files.
        release: digest of the release that it is, None for plain files.
    """

    path: str
    name: str
    origin: str
    size_bytes: int
    release: str | None = None


@runtime_checkable
class Registry(Protocol):
    """One place that models are kept in; found through the entry-point group ``excise.registries``."""

    name: str
    """The scheme in front of its references: ``mlflow`` in ``mlflow:models:/flights@champion``."""

    def fetch(self, ref: ModelRef, terms: Terms) -> Fetched:
        """Bring the model here, or find it here; what was fetched once is whole or not there.

        Raises:
            InvalidRef: it is not how this registry names a model.
            NotFound: there is no such model; the hint names those that there are.
            InputError: offline, out of reach, or too large.
            MissingExtra: the library that it takes is not installed.
            Mismatch: what came is not what its digest says.
        """


def demand_online(ref: ModelRef, terms: Terms, otherwise: str) -> None:
    """Refuse to download where that was forbidden.

    Raises:
        InputError: ``terms.offline`` is set.
    """
    if terms.offline:
        raise InputError(f"{ref.text} would have to be downloaded, and --offline forbids it", hint=otherwise)


def demand_room(ref: ModelRef, size_bytes: int, terms: Terms) -> None:
    """Refuse what is too large.

    Raises:
        InputError: larger than ``terms.largest_bytes``.
    """
    if size_bytes > terms.largest_bytes:
        gib = 1024**3
        raise InputError(
            f"{ref.text} is {size_bytes / gib:.1f} GiB, and at most {terms.largest_bytes / gib:.1f} GiB are fetched",
            hint="fetch it yourself and name the folder",
        )
