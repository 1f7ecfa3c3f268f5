"""A profile on a terminal: what was found first, then the columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from excise.api.profile import ColumnFacts, Profile
from excise.core.audit import Finding
from excise.features.causes import percent
from excise.report.audit_terminal import ACT, QUIET, STRONG, encodable
from excise.report.wording import counted, human, literal, one_line, shortened

NAME_WIDTH = 28
SOURCE_WIDTH = 48
SHOWN_FORMS = 3
TYPED_BY_US = ("cell", "json")
"""Sources without column types of their own."""


@dataclass(frozen=True, slots=True)
class ProfileOnTerminal:
    """A profile that rich can print.

    Args:
        profile: to be drawn.
        cast_file: the file that the casts were written to, None without.
    """

    profile: Profile
    cast_file: str | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Heading, findings, columns, casts."""
        for segment in console.render(Group(*self._blocks()), options):
            yield encodable(segment, options.encoding)

    def _blocks(self) -> Iterator[RenderableType]:
        yield heading(self.profile)
        yield Text()
        if self.profile.reference is not None:
            yield from findings(self.profile.findings)
            yield Text()
        yield columns(self.profile.columns)
        yield Text()
        yield from casts(self.profile, self.cast_file)


def heading(profile: Profile) -> Text:
    """What was looked at, and against what."""
    against = "" if profile.reference is None else f"   against {shortened(profile.reference, SOURCE_WIDTH)}"
    rows = counted(profile.rows, "row")
    source = shortened(profile.source, SOURCE_WIDTH)
    return Text.assemble(" ", ("Profile", STRONG), f"   {source}   {rows}{against}")


def findings(found: tuple[Finding, ...]) -> Iterator[RenderableType]:
    """One line each, the widest first."""
    if not found:
        yield Text(" In the reference's form: nothing found.")
        return
    table = grid("rows", "what was seen", "examples")
    for finding in found:
        share = "" if finding.share is None else percent(finding.share)
        shown = "  ".join(literal(example) for example in finding.examples)
        table.add_row(share, Text(one_line(f"{finding.where}: {finding.what}"), style=ACT), Text(shown, style=QUIET))
    yield table


def columns(facts: tuple[ColumnFacts, ...]) -> Table:
    """One line per column."""
    table = grid("nulls", "column", "is", "holds", "range")
    for column in facts:
        nulls = percent(column.nulls / column.rows) if column.nulls else ""
        table.add_row(nulls, shortened(column.name, NAME_WIDTH), column.form, holds(column), spread(column))
    return table


def holds(column: ColumnFacts) -> str:
    """The types where there are several, else the forms of its texts, else how many texts there are."""
    kinds = {name: count for name, count in column.types.items() if name != "null"}
    counts = kinds if len(kinds) > 1 else {form: n for form, n in column.text_forms.items() if form != "text"}
    if counts:
        ranked = sorted(counts.items(), key=lambda item: -item[1])[:SHOWN_FORMS]
        return ", ".join(f"{human(name)} {percent(count / column.rows)}" for name, count in ranked)
    if column.text_forms:
        return "many texts" if column.distinct is None else counted(column.distinct, "text")
    return "" if column.dtype in TYPED_BY_US else column.dtype


def spread(column: ColumnFacts) -> str:
    """Smallest to largest number, or the longest text; instants are not shown as seconds."""
    if column.minimum is not None and column.form != "datetime":
        return f"{column.minimum:.6g} … {column.maximum:.6g}"
    return "" if column.longest is None else f"up to {counted(column.longest, 'character')}"


def casts(profile: Profile, cast_file: str | None) -> Iterator[Text]:
    """What the caster mends, and where it was written."""
    mended = profile.reference is not None
    for cast in profile.casts if mended else ():
        stays = f"   ({counted(cast.unparsed, 'cell')} stay)" if cast.unparsed else ""
        yield Text(f" cast   {one_line(cast.what)}{stays}")
    if cast_file is not None:
        yield Text.assemble(
            " ", (shortened(cast_file, SOURCE_WIDTH), STRONG), f"   casts {counted(len(profile.casts), 'column')}"
        )
    elif mended and profile.casts:
        yield Text(" to write it as a file: add --emit-cast cast.py", style=QUIET)


def grid(*headers: str) -> Table:
    """A table without lines; the first column holds numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style=QUIET)
    table.add_column(" " + headers[0], justify="right", no_wrap=True)
    for header in headers[1:]:
        table.add_column(header, overflow="fold")
    return table
