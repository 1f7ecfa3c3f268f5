"""S* from the screening half: one remedy per culprit, nothing that is noise, nothing that loses skill."""

import numpy as np
import pytest

from excise.core.tax import PRODUCTION, Culprit, Remedy
from excise.tax import Admission, choose

LEAN = Remedy(name="onnx", culprit=Culprit.MODEL_BLOAT)
INT8 = Remedy(name="int8", culprit=Culprit.MODEL_BLOAT)
CAST = Remedy(name="cast", culprit=Culprit.FAT_FEATURES)
NEWEST = Remedy(name="newest", culprit=Culprit.DEPENDENCY_ROT)
FINE = Admission(admissible=True, why="every output agrees")
LOST = Admission(admissible=False, why="skill -2.1 % (at worst -2.6), allowed -0.5")


def fine(*remedies):
    return {remedy.name: FINE for remedy in remedies}


def by_name(choice):
    return {trial.remedy: trial for trial in choice.tried}


def test_the_best_admissible_remedy_of_each_culprit_is_taken_greatest_first(machine):
    screen = machine().run({PRODUCTION: 10.0, "onnx": 6.0, "int8": 4.0, "cast": 8.5, "newest": 12.0})
    remedies = (CAST, LEAN, INT8, NEWEST)
    found = choose(screen, remedies, admissible=fine(*remedies))
    assert found.latency == ("int8", "cast")
    assert found.money == ()
    trials = by_name(found)
    assert trials["newest"].reason == "slower"
    assert trials["newest"].effect_ms.high < 0
    assert trials["onnx"].reason == "int8 removes the same line and saves more"
    assert [trial.remedy for trial in found.tried] == ["cast", "onnx", "int8", "newest"]


def test_a_remedy_that_loses_skill_leaves_its_line_to_the_next(machine):
    screen = machine().run({PRODUCTION: 10.0, "onnx": 6.0, "int8": 4.0})
    found = choose(screen, (LEAN, INT8), admissible=fine(LEAN) | {"int8": LOST})
    assert found.latency == ("onnx",)
    assert by_name(found)["int8"].reason == LOST.why
    assert by_name(found)["int8"].admissible is False


def test_a_remedy_whose_outputs_were_never_compared_is_not_taken(machine):
    found = choose(machine().run({PRODUCTION: 10.0, "onnx": 6.0}), (LEAN,), admissible={})
    assert (found.latency, found.tried[0].admissible) == ((), None)


def test_no_difference_is_said_to_be_none(machine):
    reasons = [
        choose(machine().run({PRODUCTION: 10.0, "newest": 10.0}, seed=seed), (NEWEST,), admissible=fine(NEWEST))
        for seed in range(100)
    ]
    taken = np.mean([bool(found.latency) for found in reasons])
    assert 0.02 < taken < 0.3
    assert "no difference that could be told" in {found.tried[0].reason for found in reasons}


def test_a_faster_variant_that_burns_two_cores_is_taken_for_latency_only(machine, occupancy):
    threads = Remedy(name="threads2", culprit=Culprit.MODEL_BLOAT)
    screen = machine().run({PRODUCTION: 10.0, "threads2": 6.0}, cpu_ms={PRODUCTION: 10.0, "threads2": 12.0})
    found = choose(screen, (threads,), admissible=fine(threads), cost=occupancy(cores=1.0, slots=1.0))
    assert (found.latency, found.money) == (("threads2",), ())
    assert found.tried[0].reason.startswith("for latency only: saves ")


def test_a_remedy_that_runs_only_with_another_is_judged_by_what_it_adds(machine):
    screen = machine().run({PRODUCTION: 10.0, "cast": 8.0, "cast & onnx": 5.0}, failed={"onnx": "takes numbers only"})
    found = choose(screen, (LEAN, CAST), admissible=fine(LEAN, CAST))
    assert set(found.latency) == {"onnx", "cast"}
    trial = by_name(found)["onnx"]
    scale = by_name(found)["cast"].effect_ms.value / 2
    assert trial.effect_ms.value == pytest.approx(3 * scale, rel=0.35)


def test_what_adds_nothing_to_the_remedy_it_needs_stays_out(machine):
    screen = machine().run({PRODUCTION: 10.0, "cast": 6.0, "cast & onnx": 8.0})
    found = choose(screen, (LEAN, CAST), admissible=fine(LEAN, CAST))
    assert found.latency == ("cast",)
    assert by_name(found)["onnx"].reason == "slower"


def test_what_needs_an_inadmissible_remedy_stays_out(machine):
    screen = machine().run({PRODUCTION: 10.0, "cast": 8.0, "cast & onnx": 5.0})
    found = choose(screen, (LEAN, CAST), admissible=fine(LEAN) | {"cast": LOST})
    assert found.latency == ()
    assert by_name(found)["onnx"].reason == "it runs only with remedies that are not taken"


def test_a_cell_that_did_not_run_says_why(machine):
    found = choose(machine().run({PRODUCTION: 10.0}, failed={"onnx": "died by signal 11"}), (LEAN,), admissible={})
    assert (found.tried[0].effect_ms, found.tried[0].reason) == (None, "died by signal 11")


def test_a_remedy_that_ran_in_a_few_rounds_only_is_judged_by_those(machine):
    screen = machine().run({PRODUCTION: 10.0, "onnx": 5.0, "cast": 8.0})
    screen.cells["onnx"].wall_ms[3:] = np.nan
    found = choose(screen, (LEAN, CAST), admissible=fine(LEAN, CAST))
    trials = by_name(found)
    assert (trials["onnx"].effect_ms.n, trials["cast"].effect_ms.n) == (3, 8)
    assert set(found.latency) == {"onnx", "cast"}


@pytest.mark.parametrize(("saved", "taken"), [(0.3, False), (3.0, True)])
def test_one_round_convinces_only_beyond_what_processes_differ_by(machine, saved, taken):
    quiet = machine(rounds=1, process=0.0, block=0.0, disturbed=0.0)
    found = choose(quiet.run({PRODUCTION: 10.0, "onnx": 10.0 - saved}), (LEAN,), admissible=fine(LEAN))
    assert bool(found.latency) is taken


def test_cells_that_are_no_remedies_are_ignored(machine):
    screen = machine().run({PRODUCTION: 10.0, "onnx": 6.0, "baseline": 3.0, "reference": 2.0})
    assert choose(screen, (LEAN,), admissible=fine(LEAN)).latency == ("onnx",)
