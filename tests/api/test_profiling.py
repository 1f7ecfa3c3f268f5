"""What is read in parts is profiled to the same bits as what is read at once."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import excise
from excise.api import profiling
from excise.core.errors import UsageError
from excise.features import FeatureProfile
from excise.tables import parts_in, read


@pytest.fixture
def file(tmp_path):
    random = np.random.default_rng(0)
    columns = {
        "number": np.where(random.random(5000) < 0.1, np.nan, random.lognormal(0, 2, 5000)),
        "level": random.choice(["a", "b", "c "], 5000),
        "late": random.integers(0, 2, 5000),
    }
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet", row_group_size=700)
    return tmp_path / "rows.parquet"


def test_parts_add_up_to_the_whole_bit_for_bit(file):
    whole = read(file)
    edges = FeatureProfile.build(whole.take(np.arange(1000)))
    parts = parts_in(str(file), "exact")
    assert len(parts) == 8
    streamed = profiling.profile_of(parts, whole.source, None, edges)
    assert streamed.encode() == FeatureProfile.build(whole, edges_from=edges).encode()


def test_a_large_sample_is_read_in_parts_and_says_the_same(file, monkeypatch):
    reference = FeatureProfile.build(read(file))
    at_once = excise.drift(reference, str(file)).features
    monkeypatch.setattr(profiling, "STREAMED", 1000)
    monkeypatch.setattr("excise.tables.partitions.from_path", None)  # nothing is read as a whole any more
    assert excise.drift(reference, str(file)).features == at_once
    both = excise.drift(str(file), str(file), target="late")
    assert [one.verdict for one in both.features] == ["none", "none"]
    assert both.current.rows == 5000
    with pytest.raises(UsageError, match="no order"):
        excise.drift(str(file), str(file), ordered=True)
