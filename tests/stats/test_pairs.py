"""Intervals over fresh-process rounds must cover what they say."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from excise.core.errors import NotComparable
from excise.stats.pairs import (
    block_log_ratio,
    bootstrap,
    hodges_lehmann,
    paired,
    signed_rank_law,
    wilcoxon_interval,
)

NOISE = {
    "normal": lambda rng, n: rng.normal(0, 0.02, n),
    "laplace": lambda rng, n: rng.laplace(0, 0.02, n),
    "t2": lambda rng, n: 0.02 * rng.standard_t(2, n),
    "outliers": lambda rng, n: rng.normal(0, 0.02, n) * np.where(rng.random(n) < 0.1, 10, 1),
    "one-sided outliers": lambda rng, n: rng.normal(0, 0.02, n) + np.where(rng.random(n) < 0.1, 0.15, 0),
}
finite = st.floats(-1e3, 1e3, allow_nan=False).map(lambda value: round(value, 6))


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("rounds", [4, 5, 8, 12])
def test_paired_intervals_cover(noise, rounds):
    rng = np.random.default_rng(rounds)
    hits = [paired(0.1 + NOISE[noise](rng, rounds), unit="ratio").covers(0.1) for _ in range(1000)]
    assert np.mean(hits) >= 0.95


@pytest.mark.parametrize("level", [0.8, 0.99])
def test_other_levels_cover_too(level):
    rng = np.random.default_rng(7)
    hits = [paired(rng.normal(size=6), unit="ratio", level=level).covers(0.0) for _ in range(2000)]
    assert level <= np.mean(hits) <= level + 0.1


def test_normal_intervals_are_not_wasteful():
    rng = np.random.default_rng(3)
    hits = [paired(rng.normal(size=12), unit="ratio").covers(0.0) for _ in range(2000)]
    assert np.mean(hits) <= 0.98


def test_fewer_than_three_rounds_have_no_interval_and_missing_rounds_do_not_count():
    found = paired([1.0, np.nan, 3.0], unit="ms")
    assert (found.value, found.low, found.high, found.n) == (2.0, None, None, 2)
    with pytest.raises(NotComparable, match="no round was measured"):
        paired([np.nan], unit="ms")


@settings(max_examples=60, deadline=None)
@given(st.lists(finite, min_size=3, max_size=12), st.sampled_from([0.001, 3.0, 1000.0]), st.randoms())
def test_paired_is_equivariant_in_scale_and_blind_to_order(values, factor, random):
    found, scaled = paired(values, unit="ms"), paired(np.array(values) * factor, unit="ms")
    shuffled = list(values)
    random.shuffle(shuffled)
    other = paired(shuffled, unit="ms")
    for one, two in ((found.low * factor, scaled.low), (found.high * factor, scaled.high), (found.low, other.low)):
        assert one == pytest.approx(two, rel=1e-6, abs=1e-6 * factor)
    assert paired(-np.array(values), unit="ms").value == -found.value


def test_blocks_are_paired_within_their_round_and_holes_are_left_out():
    incumbent = np.array([[1.0, 10.0, 100.0], [1.0, 1.0, np.nan], [np.nan, 1.0, 0.0]])
    candidate = np.array([[2.0, 20.0, 900.0], [3.0, 3.0, 5.0], [1.0, np.nan, 1.0]])
    assert block_log_ratio(candidate, incumbent) == pytest.approx([np.log(2), np.log(3), np.nan], nan_ok=True)
    with pytest.raises(NotComparable, match="shape"):
        block_log_ratio(candidate, incumbent[:2])


@pytest.mark.parametrize("rounds", [1, 2, 5, 9])
def test_the_signed_rank_law_is_that_of_all_signs(rounds):
    sums = [sum(rank for rank, up in enumerate(signs, 1) if up) for signs in itertools.product((0, 1), repeat=rounds)]
    assert signed_rank_law(rounds) == pytest.approx(np.bincount(sums) / 2**rounds)


@pytest.mark.parametrize("noise", ["normal", "t2", "outliers"])
def test_wilcoxon_intervals_are_exact_for_symmetric_noise(noise):
    rng = np.random.default_rng(11)
    hits = [wilcoxon_interval(NOISE[noise](rng, 8), unit="ratio").covers(0.0) for _ in range(2000)]
    assert 0.945 <= np.mean(hits) <= 0.975  # the attained level at K = 8 is 1 - 2 * 5 / 256 = 96.1 %


def test_too_few_rounds_for_the_level_are_said():
    assert wilcoxon_interval(range(5), unit="ms") is None
    assert wilcoxon_interval(range(5), unit="ms", level=0.9) is not None
    assert wilcoxon_interval(range(7), unit="ms", level=0.99) is None
    assert wilcoxon_interval(range(8), unit="ms", level=0.99) is not None


@given(st.lists(finite, min_size=1, max_size=15), finite)
def test_hodges_lehmann_moves_with_its_values(values, shift):
    assert hodges_lehmann(np.array(values) + shift) == pytest.approx(hodges_lehmann(values) + shift, abs=1e-6)


def test_bootstrap_rests_on_rounds_not_on_iterations():
    def mean(x):
        return x.mean(axis=(-2, -1))

    rng = np.random.default_rng(2)
    hits, flat = [], []
    for seed in range(150):
        blocks = rng.normal(0, 0.02, (8, 1)) + rng.normal(0, 0.005, (8, 20))
        hits.append(bootstrap(blocks, mean, unit="ratio", draws=400, seed=seed).covers(0.0))
        flat.append(bootstrap(blocks.ravel(), mean, unit="ratio", draws=400, seed=seed).covers(0.0))
    assert np.mean(hits) >= 0.92
    assert np.mean(flat) < 0.6  # iterations alone: the false alarms that the outer level prevents


def test_bootstrap_drops_incomplete_rounds_and_needs_three():
    values = np.array([[1.0, 1.0], [2.0, np.nan], [3.0, 3.0]])
    found = bootstrap(values, lambda x: x.mean(axis=(-2, -1)), unit="ms")
    assert (found.value, found.low, found.n) == (2.0, None, 2)
    with pytest.raises(NotComparable, match="no complete round"):
        bootstrap([[np.nan]], lambda x: x.mean(axis=(-2, -1)), unit="ms")


def test_rounds_without_a_block_are_missing():
    assert np.isnan(block_log_ratio(np.ones((2, 0)), np.ones((2, 0)))).all()
