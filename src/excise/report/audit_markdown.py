"""An audit as Markdown for a pull request: the verdict first, one table, details folded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from excise.core.audit import Audit, Finding
from excise.core.tax import cell_name
from excise.core.verdict import Outcome
from excise.report import figures, tax_return
from excise.report.tax_return import LedgerRow, LineRow, Note
from excise.report.wording import counted, example, human, one_line

MARKS = {Outcome.PASS: "", Outcome.FAIL: "❌ ", Outcome.UNDECIDED: "❔ ", Outcome.NOT_MEASURED: "❔ "}
SPECIAL = re.compile(r"([\\`*_\[\]<>|~#&$!])")
MENTION = re.compile(r"(?<!\w)@(?=\w)")
NO_MENTION = "@\u200b"
"""A zero-width space after the sign: nobody is called by a column's name."""


def audit_markdown(audit: Audit, *, show_examples: bool = False) -> str:
    """The whole report as GitHub-flavored Markdown; example values are masked unless asked for.

    Args:
        audit: what was found.
        show_examples: show example values as they are; what leaves the machine should not.
    """
    blocks = [*_verdict(audit), *_lines(audit), *_remedies(audit), *_beside(audit)]
    blocks += _details(audit, show_examples=show_examples)
    return "\n\n".join(block for block in blocks if block) + "\n"


def prose(text: str) -> str:
    """A stranger's text that no Markdown, HTML, mention or formula can break out of."""
    return MENTION.sub(NO_MENTION, SPECIAL.sub(r"\\\1", one_line(text)))


def code(text: str) -> str:
    """Text as a code span, whatever back quotes it holds; fit for a table's cell."""
    line = one_line(text).replace("|", r"\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def _verdict(audit: Audit) -> Iterator[str]:
    heading = tax_return.heading(audit)
    yield f"### {MARKS[audit.outcome]}{prose(_headline(audit))}"
    yield prose(heading.explain)
    yield "\n".join(f"- {_ledger(row)}" for row in tax_return.ledgers(audit))
    if heading.rated:
        yield f"A lower bound: {prose(tax_return.scope(audit))}."


def _headline(audit: Audit) -> str:
    """``flights@1: tax rate ≥ 71 % ± 2 (avoidable cost)``, or what stands in a rate's place."""
    heading = tax_return.heading(audit)
    name = one_line(audit.model.name)
    rates = [row for row in tax_return.ledgers(audit) if row.rate]
    if not heading.rated or not rates:
        return f"{name}: {heading.words.lower()}"
    return f"{name}: tax rate {rates[0].rate} {rates[0].doubt} of {rates[0].name} (avoidable cost)"


def _ledger(row: LedgerRow) -> str:
    rate = f"**{row.rate}** {row.doubt} of {row.name}" if row.rate else row.name
    return f"{rate}: {prose(row.change)} {row.per}".replace("  ", " ")


def _lines(audit: Audit) -> Iterator[str]:
    rows = tax_return.line_rows(audit)
    if not rows:
        return
    total = tax_return.together(audit)
    header = ["line", "ms", f"$ per {tax_return.scale_of(audit).per}", "alone, ms", "last, ms", "what was seen"]
    cells = [_line(row) for row in [*rows, *([total] if total else [])]]
    yield _table(header, cells, numbers=range(1, 5))


def _line(row: LineRow) -> list[str]:
    numbers = [str(figure) for figure in (row.ms, row.money, row.alone, row.last)]
    return [prose(row.name), *numbers, prose(row.seen)]


def _remedies(audit: Audit) -> Iterator[str]:
    rows = [row for row in tax_return.line_rows(audit) if row.command]
    if rows:
        yield "**To pay it**"
        yield "\n".join(f"- {prose(row.name)}: {_remedy(row.command)}" for row in rows)


def _remedy(command: str) -> str:
    return code(command) if tax_return.is_command(command) else prose(command)


def _beside(audit: Audit) -> Iterator[str]:
    facts = [
        ("A trade, apart from the rate", _joined(tax_return.trades(audit))),
        (tax_return.since(audit).capitalize(), _joined(tax_return.since_approval(audit))),
        ("Since the last audit", prose(" · ".join(tax_return.change(audit)))),
        ("Against", _joined(tax_return.against(audit))),
        ("Beside it", _joined(tax_return.demand(audit))),
        ("Per call", _joined(tax_return.meters(audit))),
        ("By route", _joined(tax_return.routes(audit))),
        ("Spent on", _joined(tax_return.spent_on(audit))),
        ("Not measured", prose(" · ".join(tax_return.gaps(audit)))),
    ]
    yield "\n".join(f"- **{label}:** {text}" for label, text in facts if text)


def _joined(notes: Iterable[Note]) -> str:
    return " · ".join(f"{prose(note.label)} {prose(note.text)}" for note in notes)


def _details(audit: Audit, *, show_examples: bool) -> Iterator[str]:
    findings = [_finding(found, show_examples=show_examples) for found in audit.findings]
    yield _folded(counted(len(findings), "finding"), _table(["where", "what", "rows", "seen"], findings))
    tried = [[code(note.label), prose(note.text)] for note in tax_return.not_taken(audit)]
    yield _folded("Remedies tried and not taken", _table(["remedy", "effect and reason"], tried))
    yield _folded("Every combination that ran", _subsets(audit))
    yield _folded("Production and attainable", _standings(audit))
    yield _folded("How it was measured", "\n".join(f"- {prose(fact)}" for fact in _facts(audit)))


def _finding(found: Finding, *, show_examples: bool) -> list[str]:
    seen = ", ".join(code(example(value, show=show_examples)) for value in found.examples[:3])
    rows = "" if found.share is None else figures.share(found.share)
    return [code(found.where), prose(found.what or human(found.kind)), rows, seen]


def _subsets(audit: Audit) -> str:
    scale = tax_return.scale_of(audit)
    cells = [
        [
            code(cell_name(subset.remedies)),
            str(figures.number(subset.latency_ms)),
            str(figures.number(subset.cost_per_1000, scale=scale.factor)),
            prose(subset.why_not or ""),
        ]
        for subset in audit.subsets
    ]
    return _table(["remedies taken", "ms", f"$ per {scale.per}", "why not"], cells, numbers=(1, 2))


def _standings(audit: Audit) -> str:
    then = {note.label: note.text for note in tax_return.standing(audit.attainable)}
    cells = [[note.label, note.text, then.get(note.label, "")] for note in tax_return.standing(audit.current)]
    return _table(["", "production", "attainable"], cells, numbers=(1, 2))


def _facts(audit: Audit) -> list[str]:
    facts = [
        tax_return.subject(audit),
        tax_return.circumstances(audit),
        tax_return.twin(audit),
        *tax_return.price(audit),
    ]
    return [fact for fact in facts if fact]


def _folded(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>" if body else ""


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = ()) -> str:
    """A table, numbers to the right; empty where there are no rows."""
    if not rows:
        return ""
    rule = ["---:" if index in numbers else "---" for index in range(len(header))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))
