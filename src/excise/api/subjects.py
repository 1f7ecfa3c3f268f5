"""Opens what the user named: a file, a handler, what a registry keeps, or a release that brings its own data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from excise.adapters.models import find
from excise.api.fetching import Tell, described, fetched, labeled
from excise.api.release import store_of
from excise.core.predictor import Subject, Variant
from excise.core.refs import ModelRef, RefKind
from excise.core.registry import silent
from excise.core.release import OpenedRelease
from excise.releases import ReleaseStore


@dataclass(frozen=True, slots=True)
class Opened:
    """A model, ready to be measured.

    Attributes:
        subject: as its adapter describes it.
        release: the release that it is, None for a plain file.
        folder: put on the worker's path and made its working directory; None for ours.
        origin: what its registry says where it came from; None for what was on this machine.
    """

    subject: Subject
    release: OpenedRelease | None
    folder: Path | None
    origin: str | None = None

    @property
    def reference(self) -> Path | None:
        """The reference rows that a release brings."""
        if self.release is None or self.release.baseline is None or self.release.baseline.reference is None:
            return None
        return Path(self.release.root) / self.release.baseline.reference

    @property
    def target(self) -> str | None:
        """The label column that a release was approved with."""
        return self.release.baseline.target if self.release is not None and self.release.baseline else None


def open_model(
    text: str, *, trust_pickle: bool, project: Path | None, offline: bool = False, tell: Tell = silent
) -> Opened:
    """Open a model reference.

    Raises:
        ModelError, UntrustedPickle, MissingExtra, NotFound, InvalidRef: as the adapters and the store say.
        InputError, Mismatch: as the registry says.
    """
    ref = ModelRef.parse(text)
    if ref.kind in (RefKind.RELEASE, RefKind.DIGEST):
        return open_release(ref, project)
    brought = fetched(ref, project=project, offline=offline, tell=tell)
    if brought is None:
        return Opened(subject=find(ref, trust_pickle=trust_pickle), release=None, folder=None)
    if brought.release is not None:
        opened = ReleaseStore(Path(brought.path)).open(brought.release)
        return as_subject(labeled(ref, brought), opened, brought.origin)
    subject = described(ref, brought, trust_pickle=trust_pickle)
    return Opened(subject=subject, release=None, folder=None, origin=brought.origin)


def open_release(ref: ModelRef, project: Path | None) -> Opened:
    """Check a release of the project out."""
    return as_subject(ref, store_of(project).open(ref))


def as_subject(ref: ModelRef, opened: OpenedRelease, origin: str | None = None) -> Opened:
    """A release that was checked out, described as a subject."""
    release = opened.release
    files = tuple(str(Path(opened.root) / entry.path) for entry in release.files)
    size = sum(entry.size for entry in release.files)
    subject = Subject(
        ref=ref,
        kind=release.kind,
        variant=Variant(name="production", loader=opened.loader, size_bytes=size),
        default_input=release.input,
        files=files,
    )
    return Opened(subject=subject, release=opened, folder=Path(opened.root), origin=origin)
