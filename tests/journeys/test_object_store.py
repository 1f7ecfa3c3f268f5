"""Data and profiles in an object store: a server of S3's interface, in an environment of its own."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ENVIRONMENT = Path(sys.prefix) / "s3"
BUCKET = """
import sys
import fsspec
store = fsspec.filesystem("s3")
store.mkdir("bucket")
for name in sys.argv[1:]:
    store.put(name, f"bucket/{name}")
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (ENVIRONMENT / "bin" / "moto_server").exists(), reason="make .venv/.engines"),
]


@pytest.fixture
def store(folder):
    """Runs commands in the environment that speaks to the store, and says where the store is."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = {
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "PYTHONPATH": "",
        "NO_COLOR": "1",
    }

    def run(program, *words, **others):
        return subprocess.run(
            [ENVIRONMENT / "bin" / program, *words],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
            env=os.environ | variables | others,
        )

    with (folder / "log").open("w") as log:
        command = [ENVIRONMENT / "bin" / "moto_server", "-H", "127.0.0.1", "-p", str(port)]
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait(port, server)
            yield run
        finally:
            server.terminate()
            server.wait(20)


def wait(port, server):
    for _ in range(300):
        assert server.poll() is None
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the server does not listen")


def test_a_profile_and_both_samples_in_a_bucket_say_what_files_say(excise, store, folder):
    random = np.random.default_rng(0)
    rows = 2_100_000  # large, so that its row groups are read by ranges
    table = pa.table({"size": random.normal(size=rows).astype(np.float32), "level": random.integers(0, 9, rows)})
    pq.write_table(table.slice(0, 50_000), folder / "reference.parquet")
    pq.write_table(table, folder / "large.parquet", row_group_size=300_000)
    names = ("reference.parquet", "large.parquet", "reference.csv", "current.csv")
    done = store("python", "-c", BUCKET, *names)
    assert done.returncode == 0, done.stderr
    made = store("excise", "profile", "s3://bucket/reference.parquet", "-o", "s3://bucket/kept/reference.profile")
    assert made.returncode == 0, made.stderr
    for reference, current, here in (
        ("kept/reference.profile", "large.parquet", "reference.parquet"),
        ("reference.csv", "current.csv", "reference.csv"),
    ):
        far = store("excise", "drift", f"s3://bucket/{reference}", f"s3://bucket/{current}", "--json")
        near = excise("drift", here, current, "--json")
        assert far.returncode == near.code == 0, far.stderr
        assert json.loads(far.stdout)["features"] == near.document["features"]
    assert json.loads(far.stdout)["current"]["source"] == "s3://bucket/current.csv"


def test_what_cannot_be_reached_is_one_line(store):
    lost = store("excise", "drift", "s3://nowhere/a.parquet", "s3://nowhere/b.parquet")
    assert (lost.returncode, lost.stdout) == (2, "")
    assert "s3://nowhere/a.parquet does not exist" in lost.stderr
    for place in ("s3://bucket/a.parquet", "s3://bucket/a.profile"):
        away = store(
            "excise", "drift", place, place.replace("profile", "parquet"), AWS_ENDPOINT_URL="http://127.0.0.1:9"
        )
        assert (away.returncode, away.stdout) == (2, "")
        assert away.stderr.startswith("Error: cannot re"), away.stderr
        assert len(away.stderr.strip().splitlines()) == 2
