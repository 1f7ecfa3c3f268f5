"""What can be seen of a model file without loading it: that it is there, and what its first bytes say."""

from __future__ import annotations

import difflib
import re
import zipfile
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

from excise.core.errors import MissingExtra, ModelError, UntrustedPickle

ZIP, PICKLE, HDF5, GGUF = b"PK\x03\x04", b"\x80", b"\x89HDF", b"GGUF"
ONNX_FIRST_FIELD = b"\x08"
"""Protobuf's tag of ``ModelProto.ir_version``, which every exporter writes first."""
LAST_PICKLE_PROTOCOL = 5
COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"x\x9c", b"x\x01", b"x\xda", b"ZF", b"\x04\x22\x4d\x18")
"""What joblib writes when it compresses: gzip, bz2, xz, zlib, its old form, lz4."""
FIRST_BYTES: tuple[tuple[bytes | tuple[bytes, ...], str], ...] = (
    (ZIP, "a zip archive"),
    (COMPRESSED, "compressed data"),
    (HDF5, "an HDF5 file"),
    (GGUF, "a GGUF file"),
    (ONNX_FIRST_FIELD, "a protocol buffer"),
)
HEAD_BYTES = 64


def existing_path(path: str) -> Path:
    """A folder, or a file as ``existing_file`` demands it."""
    return Path(path) if Path(path).is_dir() else existing_file(path)


def existing_file(path: str) -> Path:
    """The file, or an error that names the nearest one there is.

    Raises:
        ModelError: it is missing, a folder, unreadable or empty.
    """
    file = Path(path)
    if file.is_dir():
        raise ModelError(f"{path} is a folder, not a model file", hint=_nearest(file / "model"))
    if not file.exists():
        raise ModelError(f"there is no file {path}", hint=_nearest(file))
    try:
        size = file.stat().st_size
        with file.open("rb"):
            pass
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}", hint="check its permissions") from error
    if size == 0:
        raise ModelError(f"{path} is empty (0 bytes)", hint="save the model again")
    return file


def _nearest(file: Path) -> str:
    """What may have been meant."""
    folder = file.parent
    names = sorted(p.name for p in folder.iterdir() if p.is_file()) if folder.is_dir() else []
    close = difflib.get_close_matches(file.name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {folder / close[0]}?"
    if not folder.is_dir():
        return f"there is no folder {folder} either"
    return f"{folder} holds: {', '.join(names[:5])}" if names else f"{folder} is empty"


def head_of(file: Path) -> bytes:
    """Its first bytes."""
    with file.open("rb") as opened:
        return opened.read(HEAD_BYTES)


def what_it_is(head: bytes) -> str:
    """A file's type in words, by its first bytes."""
    if head.startswith(PICKLE) and len(head) > 1 and head[1] <= LAST_PICKLE_PROTOCOL:
        return f"a pickle (protocol {head[1]})"
    known = next((words for starts, words in FIRST_BYTES if head.startswith(starts)), None)
    return known or ("text" if head.isascii() else "of an unknown type")


def whole_zip(file: Path, *members: str) -> None:
    """Hold a zip archive against truncation and against archives of another kind.

    Args:
        file: the archive.
        members: suffixes of member names, one of which must be there.
    Raises:
        ModelError: truncated, no zip archive, or without the member.
    """
    head = head_of(file)
    if not head.startswith(ZIP):
        raise wrong_type(file, head)
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        raise truncated(file, "a zip archive without its directory") from None
    if not any(name.endswith(member) for name in names for member in members):
        message = f"{file} is a zip archive without {' or '.join(members)}"
        raise ModelError(message, hint="name a file that was saved by the library its suffix stands for")


def truncated(file: Path, seen: str) -> ModelError:
    """The file was cut off; ``seen`` says by what that is known."""
    message = f"{file} is truncated: {seen} ({file.stat().st_size} bytes)"
    return ModelError(message, hint="copy or download it again")


def wrong_type(file: Path, head: bytes) -> ModelError:
    """The file is not what its suffix says."""
    return ModelError(
        f"{file} is not what {file.suffix} stands for: by its first bytes it is {what_it_is(head)}",
        hint="rename it to its real suffix, or save the model again",
    )


def tail_of(file: Path, size: int) -> bytes:
    """Its last bytes, at most ``size`` of them."""
    with file.open("rb") as opened:
        opened.seek(-min(size, file.stat().st_size), 2)
        return opened.read()


def demand_version(file: Path, *, package: str, saved: tuple[int, ...]) -> None:
    """Refuse a file that a newer version of its library saved: an older one may load it and misread it.

    Raises:
        ModelError: the installed version is older, up to the precision of ``saved``.
        MissingExtra: none is installed.
    """
    demand_packages(package, package)
    installed = version(next(iter(packages_distributions().get(package, ())), package))
    numbers = tuple(int(part) for part in re.findall(r"\d+", installed)[: len(saved)])
    if saved > numbers:
        newer = ".".join(map(str, saved))
        message = f"{file} was saved by {package} {newer}, newer than the installed {installed}"
        raise ModelError(message, hint=f"pip install '{package}>={newer}', as production has it")


def demand_trust(file: Path, *, trusted: bool, without: str) -> None:
    """Refuse a pickle that nobody vouched for.

    Raises:
        UntrustedPickle: ``trusted`` is false.
    """
    if not trusted:
        raise UntrustedPickle(
            f"{file} is a pickle: loading it runs whatever code it holds",
            hint=f"if you know who made it, add --trust-pickle; {without} is the way without",
        )


def demand_packages(extra: str, *packages: str) -> None:
    """Refuse early where the library that loads the model is missing; looks for it without importing it.

    Raises:
        MissingExtra: one of the packages cannot be found.
    """
    for package in packages:
        if find_spec(package) is None:
            raise MissingExtra(package, extra=extra)
