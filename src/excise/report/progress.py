"""How far long work has come: a bar on a terminal, silence in a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from excise.core.clock import Clock, SystemClock
from excise.report.wording import one_line

REFRESH_S = 0.25
"""Between two paintings. Only calls paint: a thread of our own would run beside what is being measured."""
LABEL_WIDTH = 34


class Tell(Protocol):
    """What long work calls now and then to say how far it is."""

    def __call__(self, done: float, total: float, what: str) -> None:
        """So much of the total is done; ``what`` is going on."""


def silent(done: float, total: float, what: str) -> None:
    """Tell nobody."""


@contextmanager
def progress(console: Console, *, clock: Clock | None = None) -> Iterator[Tell]:
    """A bar for the time of the block, gone when it ends, however it ends; silent where nobody watches.

    Args:
        console: standard error, usually.
        clock: of the throttle.
    """
    if not console.is_terminal:
        yield silent
        return
    with _bar(console) as bar:
        yield _Painter(bar, clock or SystemClock())


def _bar(console: Console) -> Progress:
    columns = (
        TextColumn(f"{{task.description:<{LABEL_WIDTH}}}", markup=False),
        BarColumn(bar_width=None, style="dim", complete_style="default", finished_style="default"),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, auto_refresh=False, transient=True)


class _Painter:
    """Keeps one task of a rich Progress up to date, painting a few times a second at most."""

    def __init__(self, bar: Progress, clock: Clock) -> None:
        self._bar = bar
        self._clock = clock
        self._task: TaskID = bar.add_task("", total=None)
        self._painted = -REFRESH_S

    def __call__(self, done: float, total: float, what: str) -> None:
        """Note how far the work is; paint when the last painting is long enough ago, and at the end."""
        self._bar.update(self._task, completed=done, total=total, description=one_line(what)[:LABEL_WIDTH])
        now = self._clock.monotonic()
        if now - self._painted >= REFRESH_S or done >= total:
            self._bar.refresh()
            self._painted = now
