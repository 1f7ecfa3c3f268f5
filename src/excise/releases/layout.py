"""An OCI image layout on disk that stays whole: several writers, kills and full disks included."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec

from excise.core.durability import sync_folder
from excise.core.errors import Conflict, Mismatch, NotFound, StoreError
from excise.releases import oci
from excise.releases.oci import Descriptor, Index

CHUNK = 1 << 20
LOCK_TIMEOUT_S = 60.0
LOCK_POLL_S = 0.02
STRAY_AFTER_S = 24 * 3600.0
"""Files of writers that were killed are swept after a day; a live writer is never that slow."""
SEAL = "io.readthedocs.excise.seal"
"""Annotation of the index: the digest of the index without it. Blobs have names that check them, the index has this."""

CURES = {
    errno.EACCES: ("may not be written", "give yourself write permission, or choose another project folder"),
    errno.EPERM: ("may not be written", "give yourself write permission, or choose another project folder"),
    errno.EROFS: ("is on a read-only file system", "choose a project folder that can be written"),
    errno.ENOSPC: ("is on a full disk", "free some space; nothing half-written was left behind"),
    errno.EDQUOT: ("is over its quota", "free some space; nothing half-written was left behind"),
    errno.EFBIG: ("is over the file size limit", "raise the limit (ulimit -f); nothing half-written was left behind"),
}


class Layout:
    """Blobs under their digests, and one index that names them.

    A blob is written under a temporary name, synced and renamed; the index likewise, under a lock, after all
    blobs that it names. So whatever is visible is whole.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, digest: str) -> Path:
        """Where a blob is.

        Raises:
            Mismatch: the digest is not a sha256, so it names no file here.
        """
        algorithm, _, name = digest.partition(":")
        if (
            algorithm != "sha256"
            or len(name) != hashlib.sha256().digest_size * 2
            or not set(name) <= set("0123456789abcdef")
        ):
            raise Mismatch(f"{digest!r} is not a sha256 digest")
        return self.root / "blobs" / "sha256" / name

    def put_bytes(self, content: bytes, media_type: str, **more: str) -> Descriptor:
        """Store some bytes; ``more`` are annotations."""
        digest = oci.digest_of(content)
        if not self._holds(digest, len(content)):
            self._place(self.path(digest), lambda sink: sink.write(content))
        return Descriptor(media_type=media_type, digest=digest, size=len(content), annotations=more)

    def put_file(self, source: Path, media_type: str, annotations: dict[str, str]) -> Descriptor:
        """Store a file's content, copied only where it is not there yet.

        Raises:
            StoreError: the file cannot be read or changes while it is copied, or the store cannot be written.
        """
        digest, size = hash_file(source)
        if not self._holds(digest, size):
            with explained(source, "cannot be read"), source.open("rb") as stream:
                self._place(self.path(digest), lambda sink: copy_checked(stream, sink, digest, source))
        return Descriptor(media_type=media_type, digest=digest, size=size, annotations=annotations)

    def put_stream(self, opened: Callable[[], IO[bytes]], descriptor: Descriptor) -> None:
        """Store what a stream gives, which is not opened where the blob is there already.

        Raises:
            Mismatch: it gives something else than the descriptor says.
        """
        if not self._holds(descriptor.digest, descriptor.size):
            with opened() as stream:
                self._place(self.path(descriptor.digest), lambda sink: copy_described(stream, sink, descriptor))

    def read(self, descriptor: Descriptor, what: str) -> bytes:
        """A blob's bytes, checked.

        Raises:
            Mismatch: the blob is missing or is not what its digest says.
        """
        try:
            content = self.path(descriptor.digest).read_bytes()
        except FileNotFoundError:
            raise Mismatch(
                f"{what} is missing ({descriptor.digest})", hint="copy the release from where it was made"
            ) from None
        if oci.digest_of(content) != descriptor.digest or len(content) != descriptor.size:
            raise Mismatch(
                f"{what} is not what its digest says ({descriptor.digest})",
                hint="copy the release from where it was made",
            )
        return content

    def check(self, descriptor: Descriptor) -> str | None:
        """What is wrong with a blob in a few words, None where nothing is."""
        path = self.path(descriptor.digest)
        if not path.is_file():
            return "is missing"
        digest, size = hash_file(path)
        return None if (digest, size) == (descriptor.digest, descriptor.size) else "is not what its digest says"

    def index(self) -> tuple[Descriptor, ...]:
        """The index's entries; none where nothing was stored yet.

        Raises:
            Mismatch: a byte of the index differs from what excise wrote.
        """
        try:
            content = (self.root / "index.json").read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise explain(error, self.root, "cannot be read") from error
        return unseal(content, self.root)

    @contextmanager
    def update(self) -> Iterator[list[Descriptor]]:
        """The index's entries to change, under the lock; written when the block ends without an error."""
        with self._locked():
            self._sweep()
            before = self.index()
            entries = list(before)
            yield entries
            if tuple(entries) != before:
                self._ensure_marker()
                self._place(self.root / "index.json", lambda sink: sink.write(seal(tuple(entries))))

    def prepare(self) -> None:
        """Make the folders."""
        with explained(self.root):
            for folder in ("blobs/sha256", "ingest"):
                (self.root / folder).mkdir(parents=True, exist_ok=True)

    def _holds(self, digest: str, size: int) -> bool:
        try:
            return self.path(digest).stat().st_size == size
        except OSError:
            return False

    def _place(self, target: Path, write: Callable[[IO[bytes]], object]) -> None:
        """Write a file so that it is either not there or whole, whatever happens."""
        self.prepare()
        with explained(self.root):
            handle, name = tempfile.mkstemp(dir=self.root / "ingest")
            temporary = Path(name)
            try:
                with os.fdopen(handle, "wb") as sink:
                    write(sink)
                    sink.flush()
                    os.fsync(sink.fileno())
                temporary.chmod(0o444)
                temporary.replace(target)
                sync_folder(target.parent)
            finally:
                temporary.unlink(missing_ok=True)

    def _ensure_marker(self) -> None:
        marker = self.root / "oci-layout"
        if not marker.exists():
            self._place(marker, lambda sink: sink.write(oci.LAYOUT))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.prepare()
        with explained(self.root):
            handle = os.open(self.root / "ingest" / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            take(handle, self.root)
            yield
        finally:
            os.close(handle)

    def _sweep(self) -> None:
        oldest = time.time() - STRAY_AFTER_S
        for stray in (self.root / "ingest").glob("tmp*"):
            with suppress(FileNotFoundError):  # another process has put its blob in place meanwhile
                if stray.stat().st_mtime < oldest:
                    stray.unlink()


def take(handle: int, root: Path) -> None:
    """Lock an open file, or give up after a minute; the kernel frees it when its holder dies."""
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Conflict(
                    f"{root} is being written by another process", hint="try again when it is done"
                ) from None
            time.sleep(LOCK_POLL_S)


def hash_file(path: Path) -> tuple[str, int]:
    """``sha256:…`` and size of a file.

    Raises:
        StoreError: it cannot be read.
    """
    with explained(path, "cannot be read"), path.open("rb", buffering=0) as stream:
        digest = hashlib.file_digest(stream, "sha256")
        return "sha256:" + digest.hexdigest(), stream.tell()


def copy_checked(source: IO[bytes], sink: IO[bytes], digest: str, path: Path) -> None:
    """Copy a file and make sure that it still is what was hashed."""
    running = hashlib.sha256()
    while chunk := source.read(CHUNK):
        running.update(chunk)
        sink.write(chunk)
    if "sha256:" + running.hexdigest() != digest:
        raise StoreError(f"{path} changed while it was read", hint="create the release when nothing writes to it")


def copy_described(source: IO[bytes], sink: IO[bytes], descriptor: Descriptor) -> None:
    """Copy a stream as far as its descriptor says that it goes, and make sure that it is what that promised.

    Raises:
        Mismatch: it is shorter, longer, or of another digest.
    """
    running, left = hashlib.sha256(), descriptor.size
    while left and (chunk := source.read(min(left, CHUNK))):
        running.update(chunk)
        sink.write(chunk)
        left -= len(chunk)
    if left or source.read(1) or "sha256:" + running.hexdigest() != descriptor.digest:
        raise Mismatch(f"what came is not what its digest says ({descriptor.digest})", hint="fetch it again")


def seal(entries: tuple[Descriptor, ...]) -> bytes:
    """The bytes of an index that carries its own digest."""
    plain = Index(schema_version=2, media_type=oci.INDEX, manifests=entries)
    return oci.encode(msgspec.structs.replace(plain, annotations={SEAL: oci.digest_of(oci.encode(plain))}))


def unseal(content: bytes, root: Path) -> tuple[Descriptor, ...]:
    """The entries of an index, once it is sure that every byte is as it was written."""
    hint = "restore index.json from a copy; its blobs are untouched"
    try:
        entries = msgspec.json.decode(content, type=Index).manifests
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Mismatch(f"{root}/index.json cannot be read: {error}", hint=hint) from error
    if seal(entries) != content:
        raise Mismatch(f"{root}/index.json is not what excise wrote", hint=hint)
    return entries


@contextmanager
def explained(place: Path, otherwise: str = "cannot be used") -> Iterator[None]:
    """Turn the system's errors into one line with a hint."""
    try:
        yield
    except OSError as error:
        raise explain(error, place, otherwise) from error


def explain(error: OSError, place: Path, otherwise: str) -> StoreError:
    """The error for what the system said."""
    if isinstance(error, FileNotFoundError):
        return NotFound(f"{error.filename or place}: no such file", hint="check the path")
    what, hint = CURES.get(
        error.errno or 0, (f"{otherwise}: {error.strerror or error}", "check the path and its permissions")
    )
    return StoreError(f"{place} {what}", hint=hint)
