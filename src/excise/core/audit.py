"""The audit: everything that one run of ``excise audit`` found, as one frozen value."""

from __future__ import annotations

from typing import Any

import msgspec

from excise.core.estimate import Estimate
from excise.core.harm import Harm
from excise.core.tax import Line, Subset, Trade, Trial
from excise.core.verdict import Outcome
from excise.core.workload import Workload

SCHEMA = "excise/audit/v1"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """When and how it was measured. Clock times and durations stand only here; comparisons ignore it.

    Attributes:
        started: ISO 8601, UTC.
        seconds: wall time of measuring; ``prepare_seconds`` of exporting and building environments.
        budget_s: what was allowed.
        engine: ``interleaved`` or ``duet``.
        rounds: fresh-process rounds of the estimate; ``screen_rounds`` of the choice.
        calls: timed calls.
        disturbed: rounds that were disturbed.
        load_average: one minute, when it started.
        seed: of rows and orders.
        trials: where the raw trials are, relative to the project; None where they were not kept.
        excise: version.
    """

    started: str
    seconds: float
    prepare_seconds: float
    budget_s: float
    engine: str
    rounds: int
    screen_rounds: int
    calls: int
    disturbed: int
    load_average: float | None
    seed: int
    trials: str | None
    excise: str


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was audited.

    Attributes:
        ref: as the user named it; ``name`` is short.
        kind: the model adapter.
        digest: of a release, None for what is none.
        size_bytes: of its files.
        origin: what a registry's reference led to; None for what was on this machine.
    """

    ref: str
    name: str
    kind: str
    digest: str | None
    size_bytes: int
    origin: str | None = None


class EnvironmentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was audited."""

    python: str
    platform: str
    lock_digest: str | None
    packages: int
    cpu: str
    cores: int
    memory_mib: int
    gpu: str | None


class PriceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The price that the money ledger used.

    Attributes:
        sku, dollars_per_hour, as_of, source: as in the price book; ``as_of`` is ISO 8601 or None.
        cores: what CPU demand is divided by; ``slots``: what wall time is divided by.
        stale: older than 180 days.
        priced_elsewhere: the machine that was measured is not the one that is priced.
        lower_bound: a resource was not observed, so the cost is a lower bound.
    """

    sku: str
    dollars_per_hour: float
    as_of: str | None
    source: str
    cores: float
    slots: float
    stale: bool
    priced_elsewhere: bool
    lower_bound: bool


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What one inference costs: production today, or the attainable variant.

    Attributes:
        latency_ms: mean wall ms per call. p50, p95, p99: of single calls, None under enough samples.
        cpu_ms: mean CPU ms per call, all threads. gpu_ms: device ms, None without a device.
        rss_mib: peak memory of the process. load_ms: from start of loading to ready.
        first_call_ms: of a fresh process. serialize_ms: to write one answer as JSON.
        cost_per_1000: USD per 1000 rows. skill: 1 - loss ÷ loss of the best constant.
    """

    latency_ms: Estimate | None = None
    p50_ms: Estimate | None = None
    p95_ms: Estimate | None = None
    p99_ms: Estimate | None = None
    cpu_ms: Estimate | None = None
    gpu_ms: Estimate | None = None
    rss_mib: Estimate | None = None
    load_ms: Estimate | None = None
    first_call_ms: Estimate | None = None
    serialize_ms: Estimate | None = None
    cost_per_1000: Estimate | None = None
    skill: Estimate | None = None
    remedies: tuple[str, ...] = ()
    variant: str = "production"


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """What stands beside the rate and is never inside it; None where not measured.

    Attributes:
        computational_creep: production ÷ baseline release, both run now, minus 1.
        workload_shift: current inputs ÷ reference inputs in ms, minus 1.
        data_drift: skill lost since the reference sample (reference skill minus current skill): by labels, or estimated
            from calibrated scores where no assumption of that is refuted (``Audit.harm`` says which).
        stability_loss: share of calls that failed.
        idle_capacity: needs an arrival trace.
        memory_creep: production's peak memory minus the baseline release's, both run now, MiB.
        response_drift: share of the same requests that an endpoint answers differently than when it was first audited.
    """

    computational_creep: Estimate | None = None
    workload_shift: Estimate | None = None
    data_drift: Estimate | None = None
    stability_loss: Estimate | None = None
    idle_capacity: Estimate | None = None
    memory_creep: Estimate | None = None
    response_drift: Estimate | None = None


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of a call; ``undeclared`` is what production does beyond the declared stages."""

    name: str
    latency_ms: Estimate


class BreakdownLine(msgspec.Struct, frozen=True, kw_only=True):
    """Where the profiled pass spent its time, by class of work.

    Attributes:
        name: ``op_compute``, ``copies_casts``, ``host_device``, ``indexing``, ``framework``, ``logging_io``; of a
            service ``dependencies``, ``parsing``, ``validation``, ``preprocessing``, ``model``, ``serialization``,
            ``logging``, ``input_output``, ``middleware``, ``own_code``, ``framework``.
        self_ms: per call, profiled. share: of the profiled call.
    """

    name: str
    self_ms: float
    share: float


class Hotspot(msgspec.Struct, frozen=True, kw_only=True, rename={"class_": "class"}):
    """One function or operator of the profiled pass: its own time per call, and its time with all that it calls."""

    name: str
    where: str
    self_ms: float
    total_ms: float | None = None
    calls: float
    class_: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something seen that a person can act upon, by its kind (``blank_padded_numbers``, ``nulls_rose``).

    Attributes:
        kind: machine-readable name.
        where: column, function or package.
        what: one line.
        examples: values seen; masked in whatever leaves the machine.
        share: of the rows, None where that makes no sense.
    """

    kind: str
    where: str
    what: str
    examples: tuple[str, ...] = ()
    share: float | None = None


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was not measured, and why."""

    what: str
    why: str


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """A latency histogram for drawing: bin edges in ms (k + 1) and shares (k)."""

    name: str
    edges_ms: tuple[float, ...]
    shares: tuple[float, ...]


class Meter(msgspec.Struct, frozen=True, kw_only=True):
    """What an endpoint's answers say of single calls.

    Attributes:
        name: ``ttft_ms``, ``tpot_ms``, ``itl_ms``, ``input_tokens``, ``cached_tokens``, ``output_tokens``.
        mean: over rounds. p50, p95, p99: over calls, None under enough of them.
    """

    name: str
    mean: Estimate
    p50: Estimate | None = None
    p95: Estimate | None = None
    p99: Estimate | None = None


class Against(msgspec.Struct, frozen=True, kw_only=True):
    """Another model, asked beside production on the same rows.

    Attributes:
        ref: as it was named.
        latency_ms, p95_ms: its own.
        slower: its latency ÷ production's minus 1, by pairs; negative where it is faster.
        disagreement: share of rows that it answers differently; None where no answers were compared.
        failures, own_failures: shares of its and of production's calls that failed.
    """

    ref: str
    latency_ms: Estimate
    p95_ms: Estimate | None
    slower: Estimate
    disagreement: Estimate | None
    failures: Estimate
    own_failures: Estimate


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """This audit against the last one of the same model, split as DESIGN's history is.

    Attributes:
        since: ISO date of the last audit. before, after: its rate and ours, latency ledger.
        yours: change with the last audit's catalogue. catalogue: change because the catalogue grew.
    """

    since: str
    before: float
    after: float
    yours: float | None
    catalogue: float | None


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """One audit.

    ``outcome`` is pass, undecided (machine too noisy) or not_measured; fail with ``--max-tax``. ``twin`` is a second
    production process against the first, as a difference (0.01: 1 % slower). ``routes`` are a service's, with the
    median latency of the calls that each answered in the survey. ``harm`` is what became of the model's quality; None
    without labels of the reference.
    """

    schema: str = SCHEMA
    run: Run
    outcome: Outcome
    why: str
    model: ModelFacts
    workload: Workload
    environment: EnvironmentFacts
    price: PriceFacts | None
    metric: str | None
    current: Standing
    attainable: Standing
    tax_rate: Estimate | None
    tax_rate_cost: Estimate | None
    lines: tuple[Line, ...]
    trades: tuple[Trade, ...] = ()
    tried: tuple[Trial, ...]
    catalogue: str
    catalogue_size: int
    subsets: tuple[Subset, ...]
    beside: Beside
    stages: tuple[Stage, ...]
    breakdown: tuple[BreakdownLine, ...]
    hotspots: tuple[Hotspot, ...]
    distributions: tuple[Distribution, ...]
    findings: tuple[Finding, ...]
    not_measured: tuple[Gap, ...]
    twin: Estimate | None
    change: Change | None = None
    against: Against | None = None
    harm: Harm | None = None
    meters: tuple[Meter, ...] = ()
    routes: tuple[Stage, ...] = ()
    settings: dict[str, Any] = {}
