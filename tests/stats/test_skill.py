import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from excise.core.errors import NotComparable
from excise.stats.skill import (
    LOSSES,
    Loss,
    best_constant_loss,
    brier,
    choose_loss,
    disagreement,
    fieller,
    log_loss,
    non_inferior,
    skill,
)


@pytest.mark.parametrize("loss", [Loss.SQUARED, Loss.ABSOLUTE, Loss.BRIER, Loss.LOG_LOSS])
def test_no_constant_is_better_than_the_best_one(loss):
    rng = np.random.default_rng(0)
    target = (rng.random(201) < 0.3).astype(float)
    target = target if loss in {Loss.BRIER, Loss.LOG_LOSS} else rng.normal(size=201)
    best = best_constant_loss(target, loss).mean()
    for constant in np.linspace(0.01, 0.99, 33):
        assert best <= LOSSES[loss](target, np.full(201, constant)).mean() + 1e-12


def test_the_best_constant_of_labels_is_the_most_frequent_one():
    assert best_constant_loss(["b", "a", "b"], Loss.ZERO_ONE).tolist() == [0, 1, 0]


def test_a_matrix_of_two_classes_says_what_a_vector_says():
    rng = np.random.default_rng(1)
    target, chance = rng.integers(0, 2, 50), rng.random(50)
    matrix = np.column_stack([1 - chance, chance])
    assert brier(target, matrix) == pytest.approx(2 * brier(target, chance))
    assert log_loss(target, matrix) == pytest.approx(log_loss(target, chance))
    one = skill(brier(target, chance), best_constant_loss(target, Loss.BRIER)).value
    two = skill(brier(target, matrix), best_constant_loss(target, Loss.BRIER, classes=2)).value
    assert one == pytest.approx(two)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1000), st.floats(0.001, 1000))
def test_skill_has_no_unit(seed, factor):
    rng = np.random.default_rng(seed)
    loss, constant = rng.exponential(1, 30), rng.exponential(2, 30)
    one, two = skill(loss, constant), skill(loss * factor, constant * factor)
    assert (two.value, two.low) == pytest.approx((one.value, one.low))


def test_skill_intervals_cover():
    hits = []
    for seed in range(500):
        rng = np.random.default_rng(seed)
        size = rng.exponential(1, 300)
        hits.append(skill(0.4 * size * rng.uniform(0, 2, 300), size).covers(0.6))
    assert 0.925 <= np.mean(hits) <= 0.975


def test_a_target_that_does_not_vary_has_no_skill():
    with pytest.raises(NotComparable, match="does not vary"):
        skill([0.0, 0.0], best_constant_loss([1, 1], Loss.ZERO_ONE))


def test_fieller_covers_a_ratio():
    hits = []
    for seed in range(800):
        rng = np.random.default_rng(seed)
        bottom = rng.normal(1, 2, 200)
        hits.append((ends := fieller(0.3 * bottom + rng.normal(0, 1, 200), bottom)) and ends[0] <= 0.3 <= ends[1])
    assert 0.93 <= np.mean(hits) <= 0.97


def test_the_bound_is_where_the_test_turns():
    rng = np.random.default_rng(3)
    incumbent, constant = rng.exponential(1, 500), rng.exponential(3, 500)
    candidate = incumbent + rng.normal(0.01, 0.1, 500)
    upper = non_inferior(candidate, incumbent, constant).upper
    assert not non_inferior(candidate, incumbent, constant, delta=upper - 1e-6).admissible
    assert non_inferior(candidate, incumbent, constant, delta=upper + 1e-6).admissible


def test_an_incumbent_without_skill_has_none_to_keep():
    rng = np.random.default_rng(4)
    found = non_inferior(rng.exponential(1, 50), rng.exponential(1, 50), rng.exponential(1, 50) * 0.5)
    assert (found.admissible, found.upper) == (False, np.inf)
    assert "not shown to beat a constant" in found.why


def test_losses_are_chosen_by_what_is_compared():
    assert choose_loss([True, False], [0.5, 0.5]) is Loss.BRIER
    assert choose_loss([0, 1, 2], np.full((3, 3), 1 / 3)) is Loss.BRIER
    assert choose_loss([0, 1, 2], np.full((3, 3), 0.5)) is Loss.ZERO_ONE
    assert choose_loss(np.linspace(0, 1, 50), np.linspace(0, 1, 50)) is Loss.SQUARED


def test_disagreement_of_rows_of_labels_counts_rows():
    incumbent = np.array([["a", "b"], ["a", "b"], ["c", "d"]])
    candidate = np.array([["a", "b"], ["a", "x"], ["c", "d"]])
    found = disagreement(candidate, incumbent)
    assert [side.tolist() for side in found] == [[0, 1, 0], [0, 0, 0], [0, 0, 1]]
    with pytest.raises(NotComparable, match="shape"):
        disagreement(candidate, incumbent[:, 0])
