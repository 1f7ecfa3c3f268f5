"""The tax return: what an auditor found, as one frozen value."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from excise.api import outside
from excise.api import standing as standings
from excise.api.trades import trades
from excise.core.audit import (
    Audit,
    Beside,
    Distribution,
    EnvironmentFacts,
    Finding,
    Gap,
    ModelFacts,
    Run,
    Standing,
)
from excise.core.estimate import Estimate
from excise.core.harm import Harm
from excise.core.measurement import Experiment
from excise.core.tax import PRODUCTION, Culprit, Line, Trial, cell_name
from excise.core.verdict import Outcome, Verdict
from excise.core.workload import Workload
from excise.frontier.catalogue import CATALOGUE
from excise.stats.proportions import proportion
from excise.tax import Admission, Assessment, assess, relative, twin_check

if TYPE_CHECKING:
    from excise.api.auditor import Auditor

REFERENCE, BASELINE = "reference inputs", "baseline release"
"""Cells beside the rate."""
NO_TRACE = "no arrival trace was given"


def tax_return(auditor: Auditor) -> Audit:
    """Everything that was found, assessed."""
    found = auditor.found
    experiment = auditor.measured
    twin, quiet = twin_check(experiment)
    players, money = (
        [auditor.candidates[name].remedy for name in found.kept.get(of, ())] for of in ("latency", "money")
    )
    assessed = assess(experiment, players, cost=auditor.pricing.cost, money=money)
    measured = quiet.outcome is Outcome.PASS
    traded = trades(auditor) if measured else ()
    inside = found.breakdown
    current, beside = _current(auditor, experiment, assessed), _beside(auditor, experiment)
    remote = auditor.subject.kind == "endpoint"
    other = outside.against(auditor, experiment)
    since: list[Gap] = []
    if remote:
        current = outside.seen(current, outside.token_cost(experiment.cells[PRODUCTION], auditor.token_prices))
        beside, since = outside.since_first(auditor, beside, current.latency_ms)
    return Audit(
        run=_run(auditor, experiment),
        outcome=quiet.outcome,
        why=quiet.why,
        model=_model(auditor),
        workload=_workload(auditor),
        environment=_environment(auditor),
        price=auditor.pricing.facts,
        metric=_metric(auditor),
        current=current,
        attainable=Standing() if remote else _attainable(auditor, experiment, assessed),
        tax_rate=assessed.rate.rate if measured and assessed.rate and not remote else None,
        tax_rate_cost=assessed.rate_cost.rate if measured and assessed.rate_cost else None,
        lines=tuple(_with_evidence(auditor, line) for line in assessed.lines) if measured else (),
        trades=traded,
        tried=_tried(auditor),
        catalogue=CATALOGUE.version,
        catalogue_size=CATALOGUE.size,
        subsets=assessed.subsets,
        beside=beside,
        stages=standings.stages(experiment.cells[PRODUCTION], experiment.cells.get(cell_name(["drop_shadow"]))),
        breakdown=inside.lines if inside else (),
        hotspots=inside.hotspots if inside else (),
        distributions=_distributions(auditor, experiment),
        findings=(*auditor.samples.findings, *_failures(experiment), *_undeclared(auditor)),
        not_measured=(*_gaps(auditor, experiment, assessed, quiet), *since),
        twin=None if twin is None else less_one(twin),
        against=other,
        harm=found.harm,
        meters=outside.meters(experiment.cells[PRODUCTION]),
        routes=inside.routes if inside else (),
        settings=dict(auditor.settings.shown()),
    )


def less_one(ratio: Estimate) -> Estimate:
    """A ratio to production as the difference from it."""
    ends = [None if end is None else end - 1 for end in (ratio.low, ratio.high)]
    return msgspec.structs.replace(ratio, value=ratio.value - 1, low=ends[0], high=ends[1])


def _run(auditor: Auditor, experiment: Experiment) -> Run:
    screen = auditor.found.screen
    seconds = auditor.clock.monotonic() - auditor.begun
    return Run(
        started=auditor.started.isoformat(timespec="seconds"),
        seconds=seconds - auditor.found.prepare_s,
        prepare_seconds=auditor.found.prepare_s,
        budget_s=auditor.settings.budget_s,
        engine=auditor.settings.engine,
        rounds=experiment.rounds,
        screen_rounds=screen.rounds if screen else 0,
        calls=experiment.calls + (screen.calls if screen else 0),
        disturbed=int(experiment.disturbed.sum()),
        load_average=auditor.load_average,
        seed=auditor.settings.seed,
        trials=None,
        excise=importlib.metadata.version("excise"),
    )


def _model(auditor: Auditor) -> ModelFacts:
    opened = auditor.opened
    return ModelFacts(
        ref=auditor.settings.model,
        origin=opened.origin,
        name=opened.subject.ref.name,
        kind=opened.subject.kind,
        digest=opened.release.release.digest if opened.release else None,
        size_bytes=opened.subject.variant.size_bytes,
    )


def _workload(auditor: Auditor) -> Workload:
    samples, settings = auditor.samples, auditor.settings
    return Workload(
        current=samples.tables["current"].source,
        reference=samples.tables["reference"].source if "reference" in samples.tables else None,
        rows=samples.tables["current"].rows,
        reference_rows=samples.reference_rows,
        input=auditor.kind,
        batch=settings.batch,
        target=auditor.target,
    )


def _environment(auditor: Auditor) -> EnvironmentFacts:
    seen = auditor.environment
    return EnvironmentFacts(
        python=seen.python,
        platform=seen.platform,
        lock_digest=seen.lock_digest,
        packages=len(seen.packages),
        cpu=seen.hardware.cpu,
        cores=seen.hardware.cores,
        memory_mib=seen.hardware.memory_mib,
        gpu=seen.hardware.gpu,
    )


def _admission(auditor: Auditor, remedies: tuple[str, ...]) -> Admission | None:
    return auditor.found.estimated.get(cell_name(remedies))


def _metric(auditor: Auditor) -> str | None:
    own = _admission(auditor, ())
    return own.metric if own else None


def _current(auditor: Auditor, experiment: Experiment, assessed: Assessment) -> Standing:
    own = _admission(auditor, ())
    made = standings.standing(
        experiment.cells[PRODUCTION],
        latency=assessed.current_ms,
        cost=assessed.current_cost,
        skill=own.skill if own else None,
    )
    return msgspec.structs.replace(made, cpu_ms=assessed.current_cpu_ms)


def _attainable(auditor: Auditor, experiment: Experiment, assessed: Assessment) -> Standing:
    remedies = assessed.rate.remedies if assessed.rate else ()
    own = _admission(auditor, remedies)
    variant = next((auditor.candidates[name].variant for name in remedies if auditor.candidates[name].variant), None)
    made = standings.standing(
        experiment.cells[cell_name(remedies)],
        latency=assessed.attainable_ms,
        cost=assessed.attainable_cost,
        skill=own.skill if own else None,
        remedies=remedies,
        variant=variant.name if variant else PRODUCTION,
    )
    return msgspec.structs.replace(made, cpu_ms=assessed.attainable_cpu_ms)


def _with_evidence(auditor: Auditor, line: Line) -> Line:
    """The line with what was seen of it: what was run for skill, which functions a shadow pipeline holds."""
    seen = [line.evidence] if line.evidence else []
    for name in line.remedies:
        admission = auditor.found.admissions.get(name)
        if auditor.candidates[name].remedy.culprit is Culprit.MODEL_BLOAT and admission:
            seen.append(admission.why)
    if Culprit.SHADOW_PIPELINE in line.culprit and (functions := _functions(auditor)):
        seen = [functions]
    return msgspec.structs.replace(line, evidence="; ".join(seen))


def _functions(auditor: Auditor) -> str:
    inside = auditor.found.breakdown
    named = [item for item in inside.undeclared if item.required is None] if inside else []
    return ", ".join(f"{item.name} {item.ms:.2g} ms" for item in named[:3])


def _undeclared(auditor: Auditor) -> Iterator[Finding]:
    """Every function beyond the declared stages, the dear ones first."""
    inside = auditor.found.breakdown
    for item in inside.undeclared if inside else ():
        kept = f"; required: {item.required}" if item.required else ""
        once = ", the same value every time: compute it once" if item.constant else ""
        yield Finding(
            kind="undeclared_work", where=f"{item.name} ({item.where})", what=f"{item.ms:.2g} ms a call{once}{kept}"
        )


def _tried(auditor: Auditor) -> tuple[Trial, ...]:
    """Every remedy once, with what became of it in the end."""
    kept = {name for names in auditor.found.kept.values() for name in names}
    last = {trial.remedy: trial for trial in auditor.found.trials}
    reason = "chosen on the first half, not admissible on the second"
    return tuple(
        msgspec.structs.replace(trial, chosen=False, admissible=False, reason=reason)
        if trial.chosen and trial.remedy not in kept
        else trial
        for trial in last.values()
    )


def _beside(auditor: Auditor, experiment: Experiment) -> Beside:
    cells = experiment.cells
    creep = shift = memory = None
    if BASELINE in cells:
        creep = relative(experiment, PRODUCTION, BASELINE)
        memory = standings.memory_growth(cells[PRODUCTION], cells[BASELINE])
    if REFERENCE in cells:
        today = cell_name(["cast"]) if cell_name(["cast"]) in cells else PRODUCTION
        shift = relative(experiment, today, REFERENCE, same_rows=False)
    return Beside(
        computational_creep=creep,
        workload_shift=shift,
        data_drift=skill_gone(auditor.found.harm),
        stability_loss=failing(experiment),
        memory_creep=memory,
    )


def skill_gone(harm: Harm | None) -> Estimate | None:
    """Skill lost since the reference; None where it applies to no measure, or an estimate of it does not hold."""
    if harm is None or harm.skill is None or any(one.holds is False for one in harm.assumptions):
        return None
    return harm.skill.lost


def failing(experiment: Experiment) -> Estimate:
    """The share of production's calls that failed; where calls are no requests, a single failure ends an audit."""
    failures = experiment.cells[PRODUCTION].failures
    if not failures:
        return proportion(0, max(experiment.calls, 1))
    return proportion(sum(failures.values()), experiment.cells[PRODUCTION].requests)


def _failures(experiment: Experiment) -> Iterator[Finding]:
    """Requests that failed, by reason."""
    own = experiment.cells[PRODUCTION]
    for reason, count in sorted(own.failures.items(), key=lambda one: -one[1]):
        share = count / own.requests
        yield Finding(kind="failed_requests", where=reason, what=f"{count} requests failed", share=share)


def _distributions(auditor: Auditor, experiment: Experiment) -> tuple[Distribution, ...]:
    cells = [(PRODUCTION, experiment.cells[PRODUCTION])]
    best = cell_name(auditor.found.kept.get("latency", ()))
    if best != PRODUCTION and best in experiment.cells:
        cells.append(("attainable", experiment.cells[best]))
    return standings.distributions(cells)


def _gaps(auditor: Auditor, experiment: Experiment, assessed: Assessment, quiet: Verdict) -> Iterator[Gap]:
    yield from auditor.found.gaps
    yield from assessed.not_measured
    yield from standings.percentile_gaps(experiment.cells[PRODUCTION])
    if quiet.outcome is not Outcome.PASS:
        yield Gap(what="tax rate", why=quiet.why)
    if auditor.settings.reference is None and auditor.opened.reference is None:
        yield Gap(what="workload_shift", why="no --reference was given")
    if auditor.settings.baseline is None and auditor.subject.kind != "endpoint":
        yield Gap(what="computational_creep", why="no --baseline release to run beside it")
    if BASELINE in experiment.failed:
        yield Gap(what="computational_creep", why=experiment.failed[BASELINE])
    if auditor.samples.reference_labels is None:
        yield Gap(what="data_drift", why="it needs labels of the reference")
    elif auditor.found.harm is not None and skill_gone(auditor.found.harm) is None:
        yield Gap(what="data_drift", why=auditor.found.harm.why)
    yield Gap(what="tail under load", why=NO_TRACE)
    yield Gap(what="idle_capacity", why=NO_TRACE)
    if auditor.environment.hardware.gpu is None:
        yield Gap(what="gpu_ms", why="no accelerator on this machine")
