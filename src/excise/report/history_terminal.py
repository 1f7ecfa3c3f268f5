"""The tax rate over past audits: one row each, its interval drawn on one common axis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import set_cell_size
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.text import Text

from excise.core.audit import Audit
from excise.core.estimate import Estimate
from excise.core.verdict import Outcome
from excise.report import figures, tax_return
from excise.report.audit_terminal import ACT, QUIET, STRONG, encodable
from excise.report.figures import Figure
from excise.report.wording import digest_start, minute, shortened

NARROWEST_AXIS, WIDEST_AXIS = 16, 60
VERSION_WIDTH = 14
LABEL_ROOM = 6
"""What the axis' last label needs beyond the axis."""


@dataclass(frozen=True, slots=True)
class HistoryOnTerminal:
    """Past audits that rich can print, the oldest first as time runs.

    Args:
        audits: any order, of one model or of several; each model gets its own block.
    """

    audits: Sequence[Audit]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """One block per model."""
        blocks = Group(*self._blocks(options.max_width))
        for segment in console.render(blocks, options):
            yield encodable(segment, options.encoding)

    def _blocks(self, width: int) -> Iterator[Text]:
        if not self.audits:
            yield Text(" No audits yet. The first: excise audit MODEL --current DATA")
            return
        for name in dict.fromkeys(model_name(audit) for audit in self.audits):
            audits = sorted((one for one in self.audits if model_name(one) == name), key=lambda one: one.run.started)
            yield Text.assemble(" ", ("Tax rate over time", STRONG), "   ", shortened(name, tax_return.NAME_WIDTH))
            yield Text()
            yield from _rows(audits, width)
            yield Text()


def model_name(audit: Audit) -> str:
    """A model's name without its version: ``flights`` of ``flights@3``."""
    return audit.model.name.partition("@")[0] or audit.model.ref


def _rows(audits: Sequence[Audit], width: int) -> Iterator[Text]:
    """Header, one row per audit, and the axis under them."""
    rates = [audit.tax_rate if _decided(audit) else None for audit in audits]
    columns = [
        _column("when", [minute(audit.run.started) for audit in audits]),
        _column("version", [_version(audit) for audit in audits]),
        _column("latency, %", figures.aligned(figures.number(rate, scale=100.0) for rate in rates)),
        _column("money, %", figures.aligned(_money(audit) for audit in audits)),
    ]
    left = [" " * 3 + "  ".join(cells) for cells in zip(*columns, strict=True)]
    low, high = _span(rates)
    room = max(NARROWEST_AXIS, min(WIDEST_AXIS, width - len(left[0]) - 3 - LABEL_ROOM))
    yield Text(left[0], QUIET, no_wrap=True, overflow="crop")
    for text, rate, audit in zip(left[1:], rates, audits, strict=True):
        drawn = Text(_whisker(rate, low, high, room)) if rate is not None else _unrated(audit)
        yield Text.assemble(text, "   ", drawn, no_wrap=True, overflow="ellipsis")
    yield Text(" " * (len(left[0]) + 3) + _axis(low, high, room), QUIET, no_wrap=True, overflow="crop")
    yield Text(_trend(audits), no_wrap=True, overflow="fold")


def _column(title: str, cells: Sequence[str]) -> list[str]:
    width = max(len(title), *(len(cell) for cell in cells))
    return [title.ljust(width), *(set_cell_size(cell, width) for cell in cells)]


def _version(audit: Audit) -> str:
    version = audit.model.name.partition("@")[2]
    return shortened(version or digest_start(audit.model.digest or figures.NOTHING), VERSION_WIDTH)


def _money(audit: Audit) -> Figure:
    return figures.number(audit.tax_rate_cost if _decided(audit) else None, scale=100.0)


def _decided(audit: Audit) -> bool:
    return audit.outcome in {Outcome.PASS, Outcome.FAIL}


def _unrated(audit: Audit) -> Text:
    return Text(tax_return.heading(audit).words.lower(), style=ACT)


def _span(rates: Sequence[Estimate | None]) -> tuple[float, float]:
    """The common axis: from zero, or below where an interval goes there, to one."""
    ends = [end for rate in rates if rate is not None for end in (rate.low, rate.value) if end is not None]
    lowest = min((end for end in ends if math.isfinite(end)), default=0.0)
    return max(-1.0, min(0.0, math.floor(10 * lowest) / 10)), 1.0


def _whisker(rate: Estimate, low: float, high: float, room: int) -> str:
    """``╶──●──╴``: the interval with its value, clipped to the axis."""
    if not math.isfinite(rate.value):
        return ""
    at = _place(rate.value, low, high, room)
    start = _place(low if rate.low is None else rate.low, low, high, room)
    stop = _place(high if rate.high is None else rate.high, low, high, room)
    cells = ["─" if start <= cell <= stop else " " for cell in range(room)]
    cells[at] = "●"
    return "".join(cells).rstrip()


def _place(value: float, low: float, high: float, room: int) -> int:
    held = min(max(value, low), high) if math.isfinite(value) else (high if value > 0 else low)
    return round((held - low) / (high - low) * (room - 1))


def _axis(low: float, high: float, room: int) -> str:
    """Zero, half and all, each under its place."""
    cells = [" "] * (room + LABEL_ROOM)
    for value in (0.0, 0.5, high, low):
        text = f"{figures.whole(100 * value)} %"
        at = max(0, _place(value, low, high, room) - len(text) // 2)
        if not "".join(cells[at : at + len(text)]).strip():
            cells[at : at + len(text)] = text
    return "".join(cells).rstrip()


def _trend(audits: Sequence[Audit]) -> str:
    """The last change, split into what was done here and what the catalogue learned."""
    parts = tax_return.change(audits[-1])
    return f"   last change: {' · '.join(parts)}" if parts else ""
