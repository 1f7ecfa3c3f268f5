"""Drift on a terminal: the features that matter, each with both distributions and its causes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from excise.core.drift import Drift, Drifted, FeatureDrift, Looks
from excise.core.harm import Harm, Harmed
from excise.report import drift_figures as figures
from excise.report.audit_terminal import ACT, QUIET, STRONG, WIDEST, encodable
from excise.report.packing import Packed
from excise.report.wording import one_line, shortened

NAME_WIDTH = 20


@dataclass(frozen=True, slots=True)
class DriftOnTerminal:
    """A comparison that rich can print.

    Args:
        drift: to be drawn.
        html: where the page was written, None where none was.
    """

    drift: Drift
    html: str | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Heading, the features that drifted, the others by name."""
        for segment in console.render(Group(*self._blocks()), options):
            yield encodable(segment, options.encoding)

    def _blocks(self) -> Iterator[RenderableType]:
        yield Text.assemble(" ", ("Drift", STRONG), f"   {figures.circumstances(self.drift)}")
        yield Text()
        style = f"{STRONG} {ACT}" if figures.calls_for_action(self.drift) else STRONG
        yield Text(f"   {self.drift.why}", style=style)
        yield Text(f"   {figures.terms(self.drift)}", style=QUIET)
        yield Text()
        if self.drift.looks:
            yield from looked(self.drift.looks)
            yield Text()
        if self.drift.harm:
            yield from harmed(self.drift.harm)
            yield Text()
        for verdict in (Drifted.MATERIAL, Drifted.IMMATERIAL):
            if drifted := figures.of_verdict(self.drift, verdict):
                yield Text(f"   {verdict}", style=QUIET)
                yield from features(drifted)
                yield Text()
        yield from rest(self.drift)
        yield from feet(self.drift, self.html)


def looked(looks: Looks) -> Iterator[RenderableType]:
    """What all looks say together: the features that changed, each with its direction."""
    yield Text(f"   {figures.bound(looks)}", style=QUIET)
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_header=False)
    for alarm in looks.alarms:
        name = Text(f"   {shortened(alarm.feature, NAME_WIDTH)}", style=ACT)
        table.add_row(name, figures.alarm(alarm, show=True), f"since {one_line(alarm.since)}")
    if looks.alarms:
        yield table


def harmed(harm: Harm) -> Iterator[RenderableType]:
    """What became of the model's quality, and what that rests on."""
    yield Text(f"   {harm.outcome}", style=ACT if harm.outcome is Harmed.HARM else QUIET)
    yield Padding(Text(one_line(harm.why)), (0, 0, 0, 3), expand=False)
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style=QUIET)
    for header in ("   quality", "then", "now", "change"):
        table.add_column(header, no_wrap=True)
    for name, *numbers in figures.quality(harm):
        table.add_row(f"   {name}", *numbers)
    yield table
    said = [figures.basis(harm), *([figures.evidence(harm.bet)] if harm.bet else [])]
    for line in (*said, *map(figures.assumed, harm.assumptions)):
        yield Padding(Text(line, style=QUIET), (0, 0, 0, 3), expand=False)


def features(drifted: list[FeatureDrift]) -> Iterator[RenderableType]:
    """One block per feature: its numbers and both distributions on a line, its causes below."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style=QUIET)
    for header in ("   feature", "effect", "p", "then", "now"):
        table.add_column(header, no_wrap=True)
    for one in drifted:
        table.add_row(*cells(one))
    lines = drawn(table)
    yield lines[0]
    for line, one in zip(lines[1:], drifted, strict=True):
        yield line
        yield from causes(one)


def cells(feature: FeatureDrift) -> tuple[str | Text, ...]:
    """The numbers of one feature."""
    return (
        Text(f"   {shortened(feature.name, NAME_WIDTH)}", style=ACT if feature.verdict is Drifted.MATERIAL else STRONG),
        figures.effect(feature.effect),
        figures.p_value(feature.p_adjusted),
        *figures.sparks(feature),
    )


def drawn(table: Table) -> list[Text]:
    """The lines of a table, so that others can stand between them."""
    console = Console(width=WIDEST, record=False, color_system=None)
    lines = console.render_lines(table, console.options.update(width=WIDEST), pad=False)
    return [Text.assemble(*((part.text, part.style or "") for part in line)) for line in lines]


def causes(feature: FeatureDrift) -> Iterator[RenderableType]:
    """One line each, and what it costs a call."""
    for cause in feature.causes:
        paid = f"   {figures.cost(cause.cost_ms)}" if cause.cost_ms else ""
        yield Padding(Text(f"{figures.said(cause, show=True)}{paid}"), (0, 0, 0, 6), expand=False)


def rest(drift: Drift) -> Iterator[RenderableType]:
    """Features of which there is nothing more to say."""
    clean = figures.of_verdict(drift, Drifted.NONE)
    if clean:
        yield Text("   no drift", style=QUIET)
        yield Padding(Packed([shortened(one.name, NAME_WIDTH) for one in clean]), (0, 0, 0, 3), expand=False)
    for gap in drift.not_measured:
        yield Text(f"   not measured   {one_line(gap.what)}: {one_line(gap.why)}", style=QUIET)


def feet(drift: Drift, html: str | None) -> Iterator[RenderableType]:
    """What to do, and where the page is."""
    command = figures.remedy(drift)
    if command:
        yield Text("\n   to cast them at the boundary:", style=QUIET)
        yield Padding(Text(command, style=STRONG), (0, 0, 0, 3), expand=False)
    if html:
        yield Text(f"\n   {html}", style=QUIET)
