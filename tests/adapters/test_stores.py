"""Stores are found by scheme, and the rows of both sides are brought together by key."""

import datetime as dt
from importlib.util import find_spec

import pytest

from excise.adapters.stores import find, rows, schemes
from excise.core.errors import DataError, MissingExtra, UsageError
from excise.tables import read

DAY = dt.datetime.fromisoformat("2026-01-01")


def test_an_unknown_store_is_one_line():
    assert {"feast", "hopsworks"} <= set(schemes())
    with pytest.raises(UsageError, match="unknown feature store 'tecton'"):
        find("tecton")


@pytest.mark.parametrize("name", ["feast", "hopsworks"])
def test_a_store_whose_library_is_missing_says_how_to_get_it(name):
    if find_spec(name) is not None:
        pytest.skip(f"{name} is installed")
    with pytest.raises(MissingExtra) as caught:
        find(name)
    assert f"excise[{name}]" in caught.value.hint


def test_the_newest_row_of_each_entity():
    table = read(
        [
            {"plane": 1, "at": DAY, "delay": 1.0},
            {"plane": 2, "at": DAY, "delay": 2.0},
            {"plane": 1, "at": DAY + dt.timedelta(1), "delay": 3.0},
            {"plane": 2, "at": DAY - dt.timedelta(1), "delay": 4.0},
        ]
    )
    assert rows.newest(table, ["plane"], "at").column("delay").plain() == [3.0, 2.0]


def test_rows_are_aligned_by_key_and_nulls_where_there_are_none():
    online = read([{"plane": 3, "seats": 30}, {"plane": 1, "seats": 10}])
    found = rows.aligned(online, read([{"plane": number} for number in (1, 2, 3)]), ["seats"])
    assert found.column("plane").plain() == [1, 2, 3]
    assert found.column("seats").plain() == [10, None, 30]


@pytest.mark.parametrize(("most", "left"), [(10, [0, 1, 2, 3, 4]), (3, [0, 2, 4]), (1, [0])])
def test_a_sample_is_evenly_spread(most, left):
    assert rows.evenly(read([{"a": number} for number in range(5)]), most).column("a").plain() == left


def test_a_group_without_a_version_is_one_line(monkeypatch):
    monkeypatch.setattr("excise.adapters.stores.hopsworks.find_spec", lambda _: True)
    monkeypatch.delenv("HOPSWORKS_HOST", raising=False)
    store = find("hopsworks")
    with pytest.raises(DataError, match="names no version"):
        store.read("planes", 10)
    with pytest.raises(DataError, match="HOPSWORKS_HOST is not set"):
        store.read("planes/1", 10)
