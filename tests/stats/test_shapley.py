import math
from itertools import chain, combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from excise.stats.shapley import shapley


def all_subsets(names):
    return [frozenset(c) for c in chain.from_iterable(combinations(names, k) for k in range(len(names) + 1))]


def by_enumeration(names, values):
    """Shares by walking every order of n! and keeping those whose prefixes all have a value."""
    totals, orders = dict.fromkeys(names, 0.0), 0
    for order in permutations(names):
        prefixes = [frozenset(order[:k]) for k in range(len(order) + 1)]
        if all(prefix in values for prefix in prefixes):
            orders += 1
            for name, before, after in zip(order, prefixes, prefixes[1:], strict=False):
                totals[name] += values[after] - values[before]
    return {name: total / orders for name, total in totals.items()} if orders else None


@st.composite
def games(draw, most=5):
    names = "abcde"[: draw(st.integers(1, most))]
    kept = [s for s in all_subsets(names) if s in {frozenset(), frozenset(names)} or draw(st.booleans())]
    return names, {s: draw(st.floats(-100, 100).map(lambda v: round(v, 3))) for s in kept}


@settings(max_examples=100, deadline=None)
@given(games())
def test_shares_add_up_and_are_those_of_all_runnable_orders(game):
    names, values = game
    found = shapley(names, values)
    whole = values[frozenset(names)] - values[frozenset()]
    assert sum(map(float, found.share.values())) == pytest.approx(whole, abs=1e-11)
    assert sorted(chain.from_iterable(found.groups)) == sorted(names)
    expected = by_enumeration(names, values)
    if expected is not None:
        assert {next(iter(g)): float(v) for g, v in found.share.items()} == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(games(), st.randoms())
def test_shares_do_not_depend_on_names_or_their_order(game, random):
    names, values = game
    other = list(names)
    random.shuffle(other)
    rename = dict(zip(names, other, strict=True))
    moved = shapley(other, {frozenset(rename[n] for n in s): v for s, v in values.items()})
    for group, share in shapley(names, values).share.items():
        assert float(moved.share[frozenset(rename[n] for n in group)]) == pytest.approx(float(share), abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(games(), st.floats(0.001, 1000))
def test_shares_scale_with_the_values(game, factor):
    names, values = game
    scaled = shapley(names, {s: v * factor for s, v in values.items()})
    for group, share in shapley(names, values).share.items():
        assert float(scaled.share[group]) == pytest.approx(float(share) * factor, rel=1e-9, abs=1e-9)


def test_arrays_are_games_side_by_side():
    rng = np.random.default_rng(0)
    values = {s: rng.normal(size=7) for s in all_subsets("abc")}
    whole = shapley("abc", values)
    for k in range(7):
        one = shapley("abc", {s: v[k] for s, v in values.items()})
        for group in whole.groups:
            assert whole.share[group][k] == pytest.approx(float(one.share[group]), abs=1e-12)


def test_additive_savings_are_their_own_shares():
    worth = {"a": 4.0, "b": -1.5, "c": 0.25}
    found = shapley("abc", {s: sum(worth[n] for n in s) for s in all_subsets("abc")})
    assert found.orders == 6
    for name, value in worth.items():
        group = frozenset(name)
        assert [float(x[group]) for x in (found.share, found.alone, found.last)] == pytest.approx([value] * 3)


def test_players_that_no_prefix_tells_apart_share_a_line():
    values = {frozenset(): 0.0, frozenset("a"): 3.0, frozenset("abc"): 10.0, frozenset("bc"): 6.0}
    found = shapley("abc", values)
    assert found.groups == (frozenset("a"), frozenset("bc"))
    assert float(found.share[frozenset("bc")]) == pytest.approx(6.5)
    assert float(found.alone[frozenset("bc")]) == 6.0


def test_where_no_order_runs_the_merge_is_symmetric():
    values = {frozenset(): 0.0, frozenset("ab"): 3.0, frozenset("bc"): 4.0, frozenset("abc"): 10.0}
    assert shapley("abc", values).groups == (frozenset("abc"),)
    apart = values | {frozenset("d"): 1.0} | {s | {"d"}: v + 1 for s, v in values.items() if s}
    found = shapley("abcd", apart)
    assert found.groups == (frozenset("abc"), frozenset("d"))
    assert float(found.share[frozenset("d")]) == pytest.approx(1.0)


def test_many_players_are_counted_not_enumerated():
    names = "abcdefghijkl"
    found = shapley(names, {s: len(s) ** 0.5 for s in all_subsets(names)})
    assert found.orders == math.factorial(12)
    assert {round(float(v), 12) for v in found.share.values()} == {round(12**0.5 / 12, 12)}


def test_no_players_have_no_lines():
    assert shapley((), {frozenset(): 5.0}).groups == ()


def test_the_ends_are_needed():
    with pytest.raises(ValueError, match="empty and the full"):
        shapley("ab", {frozenset(): 0.0, frozenset("a"): 1.0})
