import numpy as np

from excise.core.tax import PRODUCTION
from excise.core.verdict import Outcome
from excise.tax import twin_check


def test_two_equal_processes_agree(machine):
    covered, passed = [], []
    for seed in range(300):
        ratio, verdict = twin_check(machine().run({PRODUCTION: 10.0}, seed=seed))
        covered.append(ratio.covers(1.0))
        passed.append(verdict.outcome is Outcome.PASS)
    assert np.mean(covered) >= 0.95
    assert np.mean(passed) >= 0.99


def test_a_noisy_machine_leaves_it_undecided(machine):
    outcomes = [twin_check(machine(process=0.3, rounds=4).run({PRODUCTION: 10.0}, seed=seed))[1] for seed in range(50)]
    undecided = [verdict for verdict in outcomes if verdict.outcome is Outcome.UNDECIDED]
    assert len(undecided) > 35
    assert undecided[0].why.startswith("machine too noisy: two equal processes differ by ")


def test_without_a_twin_it_was_not_measured(machine):
    ratio, verdict = twin_check(machine().run({PRODUCTION: 10.0}, twin=False))
    assert (ratio, verdict.outcome) == (None, Outcome.NOT_MEASURED)
