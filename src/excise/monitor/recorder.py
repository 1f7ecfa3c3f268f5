"""Records a sample of requests as JSON lines, in a thread beside the service."""

from __future__ import annotations

import base64
import os
import queue
import random
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from excise.core.errors import StoreError
from excise.monitor.redaction import Redaction

WAITING = 256
"""Requests that may wait to be written; more are dropped and counted, since the service must not wait."""
LARGEST = 1 << 20
"""Bytes of a body; larger ones are dropped and counted."""
PRIVATE = 0o600


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One request and how it was answered, before anything is taken out of it."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    status: int
    ms: float


class Recorder:
    """Takes requests and writes those that may be kept; a request costs the service one append to a queue.

    A line is written by one call of the system, so that a process that is killed leaves whole lines, but for a last one
    that the next recorder cuts off.

    Args:
        out: JSON lines are appended here; the file is readable by its owner only.
        n: stop after so many requests; None for no end.
        rate: share of the requests that is recorded.
        redaction: what is taken out.
    Raises:
        StoreError: the file cannot be written to.
    """

    def __init__(self, out: str | os.PathLike[str], *, n: int | None, rate: float, redaction: Redaction) -> None:
        self.path, self.rate = Path(out), rate
        self.left = n if n is not None else -1
        self.dropped = self.written = 0
        self.full = threading.Event()
        self._redaction = redaction
        self._taking = threading.Lock()
        self._queue: queue.SimpleQueue[Seen | None] = queue.SimpleQueue()
        self._file = _opened(self.path)
        self._thread: threading.Thread | None = None

    def wants(self) -> bool:
        """Whether the next request is one of the sample."""
        return self.left != 0 and random.random() < self.rate  # noqa: S311  a sample, not a secret

    def take(self, seen: Seen) -> None:
        """A request to be written; dropped where the disk does not keep up, or where it is too large."""
        with self._taking:
            if self.left == 0:
                return
            if len(seen.body) > LARGEST or self._queue.qsize() > WAITING:
                self.dropped += 1
                return
            self.left -= self.left > 0
            if self._thread is None:  # the first request: a server that forks has forked by now
                self._thread = threading.Thread(target=self._write_all, name="excise recorder", daemon=True)
                self._thread.start()
            self._queue.put(seen)

    def drop(self) -> None:
        """A request of the sample whose body cannot be had as a whole."""
        with self._taking:
            self.dropped += self.left != 0

    def close(self) -> None:
        """Write what is waiting and close the file."""
        self.left = 0
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write_all(self) -> None:
        while (seen := self._queue.get()) is not None:
            os.write(self._file, msgspec.json.encode(self._line(seen)) + b"\n")
            self.written += 1
            if self.left == 0 and self._queue.empty():
                self.full.set()

    def _line(self, seen: Seen) -> dict[str, Any]:
        """The request as it is replayed: a JSON body as its value, a text as text, bytes in base 64."""
        rules = self._redaction
        return {
            "method": seen.method,
            "path": rules.path(seen.path, seen.query),
            "headers": rules.headers(seen.headers),
            **_body(seen, rules),
            "status": seen.status,
            "ms": round(seen.ms, 3),
        }


def _body(seen: Seen, rules: Redaction) -> dict[str, Any]:
    if not seen.body:
        return {"body": None}
    try:
        return {"body": rules.body(msgspec.json.decode(seen.body))}
    except msgspec.DecodeError:
        pass
    try:
        return {"body": seen.body.decode()}
    except UnicodeDecodeError:
        return {"body": None, "body_base64": base64.b64encode(seen.body).decode()}


def _opened(path: Path) -> int:
    """The file, ready to be appended to; a last line that was cut off is cut away."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, PRIVATE)
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            os.ftruncate(descriptor, _whole_lines(descriptor, size))
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}", hint="name another file: --out FILE") from error
    return descriptor


def _whole_lines(descriptor: int, size: int) -> int:
    """Where the last whole line ends."""
    end = size
    while end > 0:
        start = max(0, end - LARGEST)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def recorder(
    out: str | os.PathLike[str],
    *,
    n: int | None = None,
    rate: float = 1.0,
    redact: Iterable[str] = (),
    hashed: Iterable[str] = (),
) -> Recorder:
    """A recorder with its rules, by the settings of ``excise.record``."""
    return Recorder(out, n=n, rate=rate, redaction=Redaction(redact, hashed))
