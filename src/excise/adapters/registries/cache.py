"""Folders of fetched models: each is whole or not there."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from excise.core.errors import Mismatch
from excise.releases.layout import explained, hash_file

Fill = Callable[[Path], None]
"""Writes a model's files into an empty folder."""


def kept(folder: Path, key: str, fill: Fill) -> Path:
    """The folder under a key, filled once: under a temporary name, and renamed when it is whole.

    Raises:
        StoreError: it cannot be written.
    """
    target = folder / slug(key)
    return target if target.is_dir() else _filled(folder, lambda _: target, fill)


def kept_by_content(folder: Path, key: str, fill: Fill) -> Path:
    """The same for what may be another thing next time: filled every time, and kept under the digest of its files."""
    return _filled(folder, lambda fresh: folder / slug(f"{key}-{digest(fresh)[:16]}"), fill)


def _filled(folder: Path, target_of: Callable[[Path], Path], fill: Fill) -> Path:
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetching-") as name:
            fresh = Path(name) / "content"
            fresh.mkdir()
            fill(fresh)
            demand_inside(fresh)
            target = target_of(fresh)
            try:
                fresh.replace(target)
            except OSError:
                if not target.is_dir():  # else another process was faster, or it is the same content again
                    raise
    return target


def files_in(folder: Path) -> Iterator[Path]:
    """Every file below a folder, or the file itself, in order."""
    if folder.is_file():
        yield folder
    else:
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def size_of(path: Path) -> int:
    """Bytes of all files."""
    return sum(file.stat().st_size for file in files_in(path))


def digest(folder: Path) -> str:
    """The sha256 over the names and contents of all files."""
    running = hashlib.sha256()
    for file in files_in(folder):
        running.update(f"{file.relative_to(folder).as_posix()}\0{hash_file(file)[0]}\n".encode())
    return running.hexdigest()


def demand_inside(folder: Path) -> None:
    """Refuse links that lead out of a folder.

    Raises:
        Mismatch: one does.
    """
    root = folder.resolve()
    for path in folder.rglob("*"):
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise Mismatch(f"{path.name} is a link out of the model's folder", hint="do not use this model")


def slug(text: str) -> str:
    """A name for a folder, made of what may stand in one.

    >>> slug("flights/3 champion")
    'flights-3-champion'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-") or "model"
