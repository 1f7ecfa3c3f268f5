"""The way back to the reference's form: exact, idempotent, and the same in the file that is written out."""

# ruff: noqa: DTZ001, PD011  frames hold naive times; a column's values are numpy's
from __future__ import annotations

import datetime as dt
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from excise.features import Caster, FeatureProfile
from excise.features.caster import MARK
from excise.tables import read, write_parquet

FORMS = {
    "int": st.integers(-(2**60), 2**60),
    "float": st.floats(),
    "bool": st.booleans(),
    "text": st.sampled_from(["A", "a", "B", " C", "NA", "", "7", "Straße", "true"]) | st.text(max_size=3),
    "datetime": st.datetimes(),
}
DIRTY = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.sampled_from([" 7 ", "7.5", "1,234", "3,5", "12 %", "NA", "", " ", "true", "No", "a ", "b", "2013-01-01", "x"]),
    st.text(max_size=3),
)


def emitted(caster):
    """The file that the caster writes, run as a user would run it."""
    namespace = {}
    source = caster.emit()
    assert "excise." not in source
    assert "import excise" not in source
    exec(compile(source, "cast.py", "exec"), namespace)
    return namespace


@st.composite
def columns(draw):
    form = draw(st.sampled_from(sorted(FORMS)))
    return draw(st.lists(st.none() | FORMS[form], min_size=1, max_size=8))


def as_table(cells):
    return read([{"a": cell} for cell in cells])


@settings(max_examples=80, deadline=None)
@given(columns(), st.none() | st.lists(DIRTY, min_size=1, max_size=8))
def test_reference_form_is_left_alone(cells, dirty):
    reference = as_table(cells)
    caster = Caster.learn(reference, None if dirty is None else as_table(dirty))
    assert caster.apply(reference).digest() == reference.digest()


@settings(max_examples=80, deadline=None)
@given(columns(), st.lists(DIRTY, min_size=1, max_size=8), st.booleans())
def test_casting_twice_is_casting_once(cells, dirty, learned):
    reference, current = as_table(cells), as_table(dirty)
    caster = Caster.learn(reference, current if learned else None)
    once = caster.apply(current)
    assert caster.apply(once).digest() == once.digest()


@settings(max_examples=40, deadline=None)
@given(columns(), st.lists(DIRTY, min_size=1, max_size=8))
def test_the_written_file_does_the_same(cells, dirty):
    reference, current = as_table(cells), as_table(dirty)
    caster = Caster.learn(reference, current)
    rows = [emitted(caster)["cast"](row) for row in current.records()]
    for mine, theirs in zip(caster.apply(current).column("a").plain(), rows, strict=True):
        other = theirs["a"]
        assert mine == other or repr(mine) == repr(other) == "nan"
        # A column holds integers among floats as floats, a single row does not.
        assert type(mine) is type(other) or {type(mine), type(other)} == {int, float}


def test_nothing_to_cast_is_false():
    table = read({"a": [1, 2], "b": ["x", "y"], "c": [0.5, 1.0]})
    assert not Caster.learn(table, table)
    assert not Caster.learn(table, table.take(np.array([0])))
    assert Caster.learn(table)


CASES = [
    ([1, None], [" 7 ", "NA"], [7, None]),
    ([1, 2], ["7", "NA"], [7, "NA"]),
    ([1, 2], [7.0, 9.0], [7, 9]),
    ([1, 2], [7.0, 7.5], [7.0, 7.5]),
    ([0.5], ["1.234,5", "3,5"], [1234.5, 3.5]),
    ([0.5, 100.0], ["1,234.5", "12 %"], [1234.5, 12.0]),
    ([0.5, 1.0], ["50%", "7"], [0.5, 7.0]),
    ([True], ["yes", "FALSE", 1], [True, False, True]),
    (["UA", "b"], ["ua ", "B", "new"], ["UA", "b", "new"]),
    (["007", "12"], ["007", 12, 12.0], ["007", "12", "12"]),
    ([dt.datetime(2013, 1, 1)], ["2013-01-01T10:00:00Z", "soon"], [dt.datetime(2013, 1, 1, 10), "soon"]),
    (["NA", None], ["NA", "A"], ["NA", "A"]),
]


@pytest.mark.parametrize(("reference", "current", "expected"), CASES)
def test_each_form_comes_back_exactly(reference, current, expected):
    caster = Caster.learn(as_table(reference), as_table(current))
    cells = caster.apply(as_table(current)).column("a").plain()
    assert [(type(cell), cell) for cell in cells] == [(type(cell), cell) for cell in expected]


def test_cells_that_say_something_else_are_counted():
    caster = Caster.learn(read({"a": [1, 2, 3]}), read({"a": ["1", "x", "y"]}))
    table, failures = caster.apply_counted(read({"a": ["1", "x", "y"]}))
    assert table.column("a").plain() == [1, "x", "y"]
    assert failures == {"a": 2}


def test_zones_come_back():
    reference = read(pa.table({"a": pa.array([dt.datetime(2013, 1, 1, tzinfo=dt.UTC)])}))
    current = read({"a": ["2013-01-01T10:00:00+02:00"]})
    caster = Caster.learn(reference, current)
    assert caster.apply(current).records() == [{"a": dt.datetime(2013, 1, 1, 8, tzinfo=dt.UTC)}]
    assert emitted(caster)["cast"](current.records()[0]) == {"a": dt.datetime(2013, 1, 1, 8, tzinfo=dt.UTC)}


@pytest.fixture(scope="module")
def months(flights):
    """January as it was approved, July as it comes from a CSV."""
    by_row = flights.column("month").values
    january, july = (flights.take(by_row == month) for month in (1, 7))
    return typed(january).apply(january), july


def typed(table):
    """January as it should be: numbers where `NA` is the only text, and null in its place."""
    rows = [{name: None if cell == "NA" else cell for name, cell in row.items()} for row in table.records()]
    return Caster.learn(read(rows), table)


def test_july_from_csv_comes_back_to_the_form_of_january(months, tmp_path):
    january, july = months
    write_parquet(january, tmp_path / "january.parquet")
    caster = Caster.learn(read(tmp_path / "january.parquet"), july)
    back, failures = caster.apply_counted(july)
    assert failures == {}
    assert {column.kind for column in back.columns} == {"int", "text"}
    assert back.column("dep_time").nulls.sum() == sum(cell == "NA" for cell in july.column("dep_time").plain()) > 0
    module = emitted(caster)
    assert [module["cast"](row) for row in july.records()] == back.records()
    frame = module["cast_frame"](pd.DataFrame(july.records()))
    assert str(frame["dep_time"].dtype) == "float64"
    assert frame["dep_time"].isna().sum() == back.column("dep_time").nulls.sum()
    assert read(frame).column("arr_delay").nulls.tolist() == back.column("arr_delay").nulls.tolist()
    kept = ~back.column("arr_delay").nulls
    assert np.array_equal(frame["arr_delay"].to_numpy()[kept], back.column("arr_delay").values[kept])


def test_a_profile_teaches_as_much_as_its_table(months):
    january, july = months
    caster = Caster.learn(january, july)
    again = Caster.learn(FeatureProfile.decode(FeatureProfile.build(january).encode()), FeatureProfile.build(july))
    assert dict(again.casts) == dict(caster.casts)


def test_the_file_runs_alone(months, tmp_path):
    path = tmp_path / "cast.py"
    path.write_text(Caster.learn(months[0]).emit())
    assert MARK in path.read_text()
    code = "import cast; print(cast.cast({'dep_time': ' 517 ', 'carrier': 'ua ', 'more': 1}))"
    done = subprocess.run([sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, '.'); {code}"], cwd=tmp_path,
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.strip() == "{'dep_time': 517, 'carrier': 'UA', 'more': 1}"
