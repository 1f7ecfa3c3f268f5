import os
from importlib.metadata import entry_points

import pytest

from excise.adapters.engines.local import LocalEngine
from excise.core.predictor import Engine


@pytest.fixture
def engine():
    made = LocalEngine(workers=2)
    yield made
    made.close()


def test_it_is_found_by_name_and_is_an_engine():
    (entry,) = entry_points(group="excise.engines", name="local")
    assert isinstance(entry.load()(), Engine)


def test_answers_come_in_order_from_other_processes(engine):
    assert engine.map(abs, [3, -1, -2, 0]) == [3, 1, 2, 0]
    assert os.getpid() not in engine.map(pid, range(4))


def pid(_):
    return os.getpid()


def test_an_error_of_a_job_is_raised_here(engine):
    with pytest.raises(ValueError, match="invalid literal"):
        engine.map(int, ["1", "one"])
    assert engine.map(int, ["1"]) == [1]


def test_no_items_start_no_process_and_closing_twice_is_fine(engine):
    assert engine.map(abs, []) == []
    assert engine._pool is None
    engine.close()
    engine.close()
