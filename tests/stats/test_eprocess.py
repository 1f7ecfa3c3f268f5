"""Anytime-valid: looked at after every value, and still wrong no more often than stated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from excise.stats.confidence import empirical_bernstein
from excise.stats.eprocess import bounded_mean_e_process, sign_flip_e_process, sign_flip_e_value

NOISE = {
    "normal": lambda rng, n: rng.normal(0, 0.02, n),
    "cauchy": lambda rng, n: rng.standard_cauchy(n),
    "changing size": lambda rng, n: rng.normal(0, 1, n) * np.exp(rng.normal(0, 2, n)),
}


@pytest.mark.parametrize("noise", NOISE)
def test_sign_flips_cross_twenty_in_five_percent_at_most(noise):
    rng = np.random.default_rng(1)
    crossed = [sign_flip_e_process(NOISE[noise](rng, 60)).max() >= 20 for _ in range(1500)]
    assert np.mean(crossed) <= 0.05


def test_sign_flips_are_a_fair_bet_on_average():
    rng = np.random.default_rng(2)
    values = [sign_flip_e_value(rng.normal(size=4)) for _ in range(6000)]
    assert np.mean(values) == pytest.approx(1.0, abs=0.1)


def test_sign_flips_see_a_real_difference_soon():
    rng = np.random.default_rng(3)
    rounds = [int(np.argmax(sign_flip_e_process(rng.normal(0.05, 0.02, 40)) >= 20)) + 1 for _ in range(200)]
    assert np.median(rounds) <= 9
    assert min(rounds) >= 6  # five equal signs are 2 / 2**5: never enough for 5 %


@given(st.lists(st.floats(-5, 5).filter(lambda v: abs(v) > 1e-3), max_size=12), st.floats(0.01, 100))
def test_sign_flips_know_neither_unit_nor_direction(values, factor):
    base = sign_flip_e_value(values)
    assert sign_flip_e_value(np.array(values) * factor) == pytest.approx(base, rel=1e-6)
    assert sign_flip_e_value(-np.array(values)) == pytest.approx(base, rel=1e-9)


def test_missing_rounds_and_exact_zeros_bet_nothing():
    assert sign_flip_e_value([np.nan, 0.0, 0.0]) == 1.0


@pytest.mark.parametrize("mean", [0.1, 0.5])
def test_bounded_means_cross_twenty_in_five_percent_at_most(mean):
    rng = np.random.default_rng(4)
    crossed = [bounded_mean_e_process(rng.random(300) < mean, mean).max() >= 20 for _ in range(1500)]
    assert np.mean(crossed) <= 0.05


def test_bounded_means_see_a_wrong_hypothesis():
    rng = np.random.default_rng(5)
    found = [bounded_mean_e_process(rng.beta(2, 6, 400), 0.4).max() >= 20 for _ in range(100)]
    assert np.mean(found) >= 0.99
    with pytest.raises(ValueError, match="outside"):
        bounded_mean_e_process([2.0], 0.5)
    with pytest.raises(ValueError, match="not inside"):
        bounded_mean_e_process([0.5], 1.0)


def test_confidence_sequences_hold_at_all_times_at_once():
    rng = np.random.default_rng(6)
    missed = []
    for _ in range(1000):
        lower, upper = empirical_bernstein(10 * rng.beta(2, 6, 300), low=0.0, high=10.0)
        missed.append(bool(np.any((lower > 2.5) | (upper < 2.5))))
    assert np.mean(missed) <= 0.05
    assert np.all(np.diff(lower) >= 0)
    assert np.all(np.diff(upper) <= 0)
    assert upper[-1] - lower[-1] < 2.0
