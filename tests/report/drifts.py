"""Comparisons as reports get them."""

from __future__ import annotations

from msgspec.structs import replace

from excise.core.audit import Gap
from excise.core.drift import Cause, CauseKind, Cell, Drift, Drifted, DriftRun, FeatureDrift, Looks, Sample, StreamAlarm
from excise.core.estimate import Estimate
from excise.core.harm import Assumption, Basis, Harm, Harmed, QualityChange, RiskBet
from excise.core.verdict import Outcome

CELLS = tuple(
    Cell(name=name, reference=before, current=now)
    for name, before, now in (("< 10", 0.3, 0.1), ("10 to 20", 0.4, 0.3), (">= 20", 0.3, 0.58), ("null", 0.0, 0.02))
)
BLANKS = FeatureDrift(
    name="dep_time",
    kind="int",
    verdict=Drifted.MATERIAL,
    p_value=0.0,
    p_adjusted=0.0,
    effect=Estimate(value=1.0, low=0.976, high=None, unit="ratio", n=13502),
    measure="ks",
    others={},
    causes=(
        Cause(
            cause=CauseKind.BLANKS,
            what="numbers as text with blanks",
            share=1.0,
            example="  517 ",
            cost_ms=Estimate(value=1.6, low=1.5, high=1.7, unit="ms", n=4),
        ),
    ),
    importance=0.31,
    cells=CELLS,
)
MOVED = FeatureDrift(
    name="a_name_that_is_too_long_for_a_column",
    kind="float",
    verdict=Drifted.IMMATERIAL,
    p_value=1e-5,
    p_adjusted=0.00042,
    effect=Estimate(value=0.019, low=0.008, high=None, unit="ratio", n=13502),
    measure="ks",
    others={"psi": 0.012, "jensen_shannon": 0.03, "wasserstein": 0.04},
    causes=(Cause(cause=CauseKind.DISTRIBUTION, what="mean 10, now 10.4 (+0.04 standard deviations)", share=None),),
    cells=CELLS,
)
LEVELS = FeatureDrift(
    name="dest",
    kind="text",
    verdict=Drifted.MATERIAL,
    p_value=0.0,
    p_adjusted=1e-12,
    effect=Estimate(value=0.08, low=0.04, high=None, unit="ratio", n=13502),
    measure="tv",
    others={"psi": 0.1},
    causes=(
        Cause(
            cause=CauseKind.NEW_CATEGORY,
            what="values that the reference does not know",
            share=0.008,
            example="<script>alert(1)</script>",
            cost_ms=Estimate(value=0.01, low=-0.02, high=0.04, unit="ms", n=4),
        ),
    ),
    cells=(Cell(name="Boston", reference=0.9, current=0.8), Cell(name="others", reference=0.1, current=0.2)),
)
SILENT = FeatureDrift(
    name="hour",
    kind="int",
    verdict=Drifted.NONE,
    p_value=0.4,
    p_adjusted=1.0,
    effect=Estimate(value=0.004, low=0.0, high=None, unit="ratio", n=13502),
    measure="ks",
    others={},
    causes=(),
    cells=CELLS,
)


def drift(*features: FeatureDrift, **more: object) -> Drift:
    """A comparison of these features."""
    material = sum(one.verdict is Drifted.MATERIAL for one in features)
    immaterial = sum(one.verdict is Drifted.IMMATERIAL for one in features)
    given = {
        "run": DriftRun(started="2026-11-26T00:33:07+00:00", seconds=0.3, engine="local"),
        "outcome": Outcome.PASS,
        "why": f"{material} of {len(features)} features drifted materially, {immaterial} immaterially",
        "verdict": Drifted.MATERIAL if material else Drifted.NONE,
        "fail_on": None,
        "alpha": 0.05,
        "correction": "holm",
        "floor": 0.01,
        "ordered": False,
        "reference": Sample(source="january.parquet", rows=13502),
        "current": Sample(source="july\x1b[31m.csv", rows=29425),
        "features": features,
    }
    return Drift(**(given | more))


LOOKS = Looks(
    stream="flights.stream",
    at="2026-11-26",
    counted=True,
    looked=26,
    since="2026-11-01",
    false_alarms=0.05,
    looks_per_quarter=90,
    threshold=7200.0,
    evidence=31_000.0,
    alarms=(
        StreamAlarm(
            feature="dest",
            direction="more of '<b>Boston</b>'",
            level="<b>Boston</b>",
            evidence=18_000.0,
            since="2026-11-22",
        ),
        StreamAlarm(
            feature="dep_delay", direction="more values above 21", level=None, evidence=11_000.0, since="2026-11-23"
        ),
    ),
)


def shares(value: float, half: float, rows: int) -> Estimate:
    """A share with its interval."""
    return Estimate(value=value, low=value - half, high=value + half, unit="ratio", n=rows)


HARM = Harm(
    how=Basis.LABELS,
    outcome=Harmed.HARM,
    why="by row 211 the risk had risen: Brier score 0.076 (at most 0.081), now 0.093",
    output="probabilities",
    metric="brier",
    reference_rows=10_000,
    current_rows=10_000,
    skill=QualityChange(then=shares(0.559, 0.02, 10_000), now=shares(0.5, 0.019, 10_000), lost=shares(0.059, 0.027, 1)),
    accuracy=QualityChange(
        then=shares(0.904, 0.006, 10_000), now=shares(0.881, 0.006, 10_000), lost=shares(0.023, 0.009, 1)
    ),
    auc=None,
    bet=RiskBet(
        loss="brier",
        baseline=Estimate(value=0.076, low=None, high=0.081, unit="ratio", n=10_000),
        risk=shares(0.093, 0.004, 10_000),
        e_value=426_153.5,
        most=1.8e8,
        threshold=40.0,
        alpha=0.05,
        passed=211,
    ),
    assumptions=(Assumption(name="independent_rows", holds=None, evidence="rows say nothing of each other"),),
    features=("dep_delay", "<b>dest</b>"),
    cut="10,000 of 28,293 current rows were answered, drawn at random: 10,000 rows and 10 s at most",
)
ESTIMATED = replace(
    HARM,
    how=Basis.ESTIMATE,
    outcome=Harmed.UNCLEAR,
    why="skill 0.559, expected now 0.500, but the estimate does not hold: support",
    bet=None,
    assumptions=(
        Assumption(name="calibration", holds=True, evidence="isotonic, off by 0.019 on the second half, p = 0.43"),
        Assumption(name="support", holds=False, evidence="18 % of the rows have values that the reference lacks"),
        Assumption(name="no_concept_change", holds=None, evidence="cannot be seen without labels"),
    ),
    features=(),
    cut=None,
)

DRIFTS = {
    "drifted": drift(BLANKS, LEVELS, MOVED, SILENT),
    "silent": drift(SILENT),
    "looks": drift(
        SILENT,
        looks=LOOKS,
        why="2 features changed in 26 looks since 2026-11-01; in this sample alone none of 1 features drifted",
    ),
    "quiet looks": drift(
        MOVED,
        looks=replace(LOOKS, counted=False, evidence=412.0, alarms=()),
        why="no alarm in 26 looks since 2026-11-01; in this sample alone 0 of 1 features drifted materially",
    ),
    "gaps": drift(
        MOVED,
        correction="bh",
        ordered=True,
        not_measured=(Gap(what="importance, cost", why="the reference is a profile, which holds no rows"),),
    ),
    "harm": drift(BLANKS, harm=HARM),
    "estimated harm": drift(SILENT, harm=ESTIMATED),
}
