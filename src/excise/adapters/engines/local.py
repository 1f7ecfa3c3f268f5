"""A pool of processes on this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any


class LocalEngine:
    """Processes that are started fresh (spawn), so that no thread or lock of ours is copied into them.

    Args:
        workers: processes at most; the cores that we may use unless said.
    """

    name = "local"

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else workers
        self._pool: ProcessPoolExecutor | None = None

    def map(self, function: Any, items: Sequence[Any]) -> list[Any]:
        """Apply a picklable function to every item, in order; its first exception is raised here.

        No process is started for no items.
        """
        if not items:
            return []
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.workers, mp_context=get_context("spawn"))
        return list(self._pool.map(function, items))

    def close(self) -> None:
        """End the processes; jobs that have not begun are dropped. Closing twice does nothing."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
