"""Tests on counts hold their level, whatever the levels' number, and their bounds hold what they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from excise.stats.two_samples import (
    beyond,
    jensen_shannon,
    levels,
    ordered_counts,
    population_stability_index,
    wasserstein,
)

COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=40)


@given(COUNTS)
def test_what_is_equal_is_no_difference_and_sides_do_not_matter(counts):
    before, now = map(list, zip(*counts, strict=True))
    for test in (ordered_counts, levels):
        same = test(before, before)
        assert (same.effect, same.low) == (0, 0)
        assert same.p_value == 1
        there, back = test(before, now), test(now, before)
        assert there.p_value == pytest.approx(back.p_value)
        assert there.effect == pytest.approx(back.effect)
        assert 0 <= there.low <= there.effect + 1e-12 <= 1 + 1e-9


def test_the_distance_is_scipys_on_values():
    random = np.random.default_rng(1)
    before, now = random.normal(0, 1, 4000), random.normal(0.1, 1, 3000)
    edges = np.quantile(before, np.linspace(0, 1, 256))
    counts = [np.histogram(one, [-np.inf, *edges, np.inf])[0] for one in (before, now)]
    exact = stats.ks_2samp(before, now)
    found = ordered_counts(*counts)
    assert found.effect == pytest.approx(exact.statistic, abs=1 / 255)
    assert found.effect <= exact.statistic + 1e-12
    assert found.p_value >= exact.pvalue


@pytest.mark.parametrize("width", [2, 20, 200])
@pytest.mark.parametrize("zipf", [False, True])
def test_levels_alarm_in_five_of_a_hundred_clean_samples_at_most(width, zipf):
    random = np.random.default_rng(width)
    shares = 1 / np.arange(1, width + 1) if zipf else np.ones(width)
    shares /= shares.sum()
    rejected = sum(
        levels(random.multinomial(1000, shares), random.multinomial(1000, shares)).p_value <= 0.05 for _ in range(1000)
    )
    assert rejected <= stats.binom.ppf(0.999, 1000, 0.05)


def test_distances_alarm_in_five_of_a_hundred_clean_samples_at_most():
    random = np.random.default_rng(4)
    for shares in (np.full(256, 1 / 256), np.array([0.8, *np.full(20, 0.01)])):
        rejected = sum(
            ordered_counts(random.multinomial(800, shares), random.multinomial(1500, shares)).p_value <= 0.05
            for _ in range(1000)
        )
        assert rejected <= stats.binom.ppf(0.999, 1000, 0.05)


@pytest.mark.parametrize("test", [ordered_counts, levels])
@pytest.mark.parametrize("moved", [0.0, 0.05, 0.3])
def test_the_bound_lies_above_the_truth_in_five_of_a_hundred_samples_at_most(test, moved):
    random = np.random.default_rng(5)
    before = np.full(20, 0.05)
    now = before + moved / 20 * np.repeat([1, -1], 10)
    truth = moved / 2
    above = sum(
        test(random.multinomial(2000, before), random.multinomial(3000, now)).low > truth + 1e-12 for _ in range(500)
    )
    assert above <= stats.binom.ppf(0.999, 500, 0.05)


def test_levels_that_only_one_sample_knows_are_pooled_with_the_rare_ones():
    assert levels([500, 500, 0], [490, 480, 0], rest=(0, 30)).p_value < 1e-4
    assert levels([1] * 255, [1] * 255, rest=(745, 745)).p_value == 1


def test_dependence_between_rows_takes_evidence_away():
    loose, tight = (ordered_counts([400, 600], [500, 500], inflation=by) for by in (4.0, 1.0))
    assert loose.p_value > tight.p_value
    assert loose.low < tight.low


def test_further_distances_by_hand():
    assert wasserstein([5, 5, 0, 0], [0, 0, 5, 5], [0.0, 1.0, 2.0]) == pytest.approx(1.5)
    assert jensen_shannon([1, 1], [3, 3]) == 0
    assert population_stability_index([10, 90], [10, 90]) == 0


def test_values_beyond_the_largest_come_as_often_as_stated():
    random = np.random.default_rng(8)
    for rank in (1, 5):
        p_values = []
        for _ in range(2000):
            before, now = np.sort(random.exponential(size=300)), random.exponential(size=450)
            p_values.append(beyond(rank, int((now >= before[-rank]).sum()), (300, 450)))
        assert np.mean(np.array(p_values) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)
    assert beyond(1, 0, (10, 10)) == 1
