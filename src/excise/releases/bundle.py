"""What goes into a release: model files, the code around them, and where each will lie."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from excise.core.errors import Mismatch, NotFound, StoreError
from excise.core.predictor import InputKind, LoaderSpec, Subject
from excise.core.signature import Signature
from excise.releases.imports import local_modules
from excise.releases.layout import explained

LEFT_OUT = ("__pycache__", ".git", ".excise")
HANDLER = re.compile(r"(?P<place>.+):(?P<attribute>[A-Za-z_][\w.]*)")
LOADERS = Path(__file__).parents[1] / "adapters" / "models" / "loaders"
"""Where excise's own loader files are; a release names one by its stem and gets the repaired one of later versions."""
PROJECT = "project"
"""Option of a loader that is a folder to import from."""


class BundleFile(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One file to be: POSIX path in the release, where it is now, ``weights``, ``code`` or ``data``."""

    path: str
    source: Path
    role: str


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A model as it goes into a release; all paths are relative to the bundle's root.

    Attributes:
        kind: the model adapter.
        loader: stem of excise's loader file, or the path of one that the bundle brings.
        target, options: what the loader gets.
        input: the form in which a call gets its rows.
        files: sorted by path.
        signature: inputs and outputs, empty until the model was loaded.
    """

    kind: str
    loader: str
    target: str
    options: dict[str, Any]
    input: InputKind
    files: tuple[BundleFile, ...]
    signature: Signature = Signature()

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.source.stat().st_size for file in self.files)


def collect(subject: Subject, *, include: Iterable[str | os.PathLike[str]] = ()) -> Bundle:
    """Everything that a model needs, found from its description.

    A Python handler brings the modules that it imports from its project; what it opens at run time is not
    seen here and is named by ``include`` (files, or folders with all that is below them).

    Raises:
        StoreError: the files have no project folder in common.
        NotFound: a file that does not exist.
        ModelError: code that Python cannot parse.
    """
    spec = subject.variant.loader
    project = absolute(spec.options[PROJECT]) if spec.options.get(PROJECT) else None
    modules, folders = code_of(spec.target, project)
    weights = [file for name in subject.files for file in below(absolute(name))]
    extra = [file for name in include for file in below(absolute(name))]
    loader = [] if Path(spec.loader).parent == LOADERS else [absolute(spec.loader)]
    sources = dict.fromkeys([*modules, *loader, *weights, *extra])
    if not sources:
        raise StoreError(f"{subject.ref.text} has no files", hint="a release needs a model file or a handler")
    model = [path] if (path := absolute(spec.target)).is_dir() else []
    root = common_folder([*sources, *model, *(folder / "here" for folder in folders)])
    given = frozenset(extra)
    files = (
        BundleFile(path=relative(path, root), source=path, role=role_of(path, given=path in given)) for path in sources
    )
    return Bundle(
        kind=subject.kind,
        loader=relative(loader[0], root) if loader else Path(spec.loader).stem,
        target=moved(spec.target, root),
        options=moved_options(spec.options, root, project, folders),
        input=subject.default_input,
        files=tuple(sorted(files)),
    )


def code_of(target: str, project: Path | None) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The modules behind ``file.py:attribute`` or ``module:attribute``, and the folders they are imported from."""
    match = HANDLER.fullmatch(target)
    if match is None or absolute(target).exists():
        return (), ()
    place = match["place"]
    if place.endswith(".py"):
        entry = absolute(place)
        return local_modules(entry, folders := folders_of(entry.parent, project)), used(folders, project)
    folder = next((f for f in folders_of(project, absolute(".")) if module_file(f, place)), None)
    if folder is None:
        return (), ()  # installed: the environment's lock names it
    return local_modules(module_file(folder, place) or folder, [folder]), (folder,)


def folders_of(*folders: Path | None) -> list[Path]:
    """The folders that there are, each once."""
    return list(dict.fromkeys(folder for folder in folders if folder is not None))


def used(folders: Sequence[Path], project: Path | None) -> tuple[Path, ...]:
    """The project's folder where code is imported from it beside the handler's own."""
    return () if project is None or project == folders[0] else (project,)


def module_file(folder: Path, module: str) -> Path | None:
    """The file of a dotted module inside a folder."""
    stem = folder.joinpath(*module.split("."))
    candidates = (stem.with_name(f"{stem.name}.py"), stem / "__init__.py")
    return next((file for file in candidates if file.is_file()), None)


def below(path: Path) -> Iterator[Path]:
    """A file, or all files of a folder, without caches."""
    if path.is_dir():
        yield from (
            file
            for file in sorted(path.rglob("*"))
            if file.is_file() and not set(file.relative_to(path).parts) & set(LEFT_OUT)
        )
    elif path.is_file():
        yield path
    else:
        raise NotFound(f"{path}: no such file", hint="check the path given to --include, or the model's files")


def common_folder(paths: Sequence[Path]) -> Path:
    """The deepest folder that holds them all.

    Raises:
        StoreError: that would be the file system's root or somebody's whole home.
    """
    folder = Path(os.path.commonpath([path.parent for path in paths]))
    if folder == Path(folder.anchor) or folder in (Path.home(), Path.home().parent):
        names = ", ".join(sorted({str(path.parent) for path in paths})[:2])
        raise StoreError(f"the files of the release lie far apart ({names})", hint="put them into one project folder")
    return folder


def role_of(path: Path, *, given: bool) -> str:
    """``code`` for Python, ``data`` for what the user named, else ``weights``."""
    if path.suffix == ".py":
        return "code"
    return "data" if given else "weights"


def moved(target: str, root: Path) -> str:
    """A loader's target, relative to the bundle; a module stays a module."""
    match = HANDLER.fullmatch(target)
    if match is None or absolute(target).exists():
        return relative(absolute(target), root)
    if match["place"].endswith(".py"):
        return f"{relative(absolute(match['place']), root)}:{match['attribute']}"
    return target


def moved_options(
    options: Mapping[str, Any], root: Path, project: Path | None, folders: Sequence[Path]
) -> dict[str, Any]:
    """A loader's options, its project folder relative to the bundle and left out where nothing came from it."""
    kept = {key: value for key, value in options.items() if key != PROJECT}
    folder = (
        project if project is not None and (project == root or root in project.parents) else next(iter(folders), None)
    )
    return kept if folder is None else {**kept, PROJECT: relative(folder, root)}


def relative(path: Path, root: Path) -> str:
    """POSIX path below the root."""
    return path.relative_to(root).as_posix()


def absolute(path: str | os.PathLike[str]) -> Path:
    """An absolute path without ``..``; links keep their names, since a cache's blobs have none that say anything."""
    return Path(os.path.normpath(Path(path).absolute()))


def checked(path: str) -> str:
    """A path of a release that stays inside it.

    Raises:
        Mismatch: it is absolute, leaves the release, or is not a plain POSIX path.
    """
    parts = PurePosixPath(path).parts
    plain = (
        path == "/".join(parts) and "\\" not in path and "\x00" not in path and ":" not in parts[0] if parts else False
    )
    if not plain or path.startswith("/") or ".." in parts:
        raise Mismatch(f"{path!r} leaves the release", hint="do not use this release: it was not made by excise")
    return path


def place(source: Path, target: Path) -> None:
    """Put a file into a layout as a link to the same content, or as a copy where links cannot go."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".placing-") as folder:
        fresh = Path(folder) / target.name
        try:
            os.link(source, fresh)
        except OSError:
            fresh.write_bytes(source.read_bytes())
        fresh.replace(target)


@contextmanager
def staged(bundle: Bundle, folder: Path) -> Iterator[Path]:
    """The bundle laid out as a release would be, for as long as the block lasts."""
    with explained(folder), tempfile.TemporaryDirectory(dir=folder, prefix="tmp-stage-") as name:
        root = Path(name)
        for file in bundle.files:
            place(file.source.resolve(), root / checked(file.path))
        yield root


def loader_in(root: Path, loader: str, target: str, options: Mapping[str, Any]) -> LoaderSpec:
    """How a worker loads a bundle that was laid out in ``root``."""
    file = root / checked(loader) if loader.endswith(".py") else LOADERS / f"{checked(loader)}.py"
    laid = {**options, PROJECT: str(root / options[PROJECT])} if PROJECT in options else dict(options)
    names_module = (
        HANDLER.fullmatch(target) and not target.rpartition(":")[0].endswith(".py") and not (root / target).exists()
    )
    return LoaderSpec(
        loader=str(file), target=target if names_module else str(root / checked_target(target)), options=laid
    )


def checked_target(target: str) -> str:
    """A file target that stays inside the release."""
    file, colon, attribute = target.rpartition(":")
    checked(file if colon else target)
    return target if not colon else f"{file}:{attribute}"
