"""Rows that a reference does not know are counted, those that it does are not."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from excise.features.support import support
from excise.tables.arrays import from_arrays


def table(**columns):
    return from_arrays(columns, "made here")


def test_a_sample_of_the_same_kind_is_supported():
    rng = np.random.default_rng(1)
    then, now = (
        table(size=rng.normal(size=3000), town=rng.choice(["a", "b", "c"], 3000), wet=rng.random(3000) < 0.3)
        for _ in range(2)
    )
    assert support(then, now).outside < 0.01


def test_unknown_levels_ranges_gaps_and_nulls_are_named_with_their_shares():
    rng = np.random.default_rng(2)
    apart = np.concatenate([rng.uniform(0, 1, 1500), rng.uniform(9, 10, 1500)])
    then = table(size=rng.normal(size=3000), town=np.array(["a", "b", "c"] * 1000), gap=apart, full=np.ones(3000))
    size, town, gap, full = np.zeros(1000), np.array(["a"] * 1000, object), np.full(1000, 0.5), np.ones(1000)
    size[:300], town[200:400], gap[:100], full[:50] = 50.0, "z", 5.0, np.nan
    found = support(then, table(size=size, town=town, gap=gap, full=full))
    assert found.features == {"size": 0.3, "town": 0.2, "gap": 0.1, "full": 0.05}
    assert found.outside == 0.4
    assert list(found.features) == ["size", "town", "gap", "full"]


def test_values_that_hardly_come_twice_say_nothing():
    names = np.array([f"row {number}" for number in range(500)])
    found = support(table(name=names, one=np.ones(500)), table(name=np.array(["new"] * 9), one=np.ones(9)))
    assert found.untold == ("name",)
    assert found.outside == 0.0


@given(st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=1, max_size=40), st.data())
def test_a_part_of_the_reference_is_always_supported(values, data):
    some = data.draw(st.lists(st.sampled_from(values), min_size=1))
    then, now = (table(value=np.array([np.nan if v is None else v for v in side], float)) for side in (values, some))
    assert support(then, now).outside == 0.0
