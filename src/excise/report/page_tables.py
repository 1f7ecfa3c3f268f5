"""Tables, bars and lists of facts, as HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence

from excise.report import figures
from excise.report.figures import Figure
from excise.report.markup import Markup, joined, tag
from excise.report.wording import shortened

FIGURE_SPACE, POINT_SPACE = "\u2007", "\u2008"
"""Blanks as wide as a digit and as a point: columns line up in any font."""
CHARACTER_EM = 0.62
"""Width of a figure's character in a proportional font."""
NOTHING = Markup("")
SHORT = 60
"""Characters of a name in a table."""


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = (), summed: bool = False
) -> Markup:
    """A table that scrolls sideways where it must; the first cell of a row names it."""
    if not rows:
        return NOTHING
    heads = [tag("th", title, scope="col", class_=_kind(index, numbers)) for index, title in enumerate(header)]
    body = [_row(cells, numbers, summed=summed and cells is rows[-1]) for cells in rows]
    return tag("div", tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *body)), class_="scroll")


def facts(told: Sequence[tuple[str, str]]) -> Markup:
    """Names and what they are, one below the other; nothing where there are none."""
    if not told:
        return NOTHING
    return tag("dl", *(joined((tag("dt", name), tag("dd", tag("bdi", text)))) for name, text in told), class_="facts")


def aligned(column: Sequence[Figure]) -> list[Markup]:
    """Cells whose points and doubts stand under each other: values padded, doubts in boxes of one width."""
    values = figures.aligned((Figure(figure.value) for figure in column), blank=FIGURE_SPACE, no_point=POINT_SPACE)
    longest = max((len(figure.doubt) for figure in column), default=0)
    box = f"width:{longest * CHARACTER_EM + 0.4:.2f}em" if longest else False
    return [
        joined((value, tag("span", figure.doubt, class_="pm", style=box) if box else NOTHING))
        for value, figure in zip(values, column, strict=True)
    ]


def bars(title: str, unit: str, parts: Sequence[tuple[str, float, Figure]]) -> Markup:
    """A table whose rows carry bars, the longest as wide as its cell.

    Args:
        title: of the names.
        unit: of the figures.
        parts: name, length of the bar, and the figure beside it.
    """
    known = [part for part in parts if math.isfinite(part[1])]
    longest = max((length for _, length, _ in known), default=0.0)
    cells = aligned([figure for _, _, figure in known])
    rows = [
        [tag("bdi", shortened(name, SHORT)), cell, bar(length, longest)]
        for (name, length, _), cell in zip(known, cells, strict=True)
    ]
    return table((title, unit, ""), rows, numbers=(1,))


def bar(value: float, longest: float) -> Markup:
    """A bar as wide as its part of the longest."""
    return tag("span", class_="bar", style=f"width:{width(100 * value / longest if longest > 0 else 0)}")


def width(percent: float) -> str:
    """A percentage as CSS wants it, held between none and all."""
    return f"{min(max(percent, 0.0), 100.0):.1f}%"


def _row(cells: Sequence[str], numbers: Sequence[int], *, summed: bool) -> Markup:
    first, *rest = cells
    others = (tag("td", cell, class_=_kind(index, numbers)) for index, cell in enumerate(rest, start=1))
    return tag("tr", tag("th", first, scope="row"), *others, class_="sum" if summed else False)


def _kind(index: int, numbers: Sequence[int]) -> str | bool:
    return "number" if index in numbers else False
