import numpy as np
import pytest

from excise.core.errors import NotMeasured
from excise.core.tax import PRODUCTION
from excise.stats.skill import skill
from excise.tax import relative, skill_lost


def test_creep_is_production_over_the_baseline_release(machine):
    found = [
        relative(machine().run({PRODUCTION: 11.8, "baseline": 10.0}, seed=seed), PRODUCTION, "baseline")
        for seed in range(200)
    ]
    assert np.mean([creep.covers(0.18) for creep in found]) >= 0.95
    assert found[0].low > 0.1


def test_shift_compares_rounds_whose_rows_differ(machine):
    hits = []
    for seed in range(200):
        experiment = machine().run({PRODUCTION: 13.0}, seed=seed)
        experiment.cells["reference"] = machine().run({PRODUCTION: 10.0}, seed=seed + 1000).cells[PRODUCTION]
        hits.append(relative(experiment, PRODUCTION, "reference", same_rows=False).covers(0.3))
    assert np.mean(hits) >= 0.95


def test_a_cell_that_did_not_run_says_why(machine):
    experiment = machine().run({PRODUCTION: 10.0}, failed={"baseline": "no such release"})
    with pytest.raises(NotMeasured, match="no such release"):
        relative(experiment, PRODUCTION, "baseline")


def test_lost_skill_is_covered():
    hits = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        then, now = rng.exponential(0.5, 800), rng.exponential(0.7, 500)
        hits.append(skill_lost(skill(then, np.ones(800)), skill(now, np.ones(500))).covers(0.2))
    assert 0.92 <= np.mean(hits) <= 0.98
