"""What a tax return says, in words and figures, before anyone draws it: one wording for every form of report."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from excise.core.audit import Audit, Finding, Meter, Standing
from excise.core.estimate import Estimate
from excise.core.harm import Basis, Harm
from excise.core.tax import Line, Trade, Trial
from excise.core.verdict import Outcome
from excise.report import figures
from excise.report.figures import Figure, MoneyScale
from excise.report.wording import counted, day, digest_start, human, machine, one_line, shortened

SERVICE, ENDPOINT = "service", "endpoint"
"""Kinds of subjects that are told of in words of their own."""
NAME_WIDTH = 48
FEATURES, FEATURE_WIDTH = 3, 20
"""That are named behind a loss of skill, and how long their names are at most."""
FROM_OUTSIDE = "an endpoint cannot be run again here, so it has no tax rate"
SMALLEST_SHARE = 0.002
"""Of a call: less is not worth a reader's time."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What the reader is told first.

    Attributes:
        words: ``Tax rate``, ``No avoidable cost found``, ``Undecided``, ``Not measured``.
        explain: one line under it, empty where the figures say all.
        rated: whether the rate may be printed.
        act: whether something must be done about it.
    """

    words: str
    explain: str
    rated: bool
    act: bool


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One ledger: ``≥ 71 %``, ``± 2``, ``latency``, ``9.4 → 2.7 ms`` and what that is counted per."""

    name: str
    rate: str
    doubt: str
    change: str
    per: str


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line of the return, its numbers still to be aligned."""

    name: str
    ms: Figure
    money: Figure
    alone: Figure
    last: Figure
    seen: str
    command: str


@dataclass(frozen=True, slots=True)
class Note:
    """A labelled fact; ``act`` where something must be done about it."""

    label: str
    text: str
    act: bool = False


def heading(audit: Audit) -> Heading:
    """The verdict in words: a rate, none found, undecided or not measured."""
    why = one_line(audit.why)
    if audit.outcome is Outcome.UNDECIDED:
        return Heading("Undecided", why or "the machine moves more than the effect", rated=False, act=True)
    unrated = audit.tax_rate is None and audit.tax_rate_cost is None and audit.model.kind != ENDPOINT
    if audit.outcome is Outcome.NOT_MEASURED or unrated:
        return Heading("Not measured", why or "no rate could be measured", rated=False, act=True)
    failed = audit.outcome is Outcome.FAIL
    if audit.model.kind == ENDPOINT:
        return Heading("Measured from outside", why if failed else FROM_OUTSIDE, rated=False, act=failed)
    if not audit.attainable.remedies:
        return Heading("No avoidable cost found", why if failed else resolution(audit), rated=False, act=failed)
    return Heading("Tax rate", why if failed else _caution(audit), rated=True, act=failed)


def resolution(audit: Audit) -> str:
    """How small a saving this run could have seen, where no remedy saved anything."""
    tried = f"{counted(len(audit.tried), 'remedy', 'remedies')} tried, none saves more than this run can tell"
    widths = [known.half_width for known in (audit.tax_rate, audit.twin) if known is not None]
    resolved = next((width for width in widths if 0 < width < math.inf), None)
    return tried if resolved is None else f"{tried}: ± {figures.plain(100 * resolved, 1)} % of latency"


def ledgers(audit: Audit) -> list[LedgerRow]:
    """One row per ledger that was measured; the rate is empty where the heading does not give one."""
    rated = heading(audit).rated
    scale = scale_of(audit)
    today, then = audit.current, audit.attainable if rated else Standing()
    ms, ms_then = figures.before_after(today.latency_ms, then.latency_ms)
    usd, usd_then = figures.before_after(today.cost_per_1000, then.cost_per_1000, scale=scale.factor)
    latency = _change(ms, ms_then, " ms")
    money = _change(figures.with_dollar(usd), figures.with_dollar(usd_then), "")
    rows = [
        _ledger("latency", audit.tax_rate if rated else None, latency, per_call(audit)),
        _ledger("money", audit.tax_rate_cost if rated else None, money, f"per {scale.per}"),
    ]
    return [row for row in rows if row.rate or row.change]


def scale_of(audit: Audit) -> MoneyScale:
    """One money scale for the whole report, by what production costs."""
    return figures.money_scale(audit.current.cost_per_1000)


def per_call(audit: Audit) -> str:
    """What a latency is counted per."""
    return "per call" if audit.workload.batch == 1 else f"per call of {audit.workload.batch:,} rows"


def line_rows(audit: Audit) -> list[LineRow]:
    """The lines, the largest first; negative ones and those without a number last."""
    scale = scale_of(audit)
    return [_line_row(line, scale) for line in sorted_lines(audit)]


def sorted_lines(audit: Audit) -> list[Line]:
    """The lines in the order in which every form of report shows them."""
    return sorted(audit.lines, key=_largest_first)


def line_name(line: Line) -> str:
    """``model bloat`` of ``model_bloat``."""
    return human(line.culprit)


def together(audit: Audit) -> LineRow | None:
    """The lines' sum, which is what separates today from attainable; None where there is nothing to add."""
    ms = [line.latency_ms for line in audit.lines if line.latency_ms is not None]
    money = [line.cost_per_1000 for line in audit.lines if line.cost_per_1000 is not None]
    if len(audit.lines) < 2 or len(ms) < len(audit.lines):  # noqa: PLR2004  one line is its own sum
        return None
    cost = _total(money, scale_of(audit).factor) if len(money) == len(audit.lines) else Figure(figures.NOTHING)
    empty = Figure("")
    return LineRow("together", _total(ms, 1.0), cost, empty, empty, "", "")


def alike(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings that say the same of several columns together, in the order of the first of each."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for found in findings:
        share = "" if found.share is None else figures.share(found.share)
        groups.setdefault((found.kind, found.what, share), []).append(found)
    return list(groups.values())


def not_taken(audit: Audit) -> list[Note]:
    """Remedies that were tried and are not in the rate, with their effect and the reason."""
    return [_trial_note(trial) for trial in audit.tried if not trial.chosen]


def effect(trial: Trial) -> str:
    """``−2.1 ± .3 ms``, as a change of latency: what a remedy saves is taken away."""
    if trial.effect_ms is None:
        return ""
    return f"{figures.number(trial.effect_ms.scaled(-1.0), signed=True)} ms"


def trades(audit: Audit) -> list[Note]:
    """What giving up skill above the floor would save beyond the attainable."""
    scale = scale_of(audit)
    return [Note(one_line(trade.remedy), _trade(trade, scale)) for trade in audit.trades]


def since(audit: Audit) -> str:
    """What an endpoint is held against is its first audit; all else what it was when it was approved."""
    return "since first seen" if audit.model.kind == ENDPOINT else "since approval"


def since_approval(audit: Audit) -> list[Note]:
    """Creep, drift and memory against the approved release or the reference sample."""
    beside = audit.beside
    lost = None if beside.data_drift is None else beside.data_drift.scaled(-1.0)
    notes = [
        Note("latency", figures.percent(beside.computational_creep, signed=True), _rose(beside.computational_creep)),
        Note("skill", f"{figures.number(lost, signed=True)}{_behind(audit.harm)}", _rose(beside.data_drift)),
        Note("memory", _mib(beside.memory_creep), _rose(beside.memory_creep)),
    ]
    return [note for note in notes if figures.NOTHING not in note.text]


def _behind(harm: Harm | None) -> str:
    """What a loss of skill rests on, and the features that drifted beside it."""
    if harm is None:
        return ""
    named = [shortened(name, FEATURE_WIDTH) for name in harm.features[:FEATURES]]
    more = len(harm.features) - len(named)
    drifted = f"drift: {', '.join(named)}{f' and {more} more' if more else ''}" if named else ""
    said = [part for part in ("estimated" if harm.how is Basis.ESTIMATE else "", drifted) if part]
    return f" ({'; '.join(said)})" if said else ""


def demand(audit: Audit) -> list[Note]:
    """What stands beside the rate and is no change of the model: inputs, failures, idling."""
    beside = audit.beside
    notes = [
        Note("cost of inputs", figures.percent(beside.workload_shift, signed=True)),
        Note("failed calls", figures.percent(beside.stability_loss), _rose(beside.stability_loss)),
        Note("idle capacity", figures.percent(beside.idle_capacity)),
        Note("answers changed", figures.percent(beside.response_drift), _rose(beside.response_drift)),
    ]
    return [note for note in notes if note.text != figures.NOTHING]


def against(audit: Audit) -> list[Note]:
    """The other model on the same rows: how much slower, and how often it answers otherwise."""
    other = audit.against
    if other is None:
        return []
    p95 = "" if other.p95_ms is None else f" · p95 {_ms(other.p95_ms)}"
    notes = [
        Note(shortened(other.ref, NAME_WIDTH), f"{_ms(other.latency_ms)}{p95}"),
        Note("latency", f"{figures.percent(other.slower, signed=True)} of production's", _rose(other.slower)),
        Note("answers differ", figures.percent(other.disagreement), _rose(other.disagreement)),
        Note("failed calls", f"{figures.percent(other.failures)}, production's {figures.percent(other.own_failures)}"),
    ]
    return [note for note in notes if not note.text.startswith(figures.NOTHING)]


def meters(audit: Audit) -> list[Note]:
    """What an endpoint's answers say of single calls, by the field's names."""
    return [_meter(one) for one in audit.meters]


def standing(now: Standing) -> list[Note]:
    """Everything measured of one variant beside its mean and its cost."""
    notes = [
        Note("p50", _ms(now.p50_ms)),
        Note("p95", _ms(now.p95_ms)),
        Note("p99", _ms(now.p99_ms)),
        Note("CPU", _ms(now.cpu_ms)),
        Note("GPU", _ms(now.gpu_ms)),
        Note("memory", _mib(now.rss_mib, signed=False)),
        Note("load", _ms(now.load_ms)),
        Note("first call", _ms(now.first_call_ms)),
        Note("serialize", _ms(now.serialize_ms)),
        Note("skill", str(figures.number(now.skill))),
    ]
    return [note for note in notes if figures.NOTHING not in note.text]


def stages(audit: Audit) -> list[Note]:
    """Latency of every stage, where there are several."""
    if len(audit.stages) < 2:  # noqa: PLR2004  one stage is the call itself
        return []
    return [Note(stage_name(stage.name), _ms(stage.latency_ms)) for stage in audit.stages]


def routes(audit: Audit) -> list[Note]:
    """A service's routes, where several were asked."""
    if len(audit.routes) < 2:  # noqa: PLR2004  one route is the call itself
        return []
    return [Note(one_line(route.name), _ms(route.latency_ms)) for route in audit.routes]


def spent_on(audit: Audit) -> list[Note]:
    """What a service's call is spent on, by kind of work; a model's or a handler's call is shown by its stages."""
    if audit.model.kind != SERVICE:
        return []
    shown = [line for line in audit.breakdown if line.share >= SMALLEST_SHARE]
    return [Note(human(line.name), f"{figures.plain(line.self_ms)} ms") for line in shown]


def stage_name(name: str) -> str:
    """A stage's name; what no stage declares says so."""
    return "beyond the stages" if name == "undeclared" else one_line(name)


def change(audit: Audit) -> list[str]:
    """This audit against the last one, split into what changed here and what the catalogue learned."""
    if audit.change is None:
        return []
    last = audit.change
    parts = [f"{figures.share(last.before)} → {figures.share(last.after)} since {day(last.since)}"]
    if last.yours is not None:
        parts.append(f"{_points(last.yours)} yours")
    if last.catalogue is not None:
        parts.append(f"{_points(last.catalogue)} the catalogue grew")
    return parts


def twin(audit: Audit) -> str:
    """What the A/A stream showed: production against a second production."""
    if audit.twin is None:
        return ""
    return f"production against itself moved {figures.percent(audit.twin, signed=True)}"


def gaps(audit: Audit) -> list[str]:
    """What was not measured, with its reason: ``p99 (412 samples, 662 needed)``."""
    return [f"{one_line(gap.what)} ({one_line(gap.why)})" for gap in audit.not_measured]


def scope(audit: Audit) -> str:
    """What the rate is a lower bound under: catalogue, remedies tried, budget."""
    tried = f"{len(audit.tried)} of {audit.catalogue_size} remedies tried"
    return f"{tried} · catalogue {one_line(audit.catalogue)} · {figures.duration(audit.run.budget_s)}"


def subject(audit: Audit) -> str:
    """Name and digest of what was audited."""
    name = shortened(audit.model.name or audit.model.ref, NAME_WIDTH)
    return name if audit.model.digest is None else f"{name} ({digest_start(audit.model.digest)})"


def circumstances(audit: Audit) -> str:
    """When, on what and how long: ``22 Nov 2026 · 2 × EPYC 7R32 · 6 process pairs · 48 s``."""
    where = machine(audit.environment.cpu, audit.environment.cores)
    pairs = counted(audit.run.rounds, "process pair")
    return " · ".join((day(audit.run.started), where, pairs, figures.duration(audit.run.seconds)))


def price(audit: Audit) -> list[str]:
    """The price that the money ledger used, and what is doubtful about it."""
    used = audit.price
    if used is None:
        return []
    said = f"{one_line(used.source)}" if used.as_of is None else f"{one_line(used.source)}, {day(used.as_of)}"
    flags = (
        (used.stale, "older than 180 days"),
        (used.priced_elsewhere, "the price of another machine than the one measured"),
        (used.lower_bound, "a lower bound: not every resource was observed"),
    )
    doubts = [words for doubtful, words in flags if doubtful]
    return [f"{one_line(used.sku)} at ${figures.amount(used.dollars_per_hour)} an hour ({said})", *doubts]


def commands(audit: Audit) -> list[str]:
    """The remedies that are commands, each once, in the order of the lines."""
    wanted = (row.command for row in line_rows(audit))
    return list(dict.fromkeys(command for command in wanted if is_command(command)))


def is_command(remedy: str) -> bool:
    """Whether a remedy can be typed as it stands."""
    return remedy.startswith("excise ")


def _ledger(name: str, rate: Estimate | None, change: str, per: str) -> LedgerRow:
    figure = figures.number(rate, scale=100.0)
    if rate is None or figure.value == figures.NOTHING:
        return LedgerRow(name, "", "", change, per)
    if math.isinf(rate.half_width):  # nobody knows a third digit of it
        figure = Figure(figures.plain(100 * rate.value, 2), figure.doubt)
    return LedgerRow(name, f"≥ {figure.value} %", figure.doubt, change, per)


def _change(today: str, then: str, unit: str) -> str:
    if today == figures.NOTHING:
        return ""
    return f"{today}{unit}" if then == figures.NOTHING else f"{today} → {then}{unit}"


def _caution(audit: Audit) -> str:
    rate = audit.tax_rate
    if rate is not None and rate.covers(0.0):
        return "the interval covers zero: the saving may be none"
    return ""


def _line_row(line: Line, scale: MoneyScale) -> LineRow:
    return LineRow(
        name=line_name(line),
        ms=figures.number(line.latency_ms),
        money=figures.number(line.cost_per_1000, scale=scale.factor),
        alone=figures.number(line.alone_ms),
        last=figures.number(line.last_ms),
        seen=one_line(line.evidence),
        command=one_line(line.remedy),
    )


def _largest_first(line: Line) -> float:
    known = line.latency_ms is not None and math.isfinite(line.latency_ms.value)
    return -line.latency_ms.value if known and line.latency_ms is not None else math.inf


def _total(parts: list[Estimate], factor: float) -> Figure:
    """The sum, to the digits of the coarsest part; its doubt is not the parts' and is not given."""
    total = sum(part.value for part in parts if math.isfinite(part.value))
    widest = max((part.half_width for part in parts), default=0.0)
    whole = Estimate(value=total, low=total - widest, high=total + widest, unit=parts[0].unit if parts else "ms", n=1)
    return Figure(figures.number(whole, scale=factor).value)


def _trial_note(trial: Trial) -> Note:
    said = " · ".join(part for part in (effect(trial), one_line(trial.reason)) if part)
    return Note(one_line(trial.remedy), said)


def _rose(estimate: Estimate | None) -> bool:
    """Whether the interval says that it got worse."""
    return estimate is not None and estimate.low is not None and estimate.low > 0


def _trade(trade: Trade, scale: MoneyScale) -> str:
    saves = [f"{figures.number(trade.latency_ms)} ms"]
    if trade.cost_per_1000 is not None:
        saves.append(f"{figures.dollars(trade.cost_per_1000, scale)} per {scale.per}")
    kept = f"within the floor of {figures.amount(trade.floor)}"
    return f"saves a further {', '.join(saves)} for {one_line(trade.evidence)}, {kept} → {one_line(trade.command)}"


def _points(ratio: float) -> str:
    return f"{figures.whole(100 * ratio, signed=True) if math.isfinite(100 * ratio) else figures.NOTHING} points"


def _meter(meter: Meter) -> Note:
    """``TTFT 12.1 ± .3 ms, p95 20 ms``."""
    base, _, unit = meter.name.rpartition("_")
    p95 = "" if meter.p95 is None else f", p95 {figures.number(meter.p95)}"
    name = base.upper() if unit == "ms" else human(meter.name)
    return Note(name, f"{figures.number(meter.mean)}{' ms' if unit == 'ms' else ''}{p95}")


def _ms(estimate: Estimate | None) -> str:
    return f"{figures.number(estimate)} ms"


def _mib(estimate: Estimate | None, *, signed: bool = True) -> str:
    return f"{figures.number(estimate, signed=signed)} MiB"
