"""A bet on losses seldom alarms while the risk stays, whoever looks when, and finds a risk that rose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from excise.stats.risk import log_risk_e_process, risk_bet, risk_bound

ALPHA = 0.05


def zero_one(rng, rows, mean=0.15):
    return (rng.random(rows) < mean).astype(float)


def brier(rng, rows):
    chance = rng.beta(0.8, 3, rows)
    return ((rng.random(rows) < chance) - chance) ** 2


def seasonal(rng, rows):
    """A risk that swings about its mean and never leaves it for good, in the running mean."""
    swing = 0.1 * np.cos(np.arange(rows) * 2 * np.pi / 200)
    return (rng.random(rows) < 0.15 - swing).astype(float)


def most_allowed(runs, chance):
    return stats.binom.ppf(0.999, runs, chance)


@pytest.mark.parametrize("losses", [zero_one, brier, seasonal])
@pytest.mark.parametrize("reference_rows", [400, 2000])
def test_false_alarms_stay_below_five_percent_with_a_look_after_every_row(losses, reference_rows):
    rng, runs = np.random.default_rng(reference_rows), 400
    baseline = zero_one if losses is seasonal else losses
    alarms = sum(risk_bet(baseline(rng, reference_rows), losses(rng, 5000)).passed is not None for _ in range(runs))
    assert alarms <= most_allowed(runs, ALPHA)


def test_against_a_known_risk_the_bet_alone_keeps_its_own_share():
    rng, runs = np.random.default_rng(1), 600
    crossed = sum(log_risk_e_process(zero_one(rng, 5000), 0.15).max() >= np.log(20) for _ in range(runs))
    assert 0 < crossed <= most_allowed(runs, ALPHA)


def test_an_error_rate_that_rises_from_15_to_22_percent_is_found_within_10000_rows():
    rng, runs = np.random.default_rng(2), 200
    passed = [risk_bet(zero_one(rng, 2000), zero_one(rng, 10_000, 0.22)).passed for _ in range(runs)]
    assert np.mean([row is not None for row in passed]) >= 0.95
    assert np.median([row for row in passed if row is not None]) < 2500


@pytest.mark.parametrize("losses", [zero_one, brier])
@pytest.mark.parametrize("rows", [60, 1000])
def test_a_risk_lies_above_its_bound_no_more_often_than_stated(losses, rows):
    rng, runs = np.random.default_rng(rows), 1000
    truth = losses(rng, 2_000_000).mean()
    missed = sum(risk_bound(losses(rng, rows), 0.025) < truth for _ in range(runs))
    assert missed <= most_allowed(runs, 0.025)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_evidence_falls_with_the_bound_and_is_positive(losses, bound):
    lower, higher = log_risk_e_process(losses, bound), log_risk_e_process(losses, min(1.0, bound * 1.1))
    assert np.isfinite(lower).all()
    assert (higher <= lower + 1e-12).all()


@given(st.lists(st.integers(0, 1), min_size=1, max_size=12), st.floats(0.05, 0.95))
def test_no_bet_pays_on_average_at_the_bound(prefix, bound):
    won, lost = (np.exp(log_risk_e_process([*prefix, last], bound)[-1]) for last in (1, 0))
    before = np.exp(log_risk_e_process(prefix, bound)[-1])
    assert bound * won + (1 - bound) * lost == pytest.approx(before)


def test_a_baseline_without_rows_or_losses_beyond_one_are_told_apart():
    assert risk_bet([], [1.0] * 50).passed is None
    assert risk_bet([0.0] * 10, []).e_value == 1.0
    with pytest.raises(ValueError, match="outside"):
        risk_bet([0.1], [1.5])
