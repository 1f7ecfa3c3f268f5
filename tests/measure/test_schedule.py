import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from excise.measure.schedule import (
    BLOCKS,
    LEAD_IN_MS,
    LONG_CALL_MS,
    block_orders,
    calls_per_block,
    draw,
    lead_in,
    start_order,
)


@given(st.integers(0, 2**31), st.integers(1, 6))
def test_every_block_runs_every_cell_once(seed, count):
    cells = [f"cell {index}" for index in range(count)]
    orders = block_orders(cells, BLOCKS, np.random.default_rng(seed))
    assert all(sorted(order) == sorted(cells) for order in orders)


def test_which_process_starts_last_is_random():
    random = np.random.default_rng(1)
    last = [start_order(["a", "b"], random)[-1] for _ in range(400)]
    assert 150 < last.count("a") < 250


@given(
    st.lists(st.floats(0.001, 500), min_size=1, max_size=5),
    st.floats(0.05, 30),
    st.integers(1, 2000),
    st.integers(1, 64),
)
def test_a_round_keeps_to_its_time_once_it_is_above_one_call(call_ms, seconds, rows, batch):
    calls = calls_per_block(call_ms, seconds, rows, batch)
    assert calls >= 1
    if calls > 1:
        assert calls * BLOCKS * sum(call_ms) <= 1000 * seconds * (1 + 1e-9)


@given(st.integers(0, 2**31), st.integers(1, 50), st.integers(0, 20), st.integers(1, 8))
def test_rows_are_drawn_from_the_sample_and_not_twice_while_there_are_others(seed, rows, calls, batch):
    sample = np.arange(1000, 1000 + rows)
    blocks = draw(sample, calls, batch, np.random.default_rng(seed))
    drawn = np.concatenate(blocks)
    assert len(blocks) == BLOCKS
    assert all(len(block) == calls * batch for block in blocks)
    assert set(drawn) <= set(sample)
    counts = np.unique(drawn, return_counts=True)[1]
    assert not calls or counts.max() - (counts.min() if len(counts) == rows else 0) <= 1


@given(st.floats(1e-4, 500))
def test_untimed_calls_lead_in_for_a_few_milliseconds_and_not_where_one_is_long(call_ms):
    count = lead_in(call_ms)
    assert (count == 0) == (call_ms >= LONG_CALL_MS)
    assert count <= max(1, np.ceil(LEAD_IN_MS / call_ms))
