"""The files of a project, as far as somebody looks for a model and its data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

SKIPPED = frozenset({"node_modules", "venv", "env", "site-packages", "__pycache__", "tests", "docs", "dist", "build"})


def walk(root: Path) -> Iterator[Path]:
    """Files of a folder, then those of the folders right below it, by name; hidden and built ones left out."""
    entries = shown(root)
    yield from (path for path in entries if path.is_file())
    for below in folders(root):
        yield from (path for path in shown(below) if path.is_file())


def folders(root: Path) -> Iterator[Path]:
    """The folders right below, without hidden and built ones."""
    for path in shown(root):
        if path.is_dir() and path.name not in SKIPPED and not (path / "pyvenv.cfg").exists():
            yield path


def shown(folder: Path) -> list[Path]:
    """What a folder holds, by name, without what is hidden."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def words(name: str) -> set[str]:
    """The words in a file's name.

    >>> sorted(words("data/flights_Current-2013.csv"))
    ['2013', 'current', 'flights']
    """
    return set(re.split(r"[^a-z0-9]+", Path(name).stem.lower())) - {""}


def depth(path: Path, root: Path) -> int:
    """How many folders lie between."""
    return len(path.relative_to(root).parts)


def relative(path: Path, root: Path) -> str:
    """The path as it is written in the settings, with forward slashes."""
    return path.relative_to(root).as_posix()
