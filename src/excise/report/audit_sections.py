"""The questions that the page of an audit answers, one section each: the answer large, the evidence folded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from excise.core.audit import Audit, BreakdownLine, Finding, Hotspot, Stage
from excise.core.tax import Subset, Trial, cell_name
from excise.report import charts, figures, tax_return
from excise.report.figures import Figure
from excise.report.markup import Markup, joined, tag
from excise.report.page_tables import NOTHING, SHORT, aligned, bar, bars, facts, table, width
from excise.report.tax_return import SERVICE, LedgerRow, LineRow, Note
from excise.report.wording import counted, example, human, minute, one_line, shortened


@dataclass(frozen=True, slots=True)
class Section:
    """One question.

    Attributes:
        slug: its anchor. question: as the reader would ask it. answer: in one short sentence.
        body: what carries the answer. evidence: what was run and seen, by title, folded.
    """

    slug: str
    question: str
    answer: Markup
    body: Markup
    evidence: tuple[tuple[str, Markup], ...] = ()


def sections(audit: Audit, *, with_charts: bool, show_examples: bool) -> list[Section]:
    """Every section that has something to say, in the order in which the questions come up."""
    found = [
        rate(audit),
        lines(audit, with_charts=with_charts),
        remedies(audit),
        trades(audit),
        standing(audit, with_charts=with_charts),
        against(audit),
        meters(audit),
        time_spent(audit),
        changes(audit),
        findings(audit, show_examples=show_examples),
        gaps(audit),
        circumstances(audit),
    ]
    return [section for section in found if section is not None]


def rate(audit: Audit) -> Section:
    """How much is avoidable? The rate of either ledger, or what stands in its place."""
    heading = tax_return.heading(audit)
    ledgers = tax_return.ledgers(audit)
    answer = joined(_rate(row, audit) for row in ledgers) if heading.rated else _verdict(heading.words)
    explained = tag("p", heading.explain, class_="act" if heading.act else "lead") if heading.explain else NOTHING
    plain = NOTHING if heading.rated else tag("ul", *(_ledger_item(row) for row in ledgers), class_="facts")
    scope = tag("p", f"{SCOPE} {tax_return.scope(audit)}.", class_="lead") if heading.rated else NOTHING
    evidence = [("What this number means", _meaning())] if heading.rated else []
    if audit.twin is not None:
        evidence.append(
            ("How far to trust the machine", tag("p", f"In this run {tax_return.twin(audit)}. {TWIN_MEANING}"))
        )
    if not audit.lines:
        evidence.append((TRIED, _trial_table(audit.tried)))
    question = "How much of what this model costs is avoidable?"
    body = joined((explained, plain, scope))
    return Section("rate", question, tag("div", answer, class_="rates"), body, _told(evidence))


MEANING = """\
The tax rate is one minus attainable cost over today's cost: the avoidable cost. It is a lower bound, demonstrated by
running the remedies here, on this machine and this sample; a larger catalogue or a larger budget may find more.
The remedies were chosen on one half of the processes and rows, and the rate was estimated on the other half with fresh
processes, so that choosing does not flatter it."""
TRIED = "Every remedy that was tried"
SCOPE = "The tax rate, or avoidable cost, as a lower bound:"
PROMISES = "Alone: saved by this remedy only. Last: saved when all others were taken. Only these two promise a saving."
TWIN_MEANING = "An honest comparison of a thing with itself covers zero."


def lines(audit: Audit, *, with_charts: bool) -> Section | None:
    """Where does it go? The waterfall and the lines that add up to it."""
    rows = tax_return.line_rows(audit)
    if not rows:
        return None
    total = tax_return.together(audit)
    pictures = _waterfalls(audit) if with_charts else []
    numbers = _line_table(
        [*rows, *([total] if total else [])], tax_return.scale_of(audit).per, summed=total is not None
    )
    evidence = (
        ("Every combination that ran", _subset_table(audit)),
        (TRIED, _trial_table(audit.tried)),
    )
    body = joined((tag("div", *pictures, class_="pictures") if pictures else NOTHING, numbers))
    return Section("lines", "Where does it go?", _largest(rows[0], total), body, _told(evidence))


def remedies(audit: Audit) -> Section | None:
    """What removes it? Every line with its evidence and its command."""
    rows = [row for row in tax_return.line_rows(audit) if row.command or row.seen]
    if not rows:
        return None
    answer = f"{counted(len(rows), 'remedy', 'remedies')}, the largest first."
    body = tag("ol", *(_remedy(row) for row in rows), class_="remedies")
    return Section("remedies", "What removes it?", Markup(answer), body)


def trades(audit: Audit) -> Section | None:
    """What would skill buy? Remedies below the limit of waste and above the floor, apart from the rate."""
    notes = tax_return.trades(audit)
    if not notes:
        return None
    answer = f"{counted(len(notes), 'trade')}, apart from the rate."
    body = _facts(notes)
    return Section("trades", "What would giving up some skill save?", Markup(answer), body)


def standing(audit: Audit, *, with_charts: bool) -> Section | None:
    """What does a caller notice? Percentiles and distributions of production and of what is attainable."""
    numbers = _standing_table(audit)
    if not numbers:
        return None
    chart = charts.distributions(audit) if with_charts else None
    caption = tag("figcaption", f"How long calls take, {tax_return.per_call(audit)}")
    picture = NOTHING if chart is None else tag("figure", caption, chart)
    body = tag("div", picture, numbers, class_="pictures") if picture else numbers
    return Section("caller", "What does a caller notice?", _typical(audit), body)


def against(audit: Audit) -> Section | None:
    """How does it stand against the other one? Both were asked with the same rows, in turns."""
    notes = tax_return.against(audit)
    if not notes:
        return None
    return Section("against", "How does the other one do?", Markup(f"{len(notes)} figures."), _facts(notes))


def meters(audit: Audit) -> Section | None:
    """What do the answers say of single calls? Times to tokens, and tokens."""
    notes = tax_return.meters(audit)
    if not notes:
        return None
    return Section("meters", "What does a call say of itself?", Markup(f"{len(notes)} meters."), _facts(notes))


def _facts(notes: Sequence[Note]) -> Markup:
    """Labelled figures, one below the other."""
    return tag("dl", *(joined((tag("dt", note.label), tag("dd", note.text))) for note in notes), class_="facts")


def time_spent(audit: Audit) -> Section | None:
    """Where is a call's time spent? Stages, classes of work, hotspots."""
    stages = bars("stage", "ms", [_stage_bar(one) for one in audit.stages])
    routes = bars("route", "ms", [_stage_bar(one) for one in audit.routes])
    in_ms = audit.model.kind == SERVICE
    parts = [_work_bar(one, in_ms=in_ms) for one in audit.breakdown if one.self_ms > 0]
    work = bars("work", "ms" if in_ms else "%", parts)
    several = [table for table, many in ((stages, audit.stages), (routes, audit.routes)) if len(many) > 1]
    tables = [tag("div", table) for table in (*several, work) if table]
    spots = _hotspot_table(audit.hotspots)
    if not tables and not spots:
        return None
    note = tag(
        "p", "Work and hotspots come from a profiled pass of their own, never from the timed one.", class_="lead"
    )
    body = joined((tag("div", *tables, class_="pictures"), note if audit.breakdown or spots else NOTHING))
    return Section("time", "Where is a call's time spent?", _most_time(audit), body, _told((("Hotspots", spots),)))


def changes(audit: Audit) -> Section | None:
    """What changed since it was approved?"""
    notes, demand = tax_return.since_approval(audit), tax_return.demand(audit)
    last = tax_return.change(audit)
    if not (notes or demand or last):
        return None
    answer = joined((_note(note) for note in notes), " · ") or Markup("No approved release to compare with.")
    facts = [
        ("beside it", joined((_note(note) for note in demand), " · ")),
        ("since the last audit", joined(last, " · ")),
    ]
    body = tag("dl", *(joined((tag("dt", name), tag("dd", text))) for name, text in facts if text), class_="facts")
    return Section(
        "changes", "What changed since it was approved?", answer, body if any(text for _, text in facts) else NOTHING
    )


def findings(audit: Audit, *, show_examples: bool) -> Section | None:
    """What was seen in the inputs and in the calls? Example values are masked unless asked for."""
    if not audit.findings:
        return None
    rows = [_finding(found, show_examples=show_examples) for found in audit.findings]
    body = table(("where", "what", "rows", "seen" if show_examples else "seen, masked"), rows, numbers=(2,))
    answer = Markup(f"{counted(len(rows), 'finding')}.")
    return Section("findings", "What was seen?", answer, body)


def gaps(audit: Audit) -> Section | None:
    """What was not measured, and why?"""
    if not audit.not_measured:
        return None
    rows = [[tag("bdi", one_line(gap.what)), tag("bdi", one_line(gap.why))] for gap in audit.not_measured]
    answer = Markup(f"{counted(len(rows), 'thing')}, each with its reason.")
    return Section("gaps", "What was not measured?", answer, table(("what", "why"), rows))


def circumstances(audit: Audit) -> Section:
    """How was it measured? The facts of the run, folded."""
    answer = tag("bdi", tax_return.circumstances(audit))
    settings = [(one_line(name), one_line(str(value))) for name, value in audit.settings.items()]
    told = (
        ("The run", facts(_run_facts(audit))),
        ("The model and its inputs", facts(_model_facts(audit))),
        ("The machine", facts(_machine_facts(audit))),
        ("The price", facts(_price_facts(audit))),
        ("The settings", facts(settings)),
    )
    return Section("run", "How was it measured?", answer, NOTHING, _told(told))


def _rate(row: LedgerRow, audit: Audit) -> Markup:
    """One ledger, large: the rate, what it is of, and the bar that it is a part of."""
    ratio = audit.tax_rate if row.name == "latency" else audit.tax_rate_cost
    big = tag("strong", row.rate or figures.NOTHING, class_="big")
    doubt = tag("span", f"{row.doubt} of {row.name}".strip(), class_="doubt")
    change = tag("p", tag("b", row.change), f" {row.per}", class_="change")
    return tag("div", tag("p", big, " ", doubt), _part(0.0 if ratio is None else ratio.value), change, class_="rate")


def _part(ratio: float) -> Markup:
    """The whole cost as a bar, the avoidable part of it in color."""
    return tag(
        "div", tag("span", style=f"width:{width(100 * (1 - ratio) if math.isfinite(ratio) else 100)}"), class_="part"
    )


def _verdict(words: str) -> Markup:
    return tag("strong", words, class_="big words")


def _ledger_item(row: LedgerRow) -> Markup:
    return tag("li", f"{row.name}: ", tag("b", row.change), f" {row.per}")


def _meaning() -> Markup:
    return tag("p", " ".join(MEANING.splitlines()))


def _waterfalls(audit: Audit) -> list[Markup]:
    """A captioned waterfall for each ledger that has all its numbers."""
    captions = {
        "latency": f"Latency, ms {tax_return.per_call(audit)}",
        "money": f"Money, $ per {tax_return.scale_of(audit).per}",
    }
    drawn = [(said, charts.waterfall(audit, ledger)) for ledger, said in captions.items()]
    return [tag("figure", tag("figcaption", said), chart) for said, chart in drawn if chart is not None]


def _largest(first: LineRow, total: LineRow | None) -> Markup:
    whole = "" if total is None else f" of {total.ms.value}"
    return joined((tag("bdi", first.name[:1].upper() + first.name[1:]), f" takes {first.ms.value}{whole} ms."))


def _line_table(rows: Sequence[LineRow], per: str, *, summed: bool) -> Markup:
    columns = [aligned([getattr(row, name) for row in rows]) for name in ("ms", "money", "alone", "last")]
    cells = [[tag("bdi", row.name), *numbers] for row, *numbers in zip(rows, *columns, strict=True)]
    header = ("line", "ms", f"$ per {per}", "alone, ms", "last, ms")
    return joined((table(header, cells, numbers=range(1, 5), summed=summed), tag("p", PROMISES, class_="note")))


def _remedy(row: LineRow) -> Markup:
    saves = [f"{figure} ms {when}" for figure, when in ((row.alone, "alone"), (row.last, "last")) if _known(figure)]
    title = tag("h3", tag("bdi", row.name), tag("small", "saves " + ", ".join(saves)) if saves else NOTHING)
    seen = tag("p", tag("bdi", row.seen)) if row.seen else NOTHING
    if tax_return.is_command(row.command):
        return tag("li", title, seen, tag("pre", tag("code", row.command)))
    return tag("li", title, seen, tag("p", tag("bdi", row.command), class_="act") if row.command else NOTHING)


def _known(figure: Figure) -> bool:
    return figure.value not in {"", figures.NOTHING}


def _subset_table(audit: Audit) -> Markup:
    scale = tax_return.scale_of(audit)
    ms = aligned([figures.number(one.latency_ms) for one in audit.subsets])
    money = aligned([figures.number(one.cost_per_1000, scale=scale.factor) for one in audit.subsets])
    rows = [
        [_cell(one), a, b, tag("bdi", one_line(one.why_not or ""))]
        for one, a, b in zip(audit.subsets, ms, money, strict=True)
    ]
    return table(("remedies taken", "ms", f"$ per {scale.per}", "why not"), rows, numbers=(1, 2))


def _cell(subset: Subset) -> Markup:
    return tag("code", one_line(cell_name(subset.remedies)))


def _trial_table(tried: Sequence[Trial]) -> Markup:
    rows = [
        [
            tag("code", one_line(one.remedy)),
            human(one.culprit),
            tax_return.effect(one),
            _taken(one),
            tag("bdi", one_line(one.reason)),
        ]
        for one in tried
    ]
    return table(("remedy", "line", "effect", "", "reason"), rows, numbers=(2,))


def _taken(trial: Trial) -> str:
    if trial.chosen:
        return "taken"
    return "not admissible" if trial.admissible is False else "not taken"


def _standing_table(audit: Audit) -> Markup:
    then = {note.label: note.text for note in tax_return.standing(audit.attainable)}
    now = tax_return.standing(audit.current)
    rated = tax_return.heading(audit).rated
    rows = [[note.label, note.text, *([then.get(note.label, figures.NOTHING)] if rated else [])] for note in now]
    return table(("", "production", *(["attainable"] if rated else [])), rows, numbers=(1, 2))


def _typical(audit: Audit) -> Markup:
    """The median call in words; the mean where single calls were not kept."""
    now, then = audit.current, audit.attainable
    rated = tax_return.heading(audit).rated
    half = figures.before_after(now.p50_ms, then.p50_ms if rated else None)
    mean = figures.before_after(now.latency_ms, then.latency_ms if rated else None)
    if half[0] != figures.NOTHING:
        return _could(f"Half the calls take {half[0]} ms or less", half[1])
    if mean[0] != figures.NOTHING:
        return _could(f"A call takes {mean[0]} ms", mean[1])
    return Markup("Latency was not measured.")


def _could(today: str, attainable: str) -> Markup:
    return Markup(f"{today}." if attainable == figures.NOTHING else f"{today}; {attainable} ms is attainable.")


def _hotspot_table(spots: Sequence[Hotspot]) -> Markup:
    longest = max((spot.self_ms for spot in spots if math.isfinite(spot.self_ms)), default=0.0)
    rows = [
        [
            joined((tag("code", shortened(spot.name, SHORT)), tag("small", shortened(spot.where, SHORT)))),
            human(spot.class_),
            figures.plain(spot.calls, 2),
            figures.plain(spot.self_ms, 2),
            "" if spot.total_ms is None else figures.plain(spot.total_ms, 2),
            bar(spot.self_ms if math.isfinite(spot.self_ms) else 0.0, longest),
        ]
        for spot in spots
    ]
    return table(("function or operator", "work", "calls", "own ms", "in all", ""), rows, numbers=(2, 3, 4))


def _stage_bar(stage: Stage) -> tuple[str, float, Figure]:
    return tax_return.stage_name(stage.name), stage.latency_ms.value, figures.number(stage.latency_ms)


def _work_bar(line: BreakdownLine, *, in_ms: bool) -> tuple[str, float, Figure]:
    """A class of work; a survey's times are those of unwatched calls, a profile's only their shares."""
    shown = figures.plain(line.self_ms, 3) if in_ms else figures.plain(100 * line.share, 2)
    return human(line.name), line.share, Figure(shown)


def _most_time(audit: Audit) -> Markup:
    """The largest stage in words, else the largest class of work."""
    stages = [stage for stage in audit.stages if math.isfinite(stage.latency_ms.value)]
    if len(stages) > 1:
        most = max(stages, key=lambda stage: stage.latency_ms.value)
        return _mostly(tax_return.stage_name(most.name), f"{figures.number(most.latency_ms)} ms")
    if audit.breakdown:
        work = max(audit.breakdown, key=_share_of)
        return _mostly(human(work.name), figures.share(work.share))
    return Markup(f"{counted(len(audit.hotspots), 'hotspot')}.")


def _mostly(name: str, amount: str) -> Markup:
    return joined(("Most of all in ", tag("bdi", shortened(name, SHORT)), f": {amount}."))


def _share_of(line: BreakdownLine) -> float:
    return line.share if math.isfinite(line.share) else -math.inf


def _note(note: Note) -> Markup:
    return tag("span", f"{note.label} {note.text}", class_="note-item act" if note.act else "note-item")


def _finding(found: Finding, *, show_examples: bool) -> list[str]:
    seen = joined((tag("code", example(value, show=show_examples)) for value in found.examples[:3]), " ")
    what = tag("bdi", one_line(found.what) or human(found.kind))
    return [
        tag("code", shortened(found.where, SHORT)),
        what,
        "" if found.share is None else figures.share(found.share),
        seen,
    ]


def _run_facts(audit: Audit) -> list[tuple[str, str]]:
    run = audit.run
    load = figures.NOTHING if run.load_average is None else figures.amount(run.load_average)
    return [
        ("started", minute(run.started)),
        ("measuring took", f"{figures.duration(run.seconds)} of {figures.duration(run.budget_s)}"),
        ("preparing took", figures.duration(run.prepare_seconds)),
        ("process pairs", f"{run.rounds} to estimate, {run.screen_rounds} to choose, {run.disturbed} disturbed"),
        ("timed calls", f"{run.calls:,}"),
        ("order", f"{one_line(run.engine)}, seed {run.seed}"),
        ("load when it started", load),
        ("raw trials", one_line(run.trials or "not kept")),
        ("catalogue", one_line(audit.catalogue)),
        ("excise", one_line(run.excise)),
    ]


def _model_facts(audit: Audit) -> list[tuple[str, str]]:
    work = audit.workload
    reference = (
        "none" if work.reference is None else f"{one_line(work.reference)}, {counted(work.reference_rows or 0, 'row')}"
    )
    return [
        ("model", f"{one_line(audit.model.ref)}, {one_line(audit.model.kind)}, {figures.size(audit.model.size_bytes)}"),
        ("digest", one_line(audit.model.digest or "not a release")),
        *([("comes from", one_line(audit.model.origin))] if audit.model.origin else []),
        ("current inputs", f"{one_line(work.current)}, {counted(work.rows, 'row')}"),
        ("reference inputs", reference),
        ("a call gets", f"{counted(work.batch, 'row')} as {work.input.value}"),
        ("arrivals", f"{work.scenario.value}, {work.concurrency} in flight"),
        ("labels", one_line(work.target or "none: agreement with production is the floor")),
        ("skill is by", one_line(audit.metric or figures.NOTHING)),
        ("attainable is", one_line(audit.attainable.variant)),
    ]


def _machine_facts(audit: Audit) -> list[tuple[str, str]]:
    where = audit.environment
    return [
        ("processor", f"{where.cores} × {one_line(where.cpu)}"),
        ("memory", f"{where.memory_mib:,} MiB"),
        ("accelerator", one_line(where.gpu or "none")),
        ("Python", f"{one_line(where.python)} on {one_line(where.platform)}, {counted(where.packages, 'package')}"),
        ("environment lock", one_line(where.lock_digest or figures.NOTHING)),
    ]


def _price_facts(audit: Audit) -> list[tuple[str, str]]:
    if audit.price is None:
        return []
    demand = f"{figures.amount(audit.price.cores)} cores, {figures.amount(audit.price.slots)} slots"
    return [("price", ", ".join(tax_return.price(audit))), ("demand is divided by", demand)]


def _told(evidence: Sequence[tuple[str, Markup]]) -> tuple[tuple[str, Markup], ...]:
    return tuple((title, body) for title, body in evidence if body)
