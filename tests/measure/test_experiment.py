from dataclasses import replace

import numpy as np
import pytest

from excise.core.errors import CallFailed
from excise.measure.design import Budget, Engine
from excise.measure.experiment import Interrupted, run_experiment
from excise.stats.pairs import block_log_ratio


def budget(seconds=2.0, **options):
    return Budget(seconds=seconds, rows=np.arange(100), least=2, aim=2, **options)


def test_cells_share_rows_and_rounds_and_a_twin_runs_beside_them(design):
    found = run_experiment(design(production=("chain", True), bare=("chain", False)), budget(), seed=1)
    production, bare = found.cells["production"], found.cells["bare"]
    assert production.wall_ms.shape == bare.wall_ms.shape == found.twin.wall_ms.shape
    assert found.rounds == len(found.disturbed) >= 2
    assert set(bare.stage_ms) == {"preprocess", "predict", "postprocess"}
    assert found.calls >= 3 * 8 * found.rounds


@pytest.mark.alone
def test_a_third_of_the_work_left_out_shows_as_a_third(design):
    found = run_experiment(design(production=("chain", True), bare=("chain", False)), budget(2.0), seed=1)
    ratios = block_log_ratio(found.cells["bare"].wall_ms, found.cells["production"].wall_ms)
    assert -0.6 < np.median(ratios) < -0.25  # log(1.0 / 1.5) = -0.41; the machine may be busy


def test_a_candidate_that_fails_is_out_with_its_reason_and_the_rest_goes_on(design):
    found = run_experiment(
        design(production=("double", True), bad=("exits", True), dead=("dies", True)), budget(), seed=1
    )
    assert set(found.cells) == {"production"}
    assert "SystemExit" in found.failed["bad"]
    assert "SIGKILL" in found.failed["dead"]


def test_a_candidate_that_hangs_costs_its_timeout_and_no_more(design):
    found = run_experiment(design(timeout_s=0.3, production=("double", True), slow=("hangs", True)), budget(), seed=1)
    assert "no answer within" in found.failed["slow"]
    assert found.seconds < 15


def test_production_that_fails_ends_the_experiment(design):
    with pytest.raises(CallFailed, match="row"):
        run_experiment(design(production=("exits", True)), budget(), seed=1)


def test_the_same_seed_draws_the_same_rows(design):
    one = run_experiment(design(production=("double", True)), budget(3.0, most=2), seed=5)
    assert one.rounds == 2


def test_progress_is_told_after_every_round(design):
    told = []
    found = run_experiment(
        design(production=("double", True)), budget(0.5), seed=1, progress=lambda *at: told.append(at)
    )
    assert len(told) == found.rounds
    assert all(0 <= done <= total for done, total, _ in told)


def test_a_duet_holds_every_block_against_production_at_the_same_moment(design):
    plan = replace(design(production=("double", True), other=("chain", True)), engine=Engine.DUET)
    found = run_experiment(plan, budget(), seed=1)
    other = found.cells["other"]
    assert other.partner_wall_ms.shape == other.wall_ms.shape
    assert found.twin.partner_wall_ms.shape == found.twin.wall_ms.shape
    assert found.cells["production"].partner_wall_ms is None
    assert np.median(other.wall_ms / other.partner_wall_ms) > 10


def test_an_interrupt_hands_over_what_was_measured(design):
    def stop(done, total, what):
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as interrupted:
        run_experiment(design(production=("double", True)), budget(), seed=1, progress=stop)
    assert interrupted.value.experiment.rounds == 1
