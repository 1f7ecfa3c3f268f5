"""The permutation test keeps its level and finds shifts of place and of spread."""

from __future__ import annotations

import numpy as np
import pytest

from excise.stats.domain_classifier import separation
from excise.stats.two_samples import NOTHING

RUNS = 60


def test_clean_samples_are_told_apart_as_often_as_the_level_says():
    hits = 0
    for run in range(RUNS):
        random = np.random.default_rng(run)
        hits += separation(random.normal(size=(200, 12)), random.standard_normal((80, 12)), seed=run).p_value <= 0.05
    assert hits <= 8, "more than 8 of 60 has a chance of 0.4 % at 5 %"


@pytest.mark.parametrize("change", [lambda rows: rows + 0.2, lambda rows: rows * 1.2], ids=["place", "spread"])
def test_a_change_is_found_with_a_bound(change):
    random = np.random.default_rng(5)
    found = separation(random.normal(size=(600, 16)), change(random.normal(size=(600, 16))))
    assert found.p_value == 0.001
    assert 0.1 < found.low < found.effect < 0.6


def test_few_rows_and_constant_ones_say_nothing():
    assert separation(np.ones((5, 3)), np.zeros((500, 3))) == NOTHING
    assert separation(np.ones((50, 3)), np.ones((50, 3))) == NOTHING


def test_ties_are_no_difference():
    random = np.random.default_rng(4)
    rows = [random.integers(0, 2, (400, 2)).astype(float) for _ in range(2)]
    assert separation(*rows).p_value > 0.05
