"""A look before an audit on a terminal: one line per need, and what to do about those that are missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from excise.core.check import Check, Need
from excise.core.verdict import Outcome
from excise.report.audit_terminal import ACT, QUIET, STRONG, encodable
from excise.report.wording import one_line

NOTHING = "none"
"""What is seen of a need that nobody gave."""
WORDS = {Outcome.PASS: "found", Outcome.FAIL: "missing", Outcome.NOT_MEASURED: "not seen"}


@dataclass(frozen=True, slots=True)
class CheckOnTerminal:
    """A check that rich can print."""

    check: Check

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table, then the next step."""
        for segment in console.render(Group(*self._blocks()), options):
            yield encodable(segment, options.encoding)

    def _blocks(self) -> Iterator[RenderableType]:
        table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
        for wraps in (False, False, True):
            table.add_column(no_wrap=not wraps, overflow="fold")
        for need in self.check.needs:
            table.add_row(*_cells(need))
        yield table
        yield Text()
        yield _next(self.check)


def _cells(need: Need) -> Iterator[Text]:
    """A need: its name, whether it is there, what was seen or what it would unlock, and how to get it."""
    act = need.outcome is Outcome.FAIL and need.required
    yield Text(f" {need.what}")
    yield Text(WORDS[need.outcome], ACT if act else "" if need.outcome is Outcome.PASS else QUIET)
    said = one_line(need.seen) if need.required or need.outcome is Outcome.PASS else _unlocked(need)
    yield Text(said if need.get is None else f"{said}\n→ {one_line(need.get)}")


def _unlocked(need: Need) -> str:
    """What a need that is not there is good for."""
    return f"for {need.unlocks}" + ("" if need.seen == NOTHING else f"; {one_line(need.seen)}")


def _next(check: Check) -> Text:
    """The audit that would run, or what stands in its way."""
    if check.outcome is Outcome.FAIL:
        return Text.assemble((" not ready: ", ACT), one_line(check.why))
    # Cut nowhere, so that it can be copied whole.
    return Text.assemble(" next: ", (one_line(check.command), STRONG), no_wrap=True, overflow="ignore")
