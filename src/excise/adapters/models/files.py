"""Models that lie on disk: what their adapters share. A kind is its names, a look at its bytes, and a loader file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from excise.adapters.models import LOADERS
from excise.adapters.models.inspection import demand_packages, existing_path, head_of
from excise.core.predictor import InputKind, LoaderSpec, Subject, Variant
from excise.core.refs import ModelRef, RefKind


class ModelFiles:
    """One kind of model on disk; what the kinds differ in is data, and what ``check`` looks for.

    Attributes:
        name: of the kind, of its loader file and, unless ``extra`` differs, of the extra that brings its library.
        suffixes: names that are this kind's alone.
        shared: names that other kinds use as well; the first bytes decide.
        starts: those first bytes.
        members: files by which a folder is known.
        packages: modules that the loader imports.
    """

    name: str
    extra: ClassVar[str | None] = None
    suffixes: ClassVar[tuple[str, ...]] = ()
    shared: ClassVar[tuple[str, ...]] = ()
    starts: ClassVar[tuple[bytes, ...]] = ()
    members: ClassVar[tuple[str, ...]] = ()
    packages: ClassVar[tuple[str, ...]] = ()

    def matches(self, ref: ModelRef) -> bool:
        """Whether the path ends, begins or is filled as this kind's do."""
        return ref.kind is RefKind.PATH and self.knows(Path(ref.target))

    def knows(self, path: Path) -> bool:
        """Whether a path names this kind."""
        if path.is_dir():
            return any((path / member).is_file() for member in self.members)
        suffix = path.suffix.lower()
        return suffix in self.suffixes or (
            suffix in self.shared and path.is_file() and head_of(path).startswith(self.starts)
        )

    def describe(self, ref: ModelRef, *, trust_pickle: bool = False) -> Subject:
        """Describe the model by names and bytes; nothing is loaded.

        Raises:
            ModelError: missing, truncated, or of another type.
            UntrustedPickle: loading it runs code, and nobody vouched for it.
            MissingExtra: the library that loads it is not installed.
        """
        path = existing_path(ref.target).absolute()
        self.check(path, trusted=trust_pickle)
        demand_packages(self.extra or self.name, *self.needs(path))
        files = self.files(path)
        loader = LoaderSpec(
            loader=str(LOADERS / f"{self.name}.py"), target=str(path), options=self.options(path, trusted=trust_pickle)
        )
        size = sum(file.stat().st_size for file in files)
        return Subject(
            ref=ref,
            kind=self.name,
            variant=Variant(name="production", loader=loader, size_bytes=size),
            default_input=self.form(path),
            files=tuple(map(str, files)),
        )

    def check(self, path: Path, *, trusted: bool) -> None:
        """Refuse what the loader could not load, before a library aborts on it.

        Raises:
            ModelError, UntrustedPickle: as ``describe``.
        """

    def needs(self, path: Path) -> tuple[str, ...]:
        """Modules that loading this path takes."""
        del path
        return self.packages

    def files(self, path: Path) -> tuple[Path, ...]:
        """Every file of the model: those of a folder without hidden ones, or the one."""
        if not path.is_dir():
            return (path,)
        below = (file for file in sorted(path.rglob("*")) if file.is_file())
        return tuple(file for file in below if not any(part[0] == "." for part in file.relative_to(path).parts))

    def form(self, path: Path) -> InputKind:
        """The form in which production hands it rows, unless the user says otherwise."""
        del path
        return InputKind.TENSORS

    def options(self, path: Path, *, trusted: bool) -> dict[str, Any]:
        """What the loader gets beside the path."""
        del path, trusted
        return {}
