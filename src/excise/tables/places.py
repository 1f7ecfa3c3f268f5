"""Files of our own, here or behind a URL: read in one piece, written whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec

from excise.core.durability import sync_folder
from excise.core.errors import ExciseError, StoreError, UsageError, first_line
from excise.tables.source import reaching


def read_place(place: str | os.PathLike[str]) -> bytes:
    """What a file holds.

    Raises:
        DataError: it cannot be read.
    """
    path = os.fspath(place)
    with reaching(path):
        if "://" not in path:
            return Path(path).read_bytes()
        with fsspec.open(path, "rb") as file:
            content: bytes = file.read()
            return content


def write_place(place: str | os.PathLike[str], content: bytes, is_ours: Callable[[bytes], bool], what: str) -> None:
    """Write a file whole or not at all, over nothing but one of its kind; here it is on the disk when this returns.

    Args:
        place: a path, or a URL of fsspec; what is written to one appears when it is complete.
        content: of the file.
        is_ours: whether what is there already may be written over.
        what: the file is.
    Raises:
        UsageError: there is another file.
        StoreError: it cannot be written.
    """
    path = os.fspath(place)
    with writing(path):
        if "://" not in path:
            write_here(Path(path), content, is_ours, what)
            return
        filesystem, name = fsspec.core.url_to_fs(path)
        if filesystem.isfile(name):
            demand_ours(path, filesystem.cat_file(name), is_ours, what)
        filesystem.pipe_file(name, content)


def write_here(target: Path, content: bytes, is_ours: Callable[[bytes], bool], what: str) -> None:
    """The same of a file on this machine."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        if target.exists():
            demand_ours(str(target), target.read_bytes(), is_ours, what)
        with temporary.open("wb") as sink:
            sink.write(content)
            sink.flush()
            os.fsync(sink.fileno())
        temporary.replace(target)
        sync_folder(target.parent)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def demand_ours(path: str, found: bytes, is_ours: Callable[[bytes], bool], what: str) -> None:
    """Refuse to write over a file of another kind.

    Raises:
        UsageError: it is one.
    """
    if not is_ours(found):
        raise UsageError(f"{path} exists and is no {what}", hint="give another file name")


@contextmanager
def writing(path: str) -> Iterator[None]:
    """Say in one line what keeps a file from being written: each remote file system has errors of its own.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}", hint="check the directory") from error
    except ExciseError:
        raise
    except Exception as error:
        if "://" not in path:
            raise
        hint = "check the address, the credentials, and whether its driver is installed"
        raise StoreError(f"cannot write {path}: {first_line(error)}", hint=hint) from error
