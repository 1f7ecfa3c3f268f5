"""The same numbers from Ray, from Spark and from here; each system in an environment of its own, seeing no network."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ENVIRONMENTS = {name: Path(sys.prefix) / name for name in ("ray", "spark")}
CONFINED = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
TWO_NODES = """
import json, sys, time
import ray
from ray.cluster_utils import Cluster
import excise
from excise.adapters.engines import find
from excise.adapters.engines.conformance import check_engine
from excise.report.documents import to_json

def node(_):
    time.sleep(0.3)
    return ray.get_runtime_context().get_node_id().encode()

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
cluster.add_node(num_cpus=1)
ray.init(cluster.address, log_to_driver=False)
engine = find("ray")
nodes = set(engine.map(node, [b""] * 6))
checked = check_engine(lambda: find("ray"))
drift = excise.drift("reference.parquet", "current", engine=engine)
engine.close()
print(json.dumps({"nodes": len(nodes), "checked": checked, "connected": ray.is_initialized(),
                  "drift": json.loads(to_json(drift))}))
ray.shutdown()
cluster.shutdown()
"""
ACTIVE = """
import json
from pyspark.sql import SparkSession
import excise
from excise.adapters.engines import find
from excise.adapters.engines.conformance import check_engine
from excise.report.documents import to_json

session = (SparkSession.builder.master("local[2]").config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1").config("spark.ui.enabled", "false").getOrCreate())
checked = check_engine(lambda: find("spark"))
drift = excise.drift("reference.parquet", "current", engine="spark")
print(json.dumps({"checked": checked, "alive": session.range(3).count(), "drift": json.loads(to_json(drift))}))
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(params=ENVIRONMENTS)
def engine(request):
    if not (ENVIRONMENTS[request.param] / "bin" / "excise").exists():
        pytest.skip("make .venv/.engines")
    if request.param == "spark" and shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    return request.param


@pytest.fixture
def samples(folder):
    """A reference, today's rows in files that differ in a column's type, other columns, and a file that breaks off."""
    random = np.random.default_rng(0)

    def rows(count, shift=0.0):
        columns = {
            "size": random.normal(shift, 1, count),
            "count": random.integers(0, 50, count),
            "level": random.choice(["a", "b", "c "], count),
            "gap": [None if value < 0.1 else value for value in random.random(count).tolist()],
        }
        return pa.table(columns)

    pq.write_table(rows(20_000), folder / "reference.parquet", row_group_size=5000)
    for name in ("current", "columns", "broken"):
        (folder / name).mkdir()
    texts = rows(4000, 0.3)
    padded = pa.array([f" {value} " for value in texts["count"].to_pylist()])
    pq.write_table(rows(6000, 0.3), folder / "current" / "a.parquet", row_group_size=2500)
    pq.write_table(texts.set_column(1, "count", padded), folder / "current" / "b.parquet")
    (folder / "columns" / "a.csv").write_text("x,k\n1,2\n")
    (folder / "columns" / "b.csv").write_text("x,z\n1,2\n")
    content = bytearray((folder / "reference.parquet").read_bytes())
    content[4:400] = bytes(396)  # the head of the first page; the footer stays whole, so that only a worker notices
    (folder / "broken" / "a.parquet").write_bytes(content)
    return folder


def confined(command, folder, **variables):
    """Run it with a loopback interface alone, where we may; with what it finds otherwise."""
    allowed = shutil.which("unshare") and subprocess.run([*CONFINED, "true"], check=False, capture_output=True)
    prefix = CONFINED if allowed and allowed.returncode == 0 else []
    return subprocess.run(
        [*prefix, *map(str, command)], cwd=folder, capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": ""} | variables,
    )  # fmt: skip


def told(document):
    """A document as comparisons read it."""
    return {name: value for name, value in document.items() if name != "run"}


def test_the_command_line_says_the_same_to_the_last_bit(engine, excise, samples):
    made = excise("drift", "reference.parquet", "current", "--json")
    assert made.code == 0, made.err
    here = made.document
    command = [
        ENVIRONMENTS[engine] / "bin" / "excise",
        "drift",
        "reference.parquet",
        "current",
        "--engine",
        engine,
        "--json",
    ]
    done = confined(command, samples)
    assert done.returncode == 0, done.stderr
    there = json.loads(done.stdout)
    assert told(there) == told(here)
    assert (here["run"]["engine"], there["run"]["engine"]) == ("local", engine)
    causes = {one["name"]: [cause["cause"] for cause in one["causes"]] for one in there["features"]}
    assert causes["count"] == ["blanks"]


def test_a_profile_is_the_same_file(engine, excise, samples):
    assert excise("profile", "current", "-o", "here.profile").code == 0
    done = confined(
        [ENVIRONMENTS[engine] / "bin" / "excise", "profile", "current", "-o", "there.profile", "--engine", engine],
        samples,
    )
    assert done.returncode == 0, done.stderr
    assert (samples / "there.profile").read_bytes() == (samples / "here.profile").read_bytes()


@pytest.mark.parametrize("wrong", ["columns", "broken"])
def test_what_is_wrong_with_a_part_is_told_in_the_same_line(engine, excise, samples, wrong):
    here = excise("drift", "reference.parquet", wrong)
    done = confined(
        [ENVIRONMENTS[engine] / "bin" / "excise", "drift", "reference.parquet", wrong, "--engine", engine], samples
    )
    assert (here.code, done.returncode, done.stdout) == (2, 2, "")
    lines = here.err.strip().splitlines()
    assert len(lines) == 2
    assert done.stderr.strip().splitlines()[-2:] == lines


def test_ray_uses_the_cluster_that_it_is_connected_to(excise, samples):
    environment = ENVIRONMENTS["ray"]
    if not (environment / "bin" / "excise").exists():
        pytest.skip("make .venv/.engines")
    done = confined([environment / "bin" / "python", "-c", TWO_NODES], samples)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["nodes"], found["connected"]) == (2, True)
    assert "answers in the order of the items" in found["checked"]
    assert told(found["drift"]) == told(excise("drift", "reference.parquet", "current", "--json").document)


def test_spark_uses_the_session_that_is_active(excise, samples):
    environment = ENVIRONMENTS["spark"]
    if not (environment / "bin" / "excise").exists() or shutil.which("java") is None:
        pytest.skip("make .venv/.engines, and Java")
    done = confined(
        [environment / "bin" / "python", "-c", ACTIVE], samples, PYSPARK_PYTHON=str(environment / "bin" / "python")
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["alive"] == 3
    assert "answers in the order of the items" in found["checked"]
    assert told(found["drift"]) == told(excise("drift", "reference.parquet", "current", "--json").document)
