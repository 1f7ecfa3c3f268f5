"""The clock as a port: rooms that wait or date things take one, tests pass a fake one."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where a room gets its time from."""

    def now(self) -> datetime:
        """Calendar time, UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Calendar time, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()


class DeviceClock(Protocol):
    """Milliseconds and memory on an accelerator, for one timed block."""

    def start(self) -> None:
        """Mark the start of a block on the device's own queue."""

    def stop(self) -> tuple[float, float]:
        """Mark the end; device milliseconds and peak MiB since the start."""
