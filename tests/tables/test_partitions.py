"""Parts of files hold every row once, in order, and no more of them in memory than was asked for."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from excise.core.errors import DataError
from excise.tables import parts_in, read

ROWS = pa.table({"a": np.arange(1000.0), "b": [f"l{n % 7}" for n in range(1000)]})


def rows_in(parts, batch=128):
    return [row for part in parts for table in part.tables(batch) for row in table.records()]


def test_row_groups_and_whole_files_hold_what_reading_at_once_gives(tmp_path):
    pq.write_table(ROWS.slice(0, 700), tmp_path / "a.parquet", row_group_size=300)
    pq.write_table(ROWS.slice(700), tmp_path / "b.parquet")
    parts = parts_in(str(tmp_path), "exact")
    assert [(part.group, part.rows) for part in parts] == [(0, 300), (1, 300), (2, 100), (0, 300)]
    assert rows_in(parts) == read(tmp_path).records()
    assert max(table.rows for part in parts for table in part.tables(128)) == 128


def test_another_format_is_one_part(tmp_path):
    (tmp_path / "rows.csv").write_text("a,b\n1, 2\n")
    (part,) = parts_in(str(tmp_path / "rows.csv"), "exact")
    assert rows_in([part]) == [{"a": 1, "b": " 2"}]


def test_parts_that_differ_in_columns_are_named(tmp_path):
    pq.write_table(ROWS, tmp_path / "a.parquet")
    pq.write_table(ROWS.rename_columns(["a", "c"]), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="differ in columns: b, c"):
        parts_in(str(tmp_path), "exact")


def test_a_cut_file_is_named(tmp_path):
    pq.write_table(ROWS, tmp_path / "whole.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "whole.parquet").read_bytes()[:900])
    with pytest.raises(DataError, match=r"cut\.parquet is not a readable Parquet file"):
        parts_in(str(tmp_path / "cut.parquet"), "exact")
