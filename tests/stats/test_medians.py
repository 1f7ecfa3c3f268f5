import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from excise.stats.medians import covariance, from_points, sigma_points


def correlated(rng, rounds, correlation, draw):
    shared, own, other = draw(rng, rounds), draw(rng, rounds), draw(rng, rounds)
    a, b = np.sqrt(correlation), np.sqrt(1 - correlation)
    return np.column_stack([a * shared + b * own, a * shared + b * other])


NOISE = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "t3": lambda rng, n: rng.standard_t(3, n),
    "outliers": lambda rng, n: rng.standard_normal(n) * np.where(rng.random(n) < 0.1, 10, 1),
}


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("rounds", [4, 7, 13])
def test_the_difference_of_correlated_medians_is_covered(noise, correlation, rounds):
    rng = np.random.default_rng(rounds)
    hits = []
    for _ in range(250):
        points = sigma_points(correlated(rng, rounds, correlation, NOISE[noise]))
        hits.append(from_points(points[:, 0] - points[:, 1], n=rounds, unit="ms").covers(0.0))
    assert np.mean(hits) >= 0.95


def test_plain_linearization_would_not_do():
    rng = np.random.default_rng(0)
    rounds, true, plain, ours = 13, [], [], []
    for _ in range(1500):
        x = correlated(rng, rounds, 0.99, NOISE["normal"])
        true.append(np.median(x[:, 0]) - np.median(x[:, 1]))
        plain.append(np.pi / 2 * np.var(x[:, 0] - x[:, 1], ddof=1) / rounds)
        ours.append(np.array([1, -1]) @ covariance(x) @ np.array([1, -1]))
    assert np.mean(plain) < 0.6 * np.var(true)
    assert np.var(true) <= np.mean(ours) < 3 * np.var(true)


def test_equal_columns_do_not_differ():
    column = np.random.default_rng(1).normal(size=8)
    points = sigma_points(np.column_stack([column, column]))
    assert from_points(points[:, 0] - points[:, 1], n=8, unit="ms").half_width == pytest.approx(0, abs=1e-7)


def test_a_kink_at_the_center_does_not_cancel_out():
    rounds = np.column_stack([[-1.0, 0.0, 1.0], [0.5, -1.0, 0.5]])
    points = sigma_points(rounds)
    assert from_points(np.abs(points[:, 0]), n=3, unit="ms").half_width > 1


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 100), st.integers(3, 12))
def test_scale_goes_through(seed, factor, rounds):
    values = np.random.default_rng(seed).normal(size=(rounds, 3))
    assert np.allclose(covariance(values * factor), covariance(values) * factor**2)
    assert np.allclose(np.sort(sigma_points(values)[:1] * factor), np.sort(sigma_points(values * factor)[:1]))


def test_a_constant_column_adds_no_doubt():
    rounds = np.column_stack([np.ones(5), np.arange(5.0)])
    assert covariance(rounds)[0].tolist() == [0.0, 0.0]
