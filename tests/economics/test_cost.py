"""The occupancy law: money follows the busiest resource."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from excise.core.errors import UsageError
from excise.economics.cost import cost_per_1000, is_lower_bound
from excise.economics.prices import custom_price

HOURLY = custom_price("3.6")  # a thousandth of a dollar per second
ms = st.floats(0, 1e6)
capacity = st.floats(0.5, 256)


def cost(wall_ms, cpu_ms, *, price=HOURLY, cores=2.0, slots=2.0, **more):
    return cost_per_1000(price, wall_ms=wall_ms, cpu_ms=cpu_ms, cores=cores, slots=slots, **more)


def test_a_second_of_the_whole_machine_costs_a_second_of_its_price():
    assert cost(1000.0, 1000.0, cores=1, slots=1) == pytest.approx(0.001 * 1000)


@given(wall=ms, cpu=ms, cores=capacity, slots=capacity, factor=st.integers(0, 1000))
def test_cost_scales_with_the_price(wall, cpu, cores, slots, factor):
    once = cost(wall, cpu, cores=cores, slots=slots)
    scaled = cost(wall, cpu, cores=cores, slots=slots, price=custom_price(str(3.6 * factor)))
    assert scaled == pytest.approx(once * factor, rel=1e-9)


@given(demand=st.tuples(ms, ms, ms), more=ms, cores=capacity, slots=capacity)
def test_more_demand_never_costs_less(demand, more, cores, slots):
    def at(wall, cpu, gpu):
        return cost(wall, cpu, cores=cores, slots=slots, gpu_ms=gpu, gpus=1)

    wall, cpu, gpu = demand
    least = at(wall, cpu, gpu)
    assert at(wall + more, cpu, gpu) >= least
    assert at(wall, cpu + more, gpu) >= least
    assert at(wall, cpu, gpu + more) >= least


@given(wall=ms, cpu=ms, cores=capacity, slots=capacity)
def test_cost_is_that_of_the_busiest_resource(wall, cpu, cores, slots):
    assert cost(wall, cpu, cores=cores, slots=slots) == pytest.approx(max(wall / slots, cpu / cores) / 1000, rel=1e-9)


def test_a_wait_of_40_ms_is_not_free():
    busy, waiting = cost(2.0, 2.0, slots=1), cost(42.0, 2.0, slots=1)
    assert waiting == pytest.approx(21 * busy)


def test_two_threads_may_be_faster_and_dearer():
    one = cost(10.0, 10.0, cores=2, slots=2)
    two = cost(6.0, 12.0, cores=2, slots=2)
    assert two == pytest.approx(1.2 * one)


def test_a_call_of_many_rows_is_shared_by_them():
    assert cost(64.0, 64.0, batch=64) == pytest.approx(cost(1.0, 1.0))


def test_arrays_give_what_their_numbers_give_and_keep_what_was_not_run():
    wall = np.array([[1.0, 2.0], [np.nan, 4.0]])
    cpu = np.array([[2.0, 1.0], [3.0, np.nan]])
    both = cost(wall, cpu)
    assert both.shape == wall.shape
    assert both[0, 0] == cost(1.0, 2.0)
    assert both[0, 1] == cost(2.0, 1.0)
    assert np.isnan(both[1]).all()


def test_what_was_not_observed_makes_the_cost_a_lower_bound():
    assert cost(1.0, None) <= cost(1.0, 50.0)
    assert is_lower_bound(cpu_observed=False, gpu_observed=True, gpus=0)
    assert is_lower_bound(cpu_observed=True, gpu_observed=False, gpus=1)
    assert not is_lower_bound(cpu_observed=True, gpu_observed=False, gpus=0)


@pytest.mark.parametrize("wrong", [{"cores": 0}, {"slots": -1}, {"slots": float("nan")}, {"batch": 0}])
def test_a_machine_without_capacity_is_refused(wrong):
    with pytest.raises(UsageError):
        cost(1.0, 1.0, **wrong)
