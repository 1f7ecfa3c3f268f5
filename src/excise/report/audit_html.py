"""An audit as one self-contained page: no script, no network, everything escaped; and as a cell of a notebook."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template

from excise.core.audit import Audit
from excise.report import charts, tax_return
from excise.report.audit_sections import Section, lines, rate, sections
from excise.report.markup import Markup, escaped, joined, tag
from excise.report.wording import one_line

NO_CHARTS = "Charts need Altair: pip install 'excise[charts]'. Every number that they would draw stands in the tables."


def audit_html(audit: Audit, *, with_charts: bool | None = None, show_examples: bool = False) -> str:
    """The page; it reads without a network, in light and dark, on paper and on a telephone.

    Args:
        audit: what was found.
        with_charts: draw them, or leave them to the tables; None draws where the extra ``charts`` is installed.
        show_examples: show example values as they are; a page gets passed on, so they are masked.
    Raises:
        MissingExtra: charts were asked for and cannot be drawn.
    """
    draw = charts.available() if with_charts is None else with_charts
    found = sections(audit, with_charts=draw, show_examples=show_examples)
    page = Template(resource("page.html"))
    return page.substitute(
        title=escaped(f"Tax return of {one_line(audit.model.name)}"),
        style=resource("page.css"),
        kind="Tax return",
        subject=tag("bdi", tax_return.subject(audit)),
        circumstances=tag("bdi", tax_return.circumstances(audit)),
        sections=joined((_section(section) for section in found), Markup("\n")),
        foot=escaped(_foot(audit, draw=draw)),
    )


def audit_repr_html(audit: Audit) -> str:
    """The verdict and the lines as a fragment for a notebook, with its style inside and nothing outside."""
    found = [rate(audit), lines(audit, with_charts=False)]
    body = joined(_brief(section) for section in found if section is not None)
    head = tag("p", tag("b", "Tax return"), " ", tag("bdi", tax_return.subject(audit)))
    style = tag("style", Markup("@scope{" + resource("page.css").replace(":root", ":scope") + NOTEBOOK + "}"))
    return tag("div", style, head, body, class_="excise-audit")


NOTEBOOK = """
:scope { color: inherit; --ink: currentColor; --paper: transparent; --accent: #d0603a;
  --quiet: color-mix(in srgb, currentColor 62%, transparent);
  --rule: color-mix(in srgb, currentColor 16%, transparent); }
.big { font-size: 2.6rem } .answer { font-size: 1.1rem; margin: 0 0 .6rem } .rates { gap: 1rem 3rem }
.change { color: inherit }
"""
"""A notebook has a theme of its own, whatever the system prefers: its colors are taken."""


def _section(section: Section) -> Markup:
    folded = [
        tag("details", tag("summary", title), tag("div", body, class_="unfolded")) for title, body in section.evidence
    ]
    evidence = tag("div", *folded, class_="evidence") if folded else ""
    return tag("section", tag("h2", section.question), _answer(section), section.body, evidence, id=section.slug)


def _brief(section: Section) -> Markup:
    return joined((_answer(section), section.body))


def _answer(section: Section) -> Markup:
    return tag("div", section.answer, class_="answer")


def _foot(audit: Audit, *, draw: bool) -> str:
    made = (
        f"excise {one_line(audit.run.excise)}, {one_line(audit.run.started)}. excise audit --history shows the trend."
    )
    return made if draw else f"{made} {NO_CHARTS}"


@cache
def resource(name: str) -> str:
    """A page's part that is kept as a file."""
    return files("excise.report").joinpath(name).read_text(encoding="utf-8").strip()
