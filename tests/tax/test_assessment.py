"""The tax return against planted truth, by simulation with fixed seeds."""

from itertools import chain, combinations

import numpy as np
import pytest

from excise.core.tax import PRODUCTION, Culprit, Remedy, cell_name
from excise.stats.shapley import shapley
from excise.tax import assess

ONNX = Remedy(name="onnx", culprit=Culprit.MODEL_BLOAT, seen="200 trees", command="excise optimize")
CAST = Remedy(name="cast", culprit=Culprit.FAT_FEATURES, seen="text with blanks", command="excise profile")
SHADOW = Remedy(name="shadow", culprit=Culprit.SHADOW_PIPELINE, seen="validate()", command="drop it")
THREE = (ONNX, CAST, SHADOW)


def all_subsets(names):
    return [frozenset(c) for c in chain.from_iterable(combinations(names, k) for k in range(len(names) + 1))]


def planted(savings, total=10.0):
    """Additive savings in ms, as cells."""
    return {cell_name(s): total - sum(savings[name] for name in s) for s in all_subsets(savings)}


# Input handling and the shadow switch run inside the process of their model.
SHARED = {cell_name(s): "lean" if "onnx" in s else PRODUCTION for s in all_subsets(("onnx", "cast", "shadow"))}


def covered(machine, players, wall_ms, *, audits=300, **kind):
    """Share of audits whose line, alone, last and rate intervals hold the truth."""
    factor = machine(**{**kind, "rounds": 20_001}).run({PRODUCTION: 1.0}, seed=99).cells[PRODUCTION].wall_ms
    scale = float(np.median(factor.mean(axis=1)))
    names = [player.name for player in players]
    truth = {s: scale * (wall_ms[PRODUCTION] - wall_ms[cell_name(s)]) for s in all_subsets(names)}
    lines = shapley(names, truth)
    rate = 1 - wall_ms[cell_name(names)] / wall_ms[PRODUCTION]
    hits = {"line": [], "alone": [], "last": [], "rate": [], "error": []}
    for seed in range(audits):
        found = assess(machine(**kind).run(wall_ms, seed=seed), players)
        hits["rate"].append(found.rate.rate.covers(rate))
        for line in found.lines:
            group = frozenset(line.remedies)
            hits["line"].append(line.latency_ms.covers(float(lines.share[group])))
            hits["alone"].append(line.alone_ms.covers(float(lines.alone[group])))
            hits["last"].append(line.last_ms.covers(float(lines.last[group])))
            hits["error"].append(abs(line.latency_ms.value - float(lines.share[group])))
    return {name: float(np.mean(values)) for name, values in hits.items()}


@pytest.mark.parametrize(
    "kind",
    [
        {"rounds": 4},
        {"rounds": 5, "shared": SHARED},
        {"rounds": 8, "shared": SHARED},
        {"rounds": 13, "shared": SHARED, "process": 0.04},
        {"rounds": 6, "disturbed": 0.25, "blocks": 3},
    ],
    ids=["K4", "K5 shared", "K8 shared", "K13 shared noisy", "K6 busy"],
)
def test_intervals_cover_the_planted_lines_and_rate(machine, kind):
    wall_ms = planted({"onnx": 4.0, "cast": 1.5, "shadow": 0.0})
    found = covered(machine, THREE, wall_ms, **kind)
    assert min(found["line"], found["alone"], found["last"], found["rate"]) >= 0.95, found


def test_an_interval_is_no_wider_than_it_must_be(machine):
    wall_ms = planted({"onnx": 4.0, "cast": 1.5, "shadow": 0.5})
    runs = [assess(machine(shared=SHARED).run(wall_ms, seed=seed), THREE) for seed in range(60)]
    values = np.array([run.rate.rate.value for run in runs])
    half = np.median([run.rate.rate.half_width for run in runs])
    assert half < 3.5 * values.std()


def test_a_line_that_was_not_planted_stays_within_two_percent_of_production(machine):
    wall_ms = planted({"onnx": 4.0, "cast": 1.5, "shadow": 0.0})
    off = []
    for seed in range(200):
        found = assess(machine(shared=SHARED).run(wall_ms, seed=seed), THREE)
        line = next(line for line in found.lines if line.remedies == ("shadow",))
        off.append(abs(line.latency_ms.value) / found.current_ms.value)
    assert np.mean(np.array(off) <= 0.02) >= 0.95


def test_lines_add_up_exactly(machine, occupancy):
    wall_ms = planted({"onnx": 4.0, "cast": 1.5, "shadow": -0.5})
    for seed in range(20):
        found = assess(machine().run(wall_ms, seed=seed), THREE, cost=occupancy())
        saved = found.current_ms.value - found.attainable_ms.value
        assert sum(line.latency_ms.value for line in found.lines) == pytest.approx(saved, abs=1e-9)
        dollars = found.current_cost.value - found.attainable_cost.value
        assert sum(line.cost_per_1000.value for line in found.lines) == pytest.approx(dollars, abs=1e-12)
        assert found.rate.rate.value == pytest.approx(saved / found.current_ms.value, abs=1e-12)


def test_a_line_may_be_negative(machine):
    found = assess(machine(process=0.002, block=0.002).run(planted({"onnx": 4.0, "cast": -1.0})), (ONNX, CAST))
    worse = next(line for line in found.lines if line.remedies == ("cast",))
    assert worse.latency_ms.high < 0
    assert found.lines[-1] is worse


def test_two_redundant_remedies_share_what_each_saves_and_promise_nothing_as_the_last(machine):
    wall_ms = {PRODUCTION: 100.0, "onnx": 60.0, "cast": 60.0, "cast & onnx": 60.0}
    lines = [
        (line, found.current_ms.value / 100)
        for seed in range(100)
        for found in [assess(machine(rounds=10).run(wall_ms, seed=seed), (ONNX, CAST))]
        for line in found.lines
    ]
    assert np.median([line.latency_ms.value / scale for line, scale in lines]) == pytest.approx(20, abs=0.5)
    assert np.mean([line.latency_ms.covers(20 * scale) for line, scale in lines]) >= 0.95
    assert np.mean([line.last_ms.covers(0.0) for line, _ in lines]) >= 0.95
    assert np.mean([line.alone_ms.low > 30 * scale for line, scale in lines]) >= 0.95


def test_a_remedy_that_cannot_run_alone_keeps_its_line_and_says_so(machine):
    wall_ms = {PRODUCTION: 10.0, "onnx": 6.0, "cast & onnx": 5.0}
    found = assess(machine().run(wall_ms, failed={"cast": "float() of text"}), (ONNX, CAST))
    cast = next(line for line in found.lines if line.remedies == ("cast",))
    assert cast.alone_ms is None
    assert cast.latency_ms.covers(1.0)
    assert [gap.why for gap in found.not_measured if gap.what == "cast"] == ["float() of text"]
    assert next(s for s in found.subsets if s.remedies == ("cast",)).why_not == "float() of text"


def test_what_only_runs_together_is_one_line(machine):
    found = assess(machine().run({PRODUCTION: 10.0, "cast & onnx": 5.0}), (ONNX, CAST))
    assert [line.culprit for line in found.lines] == ["model_bloat+fat_features"]
    assert found.lines[0].remedy == "excise optimize && excise profile"
    assert found.lines[0].last_ms == found.lines[0].latency_ms


def test_where_all_together_cannot_run_the_first_players_are_kept(machine):
    wall_ms = {PRODUCTION: 10.0, "onnx": 6.0, "cast": 5.0}
    found = assess(machine().run(wall_ms, failed={"cast & onnx": "the session refuses it"}), (ONNX, CAST))
    assert found.rate.remedies == ("onnx",)
    assert [line.remedies for line in found.lines] == [("onnx",)]


def test_a_cell_that_died_early_counts_as_missing_and_costs_the_others_nothing(machine):
    experiment = machine().run(planted({"onnx": 4.0, "cast": 1.0}))
    experiment.cells["cast"].wall_ms[1:] = np.nan
    found = assess(experiment, (ONNX, CAST))
    assert found.rate.rate.n == 8
    assert found.not_measured[0].why == "it ran in 1 of 8 rounds"


def test_waiting_is_not_free_and_a_busy_core_is_not_paid_twice(machine, occupancy):
    wall_ms = {PRODUCTION: 45.0, "onnx": 41.0}
    cpu_ms = {PRODUCTION: 5.0, "onnx": 1.0}
    found = assess(machine().run(wall_ms, cpu_ms=cpu_ms), (ONNX,), cost=occupancy(cores=1.0, slots=1.0))
    assert found.current_cost.value == pytest.approx(0.1 / 3600 * found.current_ms.value, rel=1e-9)
    assert found.rate_cost.rate.covers(1 - 41 / 45)
    many = assess(machine().run(wall_ms, cpu_ms=cpu_ms), (ONNX,), cost=occupancy(cores=1.0, slots=64.0))
    assert many.rate_cost.rate.covers(1 - 1 / 5)


def test_money_intervals_cover_also_where_the_scarce_resource_changes(machine, occupancy):
    wall_ms, cpu_ms = {PRODUCTION: 10.0, "onnx": 6.0}, {PRODUCTION: 8.0, "onnx": 6.0}
    price = occupancy(cores=1.0, slots=1.25)
    truth = 1 - 6.0 / 8.0
    hits = [
        assess(machine().run(wall_ms, cpu_ms=cpu_ms, seed=seed), (ONNX,), cost=price).rate_cost.rate.covers(truth)
        for seed in range(300)
    ]
    assert np.mean(hits) >= 0.95


def test_ledgers_with_different_remedies_keep_their_own_lines(machine, occupancy):
    wall_ms = planted({"onnx": 4.0, "cast": 1.0})
    found = assess(machine().run(wall_ms), (ONNX, CAST), money=(CAST,), cost=occupancy())
    by_name = {line.remedies[0]: line for line in found.lines}
    assert by_name["onnx"].cost_per_1000 is None
    dollars = found.current_cost.value - found.attainable_cost.value
    assert by_name["cast"].cost_per_1000.value == pytest.approx(dollars, abs=1e-15)
    assert found.rate_cost.remedies == ("cast",)


def test_nothing_to_take_is_a_rate_of_zero_with_the_doubt_of_two_equal_processes(machine, occupancy):
    rates = [assess(machine().run({PRODUCTION: 10.0}, seed=seed), (), cost=occupancy()) for seed in range(300)]
    assert {found.rate.rate.value for found in rates} == {0.0}
    assert 0.95 <= np.mean([found.rate.rate.covers(0.0) for found in rates]) < 1
    assert 0.95 <= np.mean([found.rate_cost.rate.covers(0.0) for found in rates]) < 1
    assert rates[0].lines == ()


def test_two_rounds_have_values_but_no_intervals(machine):
    found = assess(machine(rounds=2).run(planted({"onnx": 4.0})), (ONNX,))
    assert found.rate.rate.value > 0.2
    assert found.rate.rate.low is None
    assert found.lines[0].latency_ms.high is None


def test_cpu_that_was_never_observed_leaves_the_wall_ledger_whole(machine):
    experiment = machine().run(planted({"onnx": 4.0}))
    for trials in (*experiment.cells.values(), experiment.twin):
        trials.cpu_ms[:] = np.nan
    assert assess(experiment, (ONNX,)).rate.rate.covers(0.4)


def test_no_interval_is_narrower_than_the_instrument(machine):
    """Without any noise between rounds, half a microsecond of either cell is left open, times Student's t."""
    still = machine(process=0.0, block=0.0, rows=0.0, disturbed=0.0, rounds=8)
    found = assess(still.run(planted({"onnx": 4.0})), (ONNX,))
    (line,) = found.lines
    assert line.latency_ms.value == pytest.approx(4.0)
    assert 0.001 < line.latency_ms.half_width < 0.003
    assert found.rate.rate.half_width < 0.001
