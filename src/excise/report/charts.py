"""Charts as inline SVG, by Altair and vl-convert: no script, no network, colors from the page's own style."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from excise.core.audit import Audit, Distribution, Standing
from excise.core.errors import MissingExtra
from excise.core.estimate import Estimate
from excise.report import figures, tax_return
from excise.report.markup import Markup, escaped
from excise.report.wording import one_line, shortened

WIDTH = 300
"""Pixels of a chart's plane; a page scales the whole."""
STEP = 30
"""Pixels from one row to the next."""
RIDGE = 74
"""Pixels of one distribution."""
INK, QUIET, ACCENT, RULE = "#000001", "#000002", "#000003", "#000004"
"""Placeholders that become the page's colors, so that one picture fits light and dark."""
PAGE_COLORS = {INK: "var(--ink)", QUIET: "var(--quiet)", ACCENT: "var(--accent)", RULE: "var(--rule)"}
NAME_LENGTH = 22
LOG_FROM = 4.0
"""Longest over shortest latency from which a logarithmic axis reads better."""
CHARACTER, GAP = 6.6, 10.0
"""Pixels of a figure's character, and between a bar and its figure."""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the waterfall, in the ledger's unit."""

    row: int
    name: str
    start: float
    end: float
    low: float
    high: float
    tip: float
    label: str
    color: str


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a distribution: from, to, its foot and its top on the common axis."""

    start: float
    end: float
    foot: float
    top: float
    color: str


def waterfall(audit: Audit, ledger: str) -> Markup | None:
    """Today, every line and what is attainable, in one ledger; None where the ledger lacks a number.

    Args:
        audit: what was found.
        ledger: ``latency`` or ``money``.
    Raises:
        MissingExtra: Altair or vl-convert is not installed.
    """
    steps = waterfall_steps(audit, ledger)
    if not steps:
        return None
    chart = _waterfall_chart(steps, _domain(steps))
    return _svg(chart, f"Waterfall of {ledger}: {', '.join(f'{step.name} {step.label}' for step in steps)}")


def distributions(audit: Audit) -> Markup | None:
    """How long calls take, one ridge per variant over one axis; None where nothing was recorded.

    Raises:
        MissingExtra: Altair or vl-convert is not installed.
    """
    hidden = "" if tax_return.heading(audit).rated else "attainable"
    drawable = [one for one in audit.distributions if one.name != hidden and _drawable(one)]
    if not drawable:
        return None
    chart = _ridges(drawable, {"production": audit.current, "attainable": audit.attainable})
    return _svg(chart, "Latency distributions, " + " and ".join(one_line(one.name) for one in drawable))


def waterfall_steps(audit: Audit, ledger: str) -> list[Step]:
    """The rows of the waterfall; empty where today, attainable or a line lacks a finite number."""
    scale = 1.0 if ledger == "latency" else tax_return.scale_of(audit).factor
    today, attainable = _ledger_of(audit.current, ledger), _ledger_of(audit.attainable, ledger)
    rows = tax_return.sorted_lines(audit)
    shares = [line.latency_ms if ledger == "latency" else line.cost_per_1000 for line in rows]
    known = [one.scaled(scale) for one in (today, *shares, attainable) if one is not None and _finite(one, scale)]
    if len(known) != len(rows) + 2 or not rows:
        return []
    names = [shortened(tax_return.line_name(line), NAME_LENGTH) for line in rows]
    middle = _falling(known[0].value, known[1:-1], names)
    return [_total(0, "today", known[0], QUIET), *middle, _total(len(rows) + 1, "attainable", known[-1], INK)]


def _falling(top: float, shares: Sequence[Estimate], names: Sequence[str]) -> list[Step]:
    """Every line hangs from where the one above it ended; the whisker is the doubt about where it ends."""
    steps = []
    for row, (share, name) in enumerate(zip(shares, names, strict=True), start=1):
        end = top - share.value
        low = end if share.high is None or not math.isfinite(share.high) else top - share.high
        high = end if share.low is None or not math.isfinite(share.low) else top - share.low
        color = ACCENT if share.value >= 0 else QUIET
        steps.append(Step(row, name, top, end, low, high, max(top, end, high), str(figures.number(share)), color))
        top = end
    return steps


def _domain(steps: Sequence[Step]) -> list[float]:
    """From zero, or below where something goes there, to where every figure has its room."""
    first = min(0.0, *(min(step.start, step.end, step.low) for step in steps))
    last = max((step.tip - first) / (1 - (GAP + CHARACTER * len(step.label)) / WIDTH) for step in steps)
    return [first, first + (last or 1.0)]


def _total(row: int, name: str, total: Estimate, color: str) -> Step:
    end = total.value
    return Step(row, name, 0.0, end, end, end, max(end, 0.0), str(figures.number(total)), color)


def _ledger_of(standing: Standing, ledger: str) -> Estimate | None:
    return standing.latency_ms if ledger == "latency" else standing.cost_per_1000


def _finite(estimate: Estimate, scale: float) -> bool:
    return math.isfinite(estimate.value * scale)


def _altair() -> Any:
    try:
        import altair as alt  # noqa: PLC0415  half a second that only a page with charts should pay
    except ImportError as missing:
        raise MissingExtra("altair", extra="charts") from missing
    return alt


def _waterfall_chart(steps: Sequence[Step], domain: Sequence[float]) -> Any:
    alt = _altair()
    rows = alt.Chart(alt.Data(values=[asdict(step) for step in steps]))
    y = alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0.42))
    x_axis = alt.Axis(title=None, tickCount=4, domain=False, ticks=False, labelColor=QUIET, gridColor=RULE)
    x = alt.X("start:Q", scale=alt.Scale(domain=domain, nice=False), axis=x_axis)
    color = alt.Color("color:N", scale=None)
    bars = rows.mark_bar().encode(x=x, x2="end:Q", y=y, color=color)
    doubt = rows.mark_rule(color=INK, strokeWidth=1.5).encode(x="low:Q", x2="high:Q", y=y)
    values = rows.mark_text(align="left", dx=7, color=INK, fontSize=11).encode(x="tip:Q", y=y, text="label:N")
    names = rows.mark_text(align="right", dx=-9, color=INK, fontSize=11).encode(x=alt.value(0), y=y, text="name:N")
    return (bars + doubt + values + names).properties(width=WIDTH, height=STEP * len(steps))


def _drawable(one: Distribution) -> bool:
    edges = one.edges_ms
    rising = all(math.isfinite(edge) for edge in edges) and all(a < b for a, b in pairwise(edges))
    shares = all(math.isfinite(share) and share >= 0 for share in one.shares)
    return rising and shares and len(edges) == len(one.shares) + 1 and any(one.shares)


def _ridges(drawable: Sequence[Distribution], standings: dict[str, Standing]) -> Any:
    alt = _altair()
    first, last = min(one.edges_ms[0] for one in drawable), max(one.edges_ms[-1] for one in drawable)
    log = first > 0 and last / first > LOG_FROM
    scale = alt.Scale(type="log" if log else "linear", domain=[first, last], nice=False)
    ticks = _ticks(first, last) if log else alt.Undefined
    axis = alt.Axis(
        title="ms", values=ticks, grid=False, domainColor=RULE, tickColor=RULE, labelColor=QUIET, titleColor=QUIET
    )
    y = alt.Y("foot:Q", axis=None, scale=alt.Scale(domain=[0, len(drawable)], nice=False))
    bins = [asdict(one) for row, ridge in enumerate(drawable) for one in _bins(ridge, len(drawable) - 1 - row, log=log)]
    bars = alt.Chart(alt.Data(values=bins)).mark_rect(stroke=None).encode(
        x=alt.X("start:Q", scale=scale, axis=axis), x2="end:Q", y=y, y2="top:Q", color=alt.Color("color:N", scale=None)
    )  # fmt: skip
    marks = [
        mark for row, ridge in enumerate(drawable) for mark in _percentiles(ridge, standings, len(drawable) - 1 - row)
    ]
    names = [{"foot": len(drawable) - 1 - row + 0.12, "name": _name(ridge)} for row, ridge in enumerate(drawable)]
    layers = [
        bars,
        _names(alt, names, y),
        *_marks(alt, [one for one in marks if first < one["start"] < last], y, scale),
    ]
    return alt.layer(*layers).properties(width=WIDTH, height=RIDGE * len(drawable))


def _bins(ridge: Distribution, foot: int, *, log: bool) -> list[Bin]:
    """Bars whose areas are the shares on the axis in use, the highest of a ridge as high as its lane allows."""
    place = math.log if log else float
    edges = [place(edge) for edge in ridge.edges_ms]
    heights = [share / (b - a) for share, (a, b) in zip(ridge.shares, pairwise(edges), strict=True)]
    highest, lane = max(heights), 0.78
    color = INK if ridge.name == "attainable" else QUIET
    return [
        Bin(start, end, foot, foot + lane * height / highest, color)
        for (start, end), height in zip(pairwise(ridge.edges_ms), heights, strict=True)
        if height > 0
    ]


def _percentiles(ridge: Distribution, standings: dict[str, Standing], foot: int) -> list[dict[str, Any]]:
    """Where p50, p95 and p99 stand; each at its own height, so that the words keep clear of each other."""
    now = standings.get(ridge.name, Standing())
    known = (("p50", now.p50_ms, 0.92), ("p95", now.p95_ms, 0.62), ("p99", now.p99_ms, 0.32))
    return [
        {"start": one.value, "foot": foot, "top": foot + height, "label": f"{name} {figures.number(one).value}"}
        for name, one, height in known
        if one is not None and math.isfinite(one.value)
    ]


def _names(alt: Any, names: list[dict[str, Any]], y: Any) -> Any:
    text = alt.Chart(alt.Data(values=names)).mark_text(align="right", dx=-9, color=INK, fontSize=11)
    return text.encode(x=alt.value(0), y=y, text="name:N")


def _marks(alt: Any, marks: list[dict[str, Any]], y: Any, scale: Any) -> list[Any]:
    if not marks:
        return []
    data = alt.Chart(alt.Data(values=marks))
    x = alt.X("start:Q", scale=scale)
    rules = data.mark_rule(color=INK, strokeWidth=1).encode(x=x, y=y, y2="top:Q")
    words = data.mark_text(align="left", dx=4, dy=3, color=INK, fontSize=11).encode(
        x=x, y=alt.Y("top:Q", axis=None), text="label:N"
    )
    return [rules, words]


def _name(ridge: Distribution) -> str:
    return shortened(ridge.name, NAME_LENGTH)


def _ticks(first: float, last: float) -> list[float]:
    """1, 2 and 5 of every decade between the ends."""
    decades = range(math.floor(math.log10(first)), math.floor(math.log10(last)) + 1)
    return [
        value for decade in decades for value in (10.0**decade * step for step in (1, 2, 5)) if first <= value <= last
    ]


def _svg(chart: Any, said: str) -> Markup:
    """The chart as an SVG element that scales with its column and takes the page's colors."""
    try:
        import vl_convert  # noqa: PLC0415  as above
    except ImportError as missing:
        raise MissingExtra("vl-convert-python", extra="charts") from missing
    plain = chart.configure(background="transparent", aria=False)
    plain = plain.configure_view(stroke=None).configure_axis(labelFontSize=11)
    drawn = vl_convert.vegalite_to_svg(plain.to_dict(), allowed_base_urls=[])
    return Markup(_labelled(_recolored(drawn), said))


def _recolored(svg: str) -> str:
    return re.sub(r'"(#00000[1-4])"', lambda found: f'"{PAGE_COLORS[found[1]]}"', svg)


def _labelled(svg: str, said: str) -> str:
    """The root element with a role and a description, and without the size that would keep it from scaling."""
    head, _, rest = svg.partition(">")
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{escaped(one_line(said))}">{rest}'


def available() -> bool:
    """Whether charts can be drawn here."""
    try:
        _altair()
        import vl_convert  # noqa: F401, PLC0415  only looked for
    except (MissingExtra, ImportError):
        return False
    return True
