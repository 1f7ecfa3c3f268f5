"""Drift as one self-contained page: no script, no network, everything escaped."""

from __future__ import annotations

from string import Template

from excise.core.drift import Drift, Drifted, FeatureDrift, Looks
from excise.core.harm import Harm
from excise.features.causes import percent
from excise.report import drift_figures as figures
from excise.report.audit_html import resource
from excise.report.markup import Markup, escaped, joined, tag
from excise.report.page_tables import bar, table
from excise.report.wording import human, masked, one_line


def drift_html(drift: Drift, *, show_examples: bool = False) -> str:
    """The page.

    Args:
        drift: what was found.
        show_examples: show example values and levels as they are; a page gets passed on, so they are masked.
    """
    drifted = [*figures.of_verdict(drift, Drifted.MATERIAL), *figures.of_verdict(drift, Drifted.IMMATERIAL)]
    looks = looked(drift.looks, show=show_examples) if drift.looks else Markup("")
    harm = harmed(drift.harm) if drift.harm else Markup("")
    parts = [
        overview(drift, drifted),
        harm,
        looks,
        *(section(one, show=show_examples) for one in drifted),
        others(drift),
    ]
    return Template(resource("page.html")).substitute(
        title=escaped("Drift of inputs"),
        style=resource("page.css"),
        kind="Drift",
        subject=tag("bdi", one_line(drift.current.source)),
        circumstances=tag("bdi", figures.circumstances(drift)),
        sections=joined((part for part in parts if part), Markup("\n")),
        foot=escaped(f"{figures.terms(drift)}. {one_line(drift.run.started)}."),
    )


def overview(drift: Drift, drifted: list[FeatureDrift]) -> Markup:
    """The answer, and one row per feature that drifted."""
    rows = [
        [
            tag("bdi", one_line(one.name)),
            str(one.verdict),
            figures.effect(one.effect),
            figures.p_value(one.p_adjusted),
            ", ".join(dict.fromkeys(map(figures.cause_name, one.causes))),
        ]
        for one in drifted
    ]
    command = figures.remedy(drift)
    shown = tag("pre", command) if command else ""
    body = table(("feature", "verdict", "effect", "p", "cause"), rows, numbers=(2, 3))
    answer = tag("div", drift.why, class_="answer")
    return tag("section", tag("h2", "Do inputs differ from what was approved?"), answer, body, shown, id="features")


def harmed(harm: Harm) -> Markup:
    """What became of the model's quality."""
    numbers = table(
        ("quality", "then", "now", "change"), [list(row) for row in figures.quality(harm)], numbers=(1, 2, 3)
    )
    assumptions = [[human(one.name), figures.HOLDS[one.holds], one_line(one.evidence)] for one in harm.assumptions]
    said = [figures.basis(harm), *([figures.evidence(harm.bet)] if harm.bet else [])]
    if harm.features:
        said.append(f"features that drifted beside it: {', '.join(map(one_line, harm.features))}")
    return tag(
        "section",
        tag("h2", "Does the model do worse?"),
        tag("div", f"{harm.outcome}: {one_line(harm.why)}", class_="answer"),
        numbers,
        *(tag("p", line, class_="note") for line in said),
        table(("assumption", "", "what was seen"), assumptions),
        id="harm",
    )


def looked(looks: Looks, *, show: bool) -> Markup:
    """What all looks together say."""
    rows = [
        [tag("bdi", one_line(alarm.feature)), tag("bdi", figures.alarm(alarm, show=show)), one_line(alarm.since)]
        for alarm in looks.alarms
    ]
    body = table(("feature", "what there is more of", "since"), rows)
    note = tag("p", figures.bound(looks), class_="note")
    return tag("section", tag("h2", f"What has changed since {one_line(looks.since)}?"), body, note, id="looks")


def section(feature: FeatureDrift, *, show: bool) -> Markup:
    """One feature: its causes, then both distributions side by side."""
    causes = [
        [figures.cause_name(cause), figures.said(cause, show=show), figures.cost(cause.cost_ms)]
        for cause in feature.causes
    ]
    others = "  ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in feature.others.items())
    notes = tag("p", f"{feature.measure} {figures.effect(feature.effect)}  {others}", class_="note")
    return tag(
        "section",
        tag("h2", tag("bdi", one_line(feature.name)), f", {feature.verdict}"),
        table(("cause", "what was seen", "cost"), causes, numbers=(2,)),
        cells(feature, show=show),
        notes if feature.effect else "",
    )


def cells(feature: FeatureDrift, *, show: bool) -> Markup:
    """Both distributions, cell by cell, as bars on one scale."""
    highest = figures.highest(feature)
    hide = feature.kind == "text" and not show
    rows = [
        [
            tag("bdi", masked(cell.name) if hide and cell.name not in {"null", "others"} else one_line(cell.name)),
            percent(cell.reference),
            bar(cell.reference, highest),
            percent(cell.current),
            bar(cell.current, highest),
        ]
        for cell in feature.cells
    ]
    return table(("", "then", "", "now", ""), rows, numbers=(1, 3))


def others(drift: Drift) -> Markup:
    """Features without drift, and what could not be told."""
    clean = ", ".join(one_line(one.name) for one in figures.of_verdict(drift, Drifted.NONE))
    gaps = [[one_line(gap.what), one_line(gap.why)] for gap in drift.not_measured]
    said = tag("p", f"No drift: {clean}.") if clean else Markup("")
    body = joined((said, table(("not measured", "why"), gaps)))
    return tag("section", tag("h2", "What else was looked at?"), body) if clean or gaps else Markup("")
