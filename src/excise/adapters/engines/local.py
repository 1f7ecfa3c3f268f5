"""Threads of this process: reading and counting leave the interpreter to others while they run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

MOST = 8
"""Threads at most: each holds a block of rows."""


class LocalEngine:
    """Threads over the parts.

    Args:
        workers: threads at most; the cores that we may use, up to eight, unless said.
    """

    name = "local"

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or min(MOST, cores())
        self._pool: ThreadPoolExecutor | None = None

    def map(self, function: Callable[[bytes], bytes], items: Sequence[bytes]) -> Iterator[bytes]:
        """Apply a function to every item, in order; its first exception is raised here."""
        if not items:
            return iter(())
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.workers)
        return self._pool.map(function, items)

    def close(self) -> None:
        """End the threads; items that have not begun are dropped."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
