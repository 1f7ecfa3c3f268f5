"""Parts of files hold every row once, in order, and no more of them in memory than was asked for."""

import gzip
import json

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from excise.core.errors import DataError
from excise.tables import delimited, json_lines, partitions, parts_in, read

ROWS = pa.table({"a": np.arange(1000.0), "b": [f"l{n % 7}" for n in range(1000)]})


@pytest.fixture
def large(monkeypatch):
    """Samples of any size are large, and blocks of text are small."""
    monkeypatch.setattr(partitions, "LARGE_ROWS", 1)
    monkeypatch.setattr(partitions, "LARGE_BYTES", 1)
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 1 << 10)
    monkeypatch.setattr(json_lines, "BLOCK_BYTES", 1 << 10)


def tables_in(path, batch=128):
    return [table for part in parts_in(str(path), "exact").parts for table in part.tables(batch)]


def rows_in(path, batch=128):
    return [row for table in tables_in(path, batch) for row in table.records()]


def test_a_small_sample_is_read_file_by_file(tmp_path):
    pq.write_table(ROWS.slice(0, 700), tmp_path / "a.parquet", row_group_size=300)
    pq.write_table(ROWS.slice(700), tmp_path / "b.parquet")
    parts, large = parts_in(str(tmp_path), "exact")
    assert ([(part.group, part.streamed) for part in parts], large) == ([(None, False)] * 2, False)
    assert rows_in(tmp_path) == read(tmp_path).records()


def test_a_large_one_is_cut_into_row_groups_and_those_without_rows_are_none(tmp_path, large):
    with pq.ParquetWriter(tmp_path / "a.parquet", ROWS.schema) as writer:
        for start, rows in ((0, 300), (300, 0), (300, 400)):
            writer.write_table(ROWS.slice(start, rows))
    pq.write_table(ROWS.slice(700), tmp_path / "b.parquet")
    pq.write_table(ROWS.slice(0, 0), tmp_path / "c.parquet")
    parts, _ = parts_in(str(tmp_path), "exact")
    assert pq.ParquetFile(tmp_path / "a.parquet").num_row_groups == 3
    assert [(part.path[-9:-8], part.group) for part in parts] == [("a", 0), ("a", 2), ("b", 0)]
    assert rows_in(tmp_path) == read(tmp_path).records()
    assert max(table.rows for table in tables_in(tmp_path)) == 128


def test_a_footer_is_parsed_once_a_part(tmp_path, large, monkeypatch):
    pq.write_table(ROWS, tmp_path / "a.parquet")
    (part,) = parts_in(str(tmp_path), "exact").parts
    parsed = []
    real = pq.ParquetFile.__init__
    monkeypatch.setattr(
        pq.ParquetFile, "__init__", lambda self, *a, **k: parsed.append(k.get("metadata")) or real(self, *a, **k)
    )
    list(part.tables())
    assert parsed.count(None) == 1


def csv_text(rows):
    return "a,b\n" + "".join(f'{row["a"]},"{row["b"]}"\n' for row in rows)


def json_text(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


MIXED = [{"a": n if n < 500 else n / 4, "b": "x\ny" if n % 3 else " 7 "} for n in range(1000)]


@pytest.mark.parametrize(
    ("name", "text"), [("rows.csv", csv_text), ("rows.jsonl", json_text), ("rows.json", json_text)]
)
@pytest.mark.parametrize("packed", [False, True])
def test_texts_come_block_by_block_with_every_cell_as_it_stands(tmp_path, large, name, text, packed):
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(text(MIXED).encode()) if packed else text(MIXED).encode())
    blocks = tables_in(path)
    assert len(blocks) > 5
    assert [row for block in blocks for row in block.records()] == read(path).records()
    assert [row["a"] for block in blocks for row in block.records()] == [row["a"] for row in MIXED]


@pytest.mark.parametrize("write", [pyarrow.feather.write_feather, None])
def test_arrow_comes_batch_by_batch(tmp_path, large, write):
    path = tmp_path / "rows.arrow"
    if write:
        write(ROWS, str(path), chunksize=300)
    else:
        with pa.ipc.new_stream(path, ROWS.schema) as stream:
            stream.write_table(ROWS, max_chunksize=300)
    assert [table.rows for table in tables_in(path) if table.rows] == [300, 300, 300, 100]
    assert rows_in(path) == read(path).records()


def test_a_line_longer_than_a_block_is_read_all_the_same(tmp_path, large):
    rows = [{"a": n, "b": "w" * (5000 if n == 300 else 5)} for n in range(600)]
    (tmp_path / "rows.csv").write_text(csv_text(rows))
    assert rows_in(tmp_path / "rows.csv") == rows
    (tmp_path / "rows.jsonl").write_text(json_text(rows))
    assert rows_in(tmp_path / "rows.jsonl") == rows


def test_a_key_that_comes_late_is_a_column_from_then_on(tmp_path, large):
    rows = [{"a": n} if n < 500 else {"c": n} for n in range(1000)]
    (tmp_path / "rows.jsonl").write_text(json_text(rows))
    blocks = tables_in(tmp_path / "rows.jsonl")
    assert (blocks[0].names, blocks[-1].names) == (("a",), ("a", "c"))


def test_an_array_of_objects_has_no_lines_to_be_cut_at(tmp_path, large):
    (tmp_path / "rows.json").write_text(json.dumps(MIXED))
    assert rows_in(tmp_path / "rows.json") == MIXED


def test_a_file_without_rows_gives_an_empty_table(tmp_path, large):
    (tmp_path / "a.csv").write_text("a,b\n")
    (tmp_path / "b.csv").write_text("a,b\n1,2\n")
    assert [(table.names, table.rows) for table in tables_in(tmp_path)] == [(("a", "b"), 0), (("a", "b"), 1)]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("rows.csv", csv_text(MIXED) + "1,2,3\n", "2 columns expected, 3 found in line 1002"),
        ("rows.csv", csv_text(MIXED).encode() + b"1,\xff\n", "rows.csv is not UTF-8, column 'b'"),
        ("rows.jsonl", json_text(MIXED) + "{a\n", "rows.jsonl, line 1001: "),
        ("rows.csv.gz", gzip.compress(csv_text(MIXED).encode())[:-20], "rows.csv.gz cannot be unpacked"),
        ("rows.jsonl.gz", gzip.compress(json_text(MIXED).encode())[:-20], "rows.jsonl.gz cannot be unpacked"),
        ("rows.arrow", b"ARROW1\0\0", "rows.arrow is not a readable Arrow file"),
    ],
)
def test_what_is_wrong_late_in_a_file_is_told_in_one_line(tmp_path, large, name, text, said):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=said) as caught:
        rows_in(tmp_path / name)
    assert "\n" not in caught.value.message


def test_parts_that_differ_in_columns_are_named(tmp_path):
    pq.write_table(ROWS, tmp_path / "a.parquet")
    pq.write_table(ROWS.rename_columns(["a", "c"]), tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"b\.parquet and .*a\.parquet differ in columns: b, c"):
        parts_in(str(tmp_path), "exact")


def test_a_cut_file_is_named(tmp_path):
    pq.write_table(ROWS, tmp_path / "whole.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "whole.parquet").read_bytes()[:900])
    with pytest.raises(DataError, match=r"cut\.parquet is not a readable Parquet file"):
        parts_in(str(tmp_path / "cut.parquet"), "exact")


@pytest.mark.parametrize("streamed", [False, True])
def test_parts_are_read_through_a_url(tmp_path, streamed, monkeypatch):
    monkeypatch.setattr(partitions, "LARGE_ROWS", 1 if streamed else 10**9)
    memory = fsspec.filesystem("memory")
    pq.write_table(ROWS, tmp_path / "a.parquet", row_group_size=300)
    memory.pipe("/parts/a.parquet", (tmp_path / "a.parquet").read_bytes())
    memory.pipe("/parts/b.csv.gz", gzip.compress(csv_text(MIXED).encode()))
    try:
        assert len(parts_in("memory://parts", "exact").parts) == (5 if streamed else 2)
        assert rows_in("memory://parts") == read("memory://parts").records()
    finally:
        memory.rm("/parts", recursive=True)
