"""Shapley shares of a saving over the orders in which its remedies can really be taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Set = frozenset[str]
Group = frozenset[str]
"""Players that cannot be told apart share one line; mostly a single player."""


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Who brought how much.

    Attributes:
        groups: the lines, in the order in which the players were given.
        share: per group, shape of the values; the shares add up to v(all) - v(none).
        alone: v({i}) - v(none) per group, None where that subset was not measured.
        last: v(all) - v(all without i) per group, None where that subset was not measured.
        orders: how many orders of the groups could run.
    """

    groups: tuple[Group, ...]
    share: Mapping[Group, Floats]
    alone: Mapping[Group, Floats | None]
    last: Mapping[Group, Floats | None]
    orders: int


def shapley(players: Iterable[str], values: Mapping[Set, ArrayLike]) -> Shares:
    """Average marginal value of each player over the orders whose every prefix was measured.

    Two redundant remedies, each worth 40 alone, both together 40: 20 each, and the last one taken adds nothing.

    >>> none, a, b, both = (frozenset(x) for x in ("", "a", "b", "ab"))
    >>> found = shapley("ab", {none: 0.0, a: 40.0, b: 40.0, both: 40.0})
    >>> [float(found.share[g]) for g in found.groups], float(found.last[a]), found.orders
    ([20.0, 20.0], 0.0, 2)

    Where ``b`` cannot run without ``a``, one order is left, and ``b`` has no value alone:

    >>> found = shapley("ab", {none: 0.0, a: 30.0, both: 40.0})
    >>> float(found.share[b]), found.alone[b], found.orders
    (10.0, None, 1)

    Where neither runs without the other, they are one line:

    >>> shapley("ab", {none: 0.0, both: 40.0}).groups == (both,)
    True

    Args:
        players: names; their order is that of the lines, nothing else depends on it.
        values: v of every measured subset of the players; needs the empty and the full one. Numbers or arrays
            of one shape. Subsets with strangers are ignored.
    Returns:
        Shares whose sum is v(all) - v(none) up to rounding.
    Raises:
        ValueError: the empty or the full subset is missing.
    Source: Shapley 1953; restricted to feasible orders as in Faigle & Kern 1992. Counted by subset, O(2^n n).
    """
    names = tuple(dict.fromkeys(players))
    full = frozenset(names)
    table = {subset: np.asarray(value, dtype=np.float64) for subset, value in values.items() if subset <= full}
    if frozenset() not in table or full not in table:
        msg = "the empty and the full subset must have a value"
        raise ValueError(msg)
    groups = _separable(names, set(table))
    before, after = _orders(groups, set(table))
    share = {group: _share(group, table, before, after) for group in groups}
    return Shares(
        groups=groups,
        share=share,
        alone={group: table[group] - table[frozenset()] if group in table else None for group in groups},
        last={group: table[full] - table[full - group] if full - group in table else None for group in groups},
        orders=before[full],
    )


def _share(group: Group, table: Mapping[Set, Floats], before: Mapping[Set, int], after: Mapping[Set, int]) -> Floats:
    total = before[frozenset().union(*before)]
    parts = [
        (before[subset] * after[subset | group] / total) * (table[subset | group] - table[subset])
        for subset in before
        if not subset & group and before[subset] and after.get(subset | group)
    ]
    return np.asarray(np.sum(parts, axis=0), dtype=np.float64)


def _orders(groups: Iterable[Group], runnable: set[Set]) -> tuple[dict[Set, int], dict[Set, int]]:
    """Runnable orders that lead to each subset, and from each subset to the full one."""
    groups = tuple(groups)
    ladder = sorted((subset for subset in runnable if _is_union(subset, groups)), key=len)
    before = dict.fromkeys(ladder, 0)
    after = dict.fromkeys(ladder, 0)
    before[ladder[0]] = after[ladder[-1]] = 1
    for subset in ladder[1:]:
        before[subset] = sum(before.get(subset - group, 0) for group in groups if group <= subset)
    for subset in ladder[-2::-1]:
        after[subset] = sum(after.get(subset | group, 0) for group in groups if not group & subset)
    return before, after


def _is_union(subset: Set, groups: Iterable[Group]) -> bool:
    return all(group <= subset or not group & subset for group in groups)


def _separable(names: tuple[str, ...], runnable: set[Set]) -> tuple[Group, ...]:
    """The players, merged where no order runs them one by one.

    First those that no runnable subset tells apart; then, while no order is left, those that some step of a
    runnable chain must take together. The rule looks at names nowhere, so it is symmetric in the players.
    """
    seen_in = {name: frozenset(subset for subset in runnable if name in subset) for name in names}
    groups = _in_order(names, [{other for other in names if seen_in[other] == seen_in[name]} for name in names])
    full = frozenset(names)
    while not _orders(groups, runnable)[0][full]:
        groups = _in_order(names, [*groups, *_steps({s for s in runnable if _is_union(s, groups)})])
    return groups


def _steps(runnable: set[Set]) -> list[Set]:
    """What is taken together in each step between neighbors of the runnable subsets."""
    return [
        upper - lower
        for lower in runnable
        for upper in runnable
        if lower < upper and not any(lower < between < upper for between in runnable)
    ]


def _in_order(names: tuple[str, ...], together: Iterable[Iterable[str]]) -> tuple[Group, ...]:
    """The finest partition that keeps every set together, ordered by the first player of each part."""
    parts: list[set[str]] = []
    for part in map(set, together):
        touching = [other for other in parts if other & part]
        parts = [other for other in parts if not other & part] + [part.union(*touching)]
    return tuple(map(frozenset, sorted(parts, key=lambda part: min(names.index(name) for name in part))))
