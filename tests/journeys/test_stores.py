"""A feature view whose online values went stale and wrong, in a real Feast repository in an environment of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ENVIRONMENT = Path(sys.prefix) / "feast" / "bin"
SETTINGS = """
project: flights
provider: local
registry: registry.db
online_store: {type: sqlite, path: online.db}
offline_store: {type: file}
entity_key_serialization_version: 3
"""
MAKE = """
import datetime as dt, sys
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float32, Int64, String

random = np.random.default_rng(0)
n = 600
noon = dt.datetime(2026, 1, 1, 12, tzinfo=dt.timezone.utc)
def rows(hour, delay):
    return pa.table({
        "plane": np.arange(n), "event_timestamp": pa.array([noon + dt.timedelta(hours=hour)] * n),
        "delay": pa.array(delay, pa.float32()), "seats": random.integers(50, 300, n) if hour == 0 else seats,
        "carrier": np.resize(["UA", "B6", "DL"], n),
    })
seats = None
first = rows(0, random.normal(10, 3, n)); seats = first["seats"]
pq.write_table(first, "planes.parquet")
plane = Entity(name="plane", join_keys=["plane"], value_type=ValueType.INT64)
source = FileSource(path="planes.parquet", timestamp_field="event_timestamp")
fields = [Field(name="delay", dtype=Float32), Field(name="seats", dtype=Int64), Field(name="carrier", dtype=String)]
view = FeatureView(name="planes", entities=[plane], schema=[*fields, Field(name="plane", dtype=Int64)], source=source,
                   ttl=dt.timedelta(0))
store = FeatureStore(".")
store.apply([plane, view])
if sys.argv[1] != "applied":
    store.materialize(noon - dt.timedelta(days=1), noon + dt.timedelta(days=1))
if sys.argv[1] == "stale":  # 100 planes have newer delays offline that nobody brought online
    delay = first["delay"].to_numpy().copy()
    delay[:100] += 5
    newer = rows(6, delay)
    pq.write_table(pa.concat_tables([first, newer.slice(0, 100)]), "planes.parquet")
"""
CHECK = """
from excise.adapters.stores import find
from excise.adapters.stores.conformance import check_store
print(check_store(lambda: find("feast"), "./planes", "./no_such_view"))
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def repository(tmp_path):
    if not (ENVIRONMENT / "excise").exists():
        pytest.skip("make .venv/.engines")
    (tmp_path / "feature_store.yaml").write_text(SETTINGS)

    def made(state):
        run("python", "-c", MAKE, state, folder=tmp_path)
        return tmp_path

    return made


def run(program, *words, folder, code=0):
    done = subprocess.run(
        [ENVIRONMENT / program, *words], cwd=folder, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == code, done.stderr
    return done


def drift(folder, place, code=0):
    return run("excise", "drift", place, "--fail-on", "material", "--json", folder=folder, code=code)


def test_a_view_that_was_brought_online_is_silent(repository):
    document = json.loads(drift(repository("fresh"), "feast:./planes").stdout)
    assert document["verdict"] == "none"
    assert [one["name"] for one in document["features"]] == ["carrier", "delay", "seats"]
    assert "sample of the entities" in run("python", "-c", CHECK, folder=repository("fresh")).stdout


def test_features_that_went_stale_are_named(repository):
    document = json.loads(drift(repository("stale"), "feast:./planes", code=1).stdout)
    material = [one for one in document["features"] if one["verdict"] == "material"]
    assert [one["name"] for one in material] == ["delay"]
    cause = material[0]["causes"][0]
    assert (cause["cause"], cause["share"]) == ("skew", pytest.approx(100 / 600))
    assert cause["what"] == "another value online than offline (an older one for 100 of 100 entities)"


BAD = {
    "no repository": ("feast:nowhere/planes", "nowhere is no Feast repository"),
    "no view": ("feast:./plane", "did you mean planes?"),
    "not online": ("feast:./planes", "materialize"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_with_exit_2(repository, case):
    place, words = BAD[case]
    done = drift(repository("applied"), place, code=2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr
