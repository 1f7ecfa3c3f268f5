"""An audit as a tax return on a terminal, 80 to 160 columns wide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from excise.core.audit import Audit, Finding
from excise.report import figures, tax_return
from excise.report.figures import Figure
from excise.report.packing import packed
from excise.report.tax_return import LedgerRow, LineRow, Note
from excise.report.wording import example, human, one_line, shortened, visible

NARROWEST, WIDEST, TWO_COLUMNS = 80, 160, 116
"""Columns: below the first, lines wrap; beyond the second, eyes lose the row; from the third on, what was seen
stands beside the numbers instead of under them."""
LABEL = 16
INDENT = 3
SHOWN = 6
PLACES = 4
"""Findings and refused remedies that are listed here; the page has all of them."""
STRONG, QUIET, ACT = "bold", "dim", "yellow"
"""Color stands only where something must be done."""
ASCII = str.maketrans("±≥≤→−·…—“”×␣", '~><>-|.-""x_')
"""Stand-ins of equal width for streams that cannot write more than ASCII."""


@dataclass(frozen=True, slots=True)
class AuditOnTerminal:
    """An audit that rich can print.

    Args:
        audit: what was found.
        html: where the page was written, named at the foot; None where none was.
        show_examples: whether example values are shown; the terminal is the user's own, so they are.
    """

    audit: Audit
    html: str | None = None
    show_examples: bool = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Every block of the return, at the width of the terminal but never wider than ``WIDEST``."""
        width = min(options.max_width, WIDEST)
        for block in self._blocks(width):
            for line in console.render_lines(block, options.update(width=width), pad=False):
                yield from (encodable(segment, options.encoding) for segment in _trimmed(line))
                yield Segment.line()

    def _blocks(self, width: int) -> Iterator[Text | Table | Padding]:
        yield _title(self.audit, width)
        yield Text()
        yield from _headline(self.audit)
        yield from _lines(self.audit, width)
        yield from _notes(self.audit, width, show_examples=self.show_examples)
        yield from _foot(self.audit, self.html, width)


def _trimmed(line: list[Segment]) -> list[Segment]:
    """A line without the blanks at its end: they only get in the way of copying and comparing."""
    kept = list(line)
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        kept[-1] = kept[-1]._replace(text=kept[-1].text.rstrip())
    return kept


def encodable(segment: Segment, encoding: str) -> Segment:
    """The segment itself, or its nearest form in an encoding that lacks our signs; as wide as before."""
    if encoding.startswith("utf"):
        return segment
    text = segment.text.translate(ASCII).encode(encoding, "replace").decode(encoding)
    return segment._replace(text=text)


def _title(audit: Audit, width: int) -> Text:
    """What was audited on the left; when, where and how long on the right, or below where it does not fit."""
    left = Text.assemble(" ", ("Tax return", STRONG), "   ", visible(tax_return.subject(audit)))
    right = Text(visible(tax_return.circumstances(audit)), style=QUIET)
    gap = width - left.cell_len - right.cell_len - 1
    return Text.assemble(left, " " * gap, right) if gap > 1 else Text.assemble(left, "\n ", right)


def _headline(audit: Audit) -> Iterator[Text | Table | Padding]:
    """The verdict and one row per ledger."""
    heading = tax_return.heading(audit)
    style = f"{STRONG} {ACT}" if heading.act and not heading.rated else STRONG
    words = Text(" " * INDENT + heading.words.upper(), style=style)
    if heading.rated:
        words.append("   avoidable cost", style="not bold")
    yield words
    if heading.explain:
        yield _indented(Text(heading.explain, style=ACT if heading.act else ""))
    yield Text()
    ledgers = tax_return.ledgers(audit)
    if ledgers:
        yield _ledger_table(ledgers)
    if heading.rated:
        yield Text()
        yield _indented(Text(f"a lower bound: {tax_return.scope(audit)}", style=QUIET))
    yield Text()


def _ledger_table(ledgers: Sequence[LedgerRow]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for row in ledgers:
        rate = [Text(row.rate, STRONG, justify="right"), Text(row.doubt), Text(f"of {row.name}")]
        cells = rate if any(other.rate for other in ledgers) else [Text(row.name)]
        table.add_row(Text(" " * (INDENT - 2)), *cells, Text(row.change, STRONG), Text(row.per, QUIET))
    return table


def _lines(audit: Audit, width: int) -> Iterator[Text | Table | Padding]:
    """The lines of the return, their sum, what was seen and what removes them."""
    rows = tax_return.line_rows(audit)
    if not rows:
        return
    total = tax_return.together(audit)
    scale = tax_return.scale_of(audit)
    numbers = _numbers([*rows, *([total] if total else [])], scale.per, width)
    yield from (_beside(numbers, rows, width) if width >= TWO_COLUMNS else _below(numbers, rows))
    yield Text()


def _numbers(rows: Sequence[LineRow], per: str, width: int) -> list[Text]:
    """Header and rows as text of equal width: the name, then every column aligned at the point."""
    columns = [("ms", [row.ms for row in rows]), (f"$ per {per}", [row.money for row in rows])]
    columns += [("alone, ms", [row.alone for row in rows]), ("last, ms", [row.last for row in rows])]
    filled = [_column(title, column) for title, column in columns if any(_known(figure) for figure in column)]
    room = width - INDENT - sum(2 + len(column[0]) for column in filled)
    name_width = max(4, min(max((cell_len(row.name) for row in rows), default=4), 28, room))
    names = ["line", *(shortened(row.name, name_width) for row in rows)]
    texts = [
        Text("  ".join([set_cell_size(name, name_width), *cells]), no_wrap=True, overflow="ellipsis")
        for name, *cells in zip(names, *filled, strict=True)
    ]
    texts[0].stylize(QUIET)
    return texts


def _column(title: str, column: list[Figure]) -> list[str]:
    """A column with its title above the values, all cells equally wide."""
    cells = figures.aligned(column)
    width = max(len(title), *(len(cell) for cell in cells))
    return [title.ljust(width), *(cell.ljust(width) for cell in cells)]


def _known(figure: Figure) -> bool:
    return figure.value not in {"", figures.NOTHING}


def _beside(numbers: Sequence[Text], rows: Sequence[LineRow], width: int) -> Iterator[Table]:
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(no_wrap=True, width=INDENT - 3)
    table.add_column(no_wrap=True)
    table.add_column(max_width=width - INDENT - numbers[0].cell_len - 3, overflow="fold")
    table.add_row(Text(), numbers[0], Text("what was seen, and what removes it", style=QUIET))
    for number, row in zip(numbers[1:], rows, strict=False):
        table.add_row(Text(), number, _seen(row))
    for number in numbers[1 + len(rows) :]:
        table.add_row(Text(), _total(number), Text())
    yield table


def _below(numbers: Sequence[Text], rows: Sequence[LineRow]) -> Iterator[Text | Padding]:
    yield _indented(numbers[0])
    for number, row in zip(numbers[1:], rows, strict=False):
        yield _indented(number)
        yield _indented(_seen(row), INDENT + 2)
    for number in numbers[1 + len(rows) :]:
        yield _indented(_total(number))


def _seen(row: LineRow) -> Text:
    parts = [Text(row.seen)] if row.seen else []
    parts += [Text(f"→ {row.command}", style=ACT)] if row.command else []
    return Text("\n").join(parts)


def _total(number: Text) -> Text:
    number.stylize(STRONG)
    return number


def _notes(audit: Audit, width: int, *, show_examples: bool) -> Iterator[Table]:
    """Everything beside the rate: a label, then text that wraps under itself."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, width=INDENT - 2)
    table.add_column(no_wrap=True, width=LABEL)
    table.add_column(overflow="fold")
    for label, text in _note_rows(audit, width - INDENT - LABEL - 4, show_examples=show_examples):
        if text:
            table.add_row(Text(), Text(label, style=QUIET), text)
    if table.row_count:
        yield table


def _note_rows(audit: Audit, width: int, *, show_examples: bool) -> Iterator[tuple[str, Text]]:
    yield from _listed("a trade, apart", [Text(f"{note.label}  {note.text}") for note in tax_return.trades(audit)])
    yield tax_return.since(audit), _joined(tax_return.since_approval(audit), width)
    yield "since last audit", packed([Text(part) for part in tax_return.change(audit)], width)
    yield "against", _joined(tax_return.against(audit), width)
    yield "beside it", _joined(tax_return.demand(audit), width)
    yield "production", _joined(tax_return.standing(audit.current), width)
    if tax_return.heading(audit).rated:
        yield "attainable", _joined(tax_return.standing(audit.attainable), width)
    yield "per call", _joined(tax_return.meters(audit), width)
    yield "stages", _joined(tax_return.stages(audit), width)
    yield "by route", _joined(tax_return.routes(audit), width)
    yield "spent on", _joined(tax_return.spent_on(audit), width)
    yield from _listed(
        "findings", [_finding(alike, show_examples=show_examples) for alike in tax_return.alike(audit.findings)]
    )
    yield from _listed("tried, not taken", [Text(f"{note.label}  {note.text}") for note in tax_return.not_taken(audit)])
    yield "not measured", packed([Text(gap) for gap in tax_return.gaps(audit)], width)
    yield "A/A", Text(tax_return.twin(audit))
    yield "price", packed([Text(part) for part in tax_return.price(audit)], width)


def _joined(notes: Iterable[Note], width: int) -> Text:
    return packed([Text(f"{note.label} {note.text}", style=ACT if note.act else "") for note in notes], width)


def _listed(label: str, entries: Sequence[Text]) -> Iterator[tuple[str, Text]]:
    more = len(entries) - SHOWN
    for index, entry in enumerate(entries[:SHOWN]):
        yield (label if index == 0 else ""), entry
    if more > 0:
        yield "", Text(f"and {more} more in the report: --html FILE", style=QUIET)


def _finding(alike: Sequence[Finding], *, show_examples: bool) -> Text:
    """What was seen, in how many rows, where, and examples from the first place."""
    found = alike[0]
    rows = "" if found.share is None else f" in {figures.share(found.share)} of rows"
    seen = ", ".join(example(value, show=show_examples) for value in found.examples[:3])
    said = one_line(found.what) or human(found.kind)
    where = ", ".join(shortened(one.where, 40) for one in alike[:PLACES])
    more = f" and {len(alike) - PLACES} more" if len(alike) > PLACES else ""
    return Text(f"{where}{more}: {said}{rows}{'  ' + seen if seen else ''}")


def _foot(audit: Audit, html: str | None, width: int) -> Iterator[Text | Padding]:
    """Where more is, and the commands that pay the tax; a shell takes them with their line breaks."""
    yield Text()
    yield _indented(Text(" · ".join([*([visible(html)] if html else []), "excise audit --history"]), style=QUIET))
    pay = [Text(command, style=ACT) for command in tax_return.commands(audit)]
    if pay:
        label = "to pay: "
        lines = packed(pay, width - INDENT - len(label), " && ", " &&")
        for index, line in enumerate(lines.split("\n")):
            yield _indented(Text(label if index == 0 else " " * len(label)).append_text(line))


def _indented(text: Text, columns: int = INDENT) -> Padding:
    return Padding(text, (0, 0, 0, columns), expand=False)
