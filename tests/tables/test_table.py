"""Tables as values: what survives a round trip, and what an identity rests on."""

# ruff: noqa: DTZ001  frames hold naive times
from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from excise.core.errors import DataError, StoreError
from excise.tables import Table, read, write_parquet

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(codec="utf-8")), st.just(" 7 ")
)
NESTED = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "$date", "$pairs"]), inner, max_size=2)
    ),
    max_leaves=5,
)


def shown(cells):
    """Cells with their types, NaN comparable."""
    return [(type(cell).__name__, repr(cell)) for cell in cells]


@settings(max_examples=60)
@given(st.lists(st.fixed_dictionaries({"a": SCALARS, "b": NESTED}), min_size=1, max_size=8))
def test_records_survive_parquet(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("parquet") / "t.parquet"
    table = read(rows)
    write_parquet(table, path)
    again = read(path)
    assert again.digest() == table.digest()
    for before, after in zip(table.columns, again.columns, strict=True):
        assert (before.kind, before.dtype) == (after.kind, after.dtype)
        assert shown(before.plain()) == shown(after.plain())


@given(st.lists(SCALARS, min_size=1, max_size=8))
def test_typing_loses_no_cell(cells):
    back = read([{"a": cell} for cell in cells]).column("a").plain()
    for before, after in zip(cells, back, strict=True):
        assert after == before or (math.isnan(before) and math.isnan(after))
        assert isinstance(after, type(before)) or (type(before), type(after)) == (int, float)


def test_dtypes_and_odd_objects_survive_parquet(tmp_path):
    source = pa.table(
        {
            "i": pa.array([1, None], pa.int16()),
            "f": pa.array([0.5, 1.0], pa.float32()),
            "d": pa.array([dt.date(2013, 1, 1), None]),
            "z": pa.array([dt.datetime(2013, 1, 1, tzinfo=dt.UTC)] * 2, pa.timestamp("us", "America/New_York")),
            "b": pa.array([b"\xff", b"\x00"]),
            "t": pa.array([dt.time(1, 2), None]),
            "l": pa.array([[Decimal("1.10")], None]),
        }
    )
    table = read(source)
    write_parquet(table, tmp_path / "x.parquet")
    again = read(tmp_path / "x.parquet")
    assert again.digest() == table.digest()
    assert again.column("i").dtype == "int16"
    first = again.records()[0]
    assert first["d"] == dt.date(2013, 1, 1)
    assert first["z"].utcoffset() == dt.timedelta(hours=-5)
    assert (first["b"], first["t"], first["l"]) == (b"\xff", dt.time(1, 2), [Decimal("1.10")])


def test_rows_that_are_arrays_survive_parquet(tmp_path):
    table = read({"x": np.arange(12, dtype=np.float32).reshape(2, 2, 3)})
    write_parquet(table, tmp_path / "x.parquet")
    cell = read(tmp_path / "x.parquet").column("x").values[1]
    assert (cell.dtype, cell.shape) == (np.float32, (2, 3))
    assert np.array_equal(cell, [[6, 7, 8], [9, 10, 11]])


def test_selecting_dropping_taking_and_replacing():
    table = read([{"a": 1, "b": "x"}, {"a": 2, "b": None}])
    assert table.select(["b", "a"]).names == ("b", "a")
    assert table.drop(["a"]).names == ("b",)
    assert table.take(np.array([1])).records() == [{"a": 2, "b": None}]
    assert table.take(np.array([0])).column("b").nulls is None
    assert table.replace(table.column("a").take(np.array([1, 0]))).column("a").plain() == [2, 1]
    with pytest.raises(DataError, match="no column 'aa'"):
        table.column("aa")


def test_the_digest_tells_values_types_and_nulls_apart():
    forms: list[Table] = [
        read([{"a": cell}]) for cell in (1, 1.0, "1", True, 0, dt.datetime(1970, 1, 1, 0, 0, 0, 1), [1])
    ]
    forms += [read(pa.table({"a": pa.array([None], pa.int64())})), read(pa.table({"a": pa.array([0], pa.int64())}))]
    digests = [table.digest() for table in forms]
    assert len(set(digests)) == len(digests)
    assert read([{"a": 1}]).with_source("elsewhere").digest() == digests[0]


def test_nothing_is_left_behind_where_writing_fails(tmp_path):
    with pytest.raises(StoreError, match="cannot write"):
        write_parquet(read({"a": [1]}), tmp_path / "missing" / "a.parquet")
    assert list(tmp_path.iterdir()) == []
