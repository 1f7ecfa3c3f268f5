"""Choice on one half, estimate on the other: no winner's curse."""

import numpy as np
import pytest

from excise.core.tax import PRODUCTION, Culprit, Remedy, cell_name
from excise.tax import Admission, assess, choose, subsets

FINE = Admission(admissible=True, why="every output agrees")
REMEDIES = tuple(Remedy(name=f"{culprit}{k}", culprit=culprit) for culprit in Culprit for k in range(3))


def audit(machine, saved, seed):
    """Screen every remedy alone, then run the chosen ones' subsets in fresh processes; savings multiply."""

    def wall_ms(sets):
        return {cell_name(s): 10.0 * float(np.prod([1 - saved.get(name, 0.0) for name in s])) for s in sets}

    singles = [frozenset(), *(frozenset({remedy.name}) for remedy in REMEDIES)]
    screen = machine(rounds=4).run(wall_ms(singles), seed=2 * seed)
    admissible = {remedy.name: FINE for remedy in REMEDIES}
    choice = choose(screen, REMEDIES, admissible=admissible)
    named = {remedy.name: remedy for remedy in REMEDIES}
    estimate = machine(rounds=6).run(wall_ms(subsets(choice.latency)), seed=2 * seed + 1)
    best = max(trial.effect_ms.value for trial in choice.tried) / 10.0
    return assess(estimate, [named[name] for name in choice.latency]), best


def test_twelve_remedies_that_do_nothing_leave_a_rate_that_covers_zero(machine):
    runs = [audit(machine, {}, seed) for seed in range(100)]
    rates = [found.rate.rate for found, _ in runs]
    assert np.mean([rate.covers(0.0) for rate in rates]) >= 0.95
    assert abs(np.mean([rate.value for rate in rates])) < 0.005
    assert np.mean([best for _, best in runs]) > 0.02  # what the screening half alone would have claimed


def test_a_planted_saving_is_found_and_not_exaggerated(machine):
    level = 0.3
    saved = {"model_bloat0": level, "model_bloat1": level, "model_bloat2": level}
    rates = [audit(machine, saved, seed)[0].rate for seed in range(60)]
    assert all(any("model_bloat" in name for name in rate.remedies) for rate in rates)
    assert np.mean([rate.rate.covers(level) for rate in rates]) >= 0.95
    assert np.mean([rate.rate.value for rate in rates]) == pytest.approx(level, abs=0.01)


def test_subsets_of_the_choice_start_with_production():
    assert cell_name(subsets(("a", "b"))[0]) == PRODUCTION
