"""Opens what the user named: a file, a handler, or a release that brings its own data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from excise.adapters.models import find
from excise.api.release import store_of
from excise.core.predictor import Subject, Variant
from excise.core.refs import ModelRef, RefKind
from excise.core.release import OpenedRelease


@dataclass(frozen=True, slots=True)
class Opened:
    """A model, ready to be measured.

    Attributes:
        subject: as its adapter describes it.
        release: the release that it is, None for a plain file.
        folder: put on the worker's path and made its working directory; None for ours.
    """

    subject: Subject
    release: OpenedRelease | None
    folder: Path | None

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


def open_model(text: str, *, trust_pickle: bool, project: Path | None) -> Opened:
    """Open a model reference.

    Raises:
        ModelError, UntrustedPickle, MissingExtra, NotFound, InvalidRef: as the adapters and the store say.
    """
    ref = ModelRef.parse(text)
    if ref.kind in (RefKind.RELEASE, RefKind.DIGEST):
        return open_release(ref, project)
    subject = find(ref, trust_pickle=trust_pickle)
    return Opened(subject=subject, release=None, folder=None)


def open_release(ref: ModelRef, project: Path | None) -> Opened:
    """Check a release out and describe it as a subject."""
    opened = store_of(project).open(ref)
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
    return Opened(subject=subject, release=opened, folder=Path(opened.root))
