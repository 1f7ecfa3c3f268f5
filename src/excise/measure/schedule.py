"""Random start orders, interleaved blocks and how large a block is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_MS = 10.0
"""A block shorter than this measures the clock and the scheduler (a tick is 4 ms)."""
MOST_CALLS = 2000
"""Inputs are made anew for every call; more than this and making them takes the time."""
BLOCKS = 8
"""Blocks per round: enough for a median, few enough to keep each of them long."""
LEAD_IN_MS = 5.0
"""Untimed calls before a block. A process that was away finds cold caches: the first call of 4.4 ms took 5.5, the
second 4.6 (two cores, two processes in turn), which makes every cell that has a process of its own look slower."""
LONG_CALL_MS = 50.0
"""From here on the milliseconds of cold caches are lost in the call, and a call too dear to be thrown away."""


def start_order(names: Sequence[str], random: np.random.Generator) -> list[str]:
    """Names in random order: the process started last tends to be the fastest."""
    return [names[index] for index in random.permutation(len(names))]


def block_orders(cells: Sequence[str], blocks: int, random: np.random.Generator) -> list[list[str]]:
    """One order of the cells per block; every second one is the one before, backwards (A B B A).

    >>> orders = block_orders(["a", "b"], 4, np.random.default_rng(0))
    >>> orders[1] == orders[0][::-1] and orders[3] == orders[2][::-1]
    True
    """
    orders: list[list[str]] = []
    for index in range(blocks):
        orders.append(orders[-1][::-1] if index % 2 else start_order(cells, random))
    return orders


def calls_per_block(call_ms: Sequence[float], seconds: float, rows: int, batch: int) -> int:
    """Calls of each cell in one block, so that all blocks of all cells fit into ``seconds``.

    Args:
        call_ms: time of one call in every cell.
        seconds: for one round, without starting processes; the calls that lead in come out of it.
        rows: how many rows there are to draw from.
        batch: rows per call.
    """
    together_ms = sum(call_ms)
    lead_ms = sum(max(LEAD_IN_MS, ms) for ms in call_ms if ms < LONG_CALL_MS)
    affordable = int((seconds * 1000 - lead_ms * BLOCKS) / max(together_ms * BLOCKS, 1e-6))
    enough = int(np.ceil(BLOCK_MS / max(min(call_ms), 1e-3)))
    distinct = max(1, rows // (batch * BLOCKS))
    return max(1, min(affordable, max(enough, distinct), MOST_CALLS))


def lead_in(call_ms: float) -> int:
    """Untimed calls before a block of calls that take so long.

    >>> lead_in(0.1), lead_in(4.4), lead_in(20.0), lead_in(200.0)
    (50, 2, 1, 0)
    """
    return 0 if call_ms >= LONG_CALL_MS else min(int(np.ceil(LEAD_IN_MS / max(call_ms, 1e-3))), MOST_CALLS)


def draw(rows: NDArray[np.int64], calls: int, batch: int, random: np.random.Generator) -> list[NDArray[np.int64]]:
    """Rows of every block of one round: distinct as long as there are enough, then again in another order."""
    needed = calls * batch * BLOCKS
    laps = max(1, -(-needed // len(rows)))
    order = np.concatenate([random.permutation(rows) for _ in range(laps)])[:needed]
    return np.split(order, BLOCKS)
