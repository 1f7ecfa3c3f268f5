"""Columns are seen without reading a file to its end."""

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from excise.tables.heads import column_names


@pytest.fixture
def folder(tmp_path):
    table = pa.table({"a": [1], "b": ["x"]})
    (tmp_path / "t.csv").write_text("\ufeffa,b\n1,x\n")
    (tmp_path / "s.csv").write_text("a;b\n1;x\n")
    (tmp_path / "t.tsv").write_text("a\tb\n1\tx\n")
    (tmp_path / "t.jsonl").write_text('{"a": 1, "b": "x"}\n')
    (tmp_path / "t.har").touch()
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    pyarrow.feather.write_feather(table, tmp_path / "t.feather")
    with pa.OSFile(str(tmp_path / "t.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    np.savez(tmp_path / "t.npz", a=[1], b=[2])
    return tmp_path


@pytest.mark.parametrize("name", ["t.csv", "s.csv", "t.tsv", "t.jsonl", "t.parquet", "t.feather", "t.arrow", "t.npz"])
def test_every_form_tells_its_columns(folder, name):
    assert column_names(folder / name) == ("a", "b")


def test_a_recording_has_requests(folder):
    assert column_names(folder / "t.har") == ("method", "path")


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.parquet", "x.arrow", "x.npz", "x.md"])
def test_what_cannot_be_read_tells_nothing(tmp_path, name):
    assert column_names(tmp_path / name) == ()
    (tmp_path / name).write_bytes(b"\xff\xfe[")
    assert column_names(tmp_path / name) == ()
