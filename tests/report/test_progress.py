import io
import threading

import pytest
from rich.console import Console

from excise.report.progress import progress, silent


class Ticks:
    """A clock that is moved by hand."""

    def __init__(self):
        self.now_s = 0.0

    def monotonic(self):
        return self.now_s


def console(**options):
    return Console(file=io.StringIO(), width=100, **options)


def test_a_pipe_hears_nothing():
    pipe = console()
    with progress(pipe) as tell:
        assert tell is silent
        tell(1, 2, "measuring")
    assert pipe.file.getvalue() == ""


def test_a_terminal_sees_what_is_going_on_and_how_far_it_is():
    terminal = console(force_terminal=True)
    with progress(terminal) as tell:
        tell(1, 4, "measuring [cast] & \x1b[2J")
    text = terminal.file.getvalue()
    assert "measuring [cast] & \\x1b[2J" in text
    assert "25 %" in text


def test_painting_is_throttled_and_no_thread_runs_beside_the_measurement():
    terminal, clock = console(force_terminal=True), Ticks()
    with progress(terminal, clock=clock) as tell:
        threads = threading.active_count()
        tell(1, 100, "measuring")
        before = len(terminal.file.getvalue())
        for done in range(2, 90):
            tell(done, 100, "measuring")
        assert len(terminal.file.getvalue()) == before
        clock.now_s = 1.0
        tell(90, 100, "measuring")
        assert len(terminal.file.getvalue()) > before
        assert threading.active_count() == threads


def test_the_bar_is_gone_and_the_cursor_back_after_an_interruption():
    terminal = console(force_terminal=True)

    def interrupted():
        with progress(terminal) as tell:
            tell(1, 4, "measuring")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "\x1b[?25h" in terminal.file.getvalue()
