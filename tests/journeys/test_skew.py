"""What a release was made on against what its server saw, on real flights and requests that were recorded."""

import io
import json
import time

import numpy as np
import pytest
from pyarrow import compute, parquet

import excise as package

SENT = 3000
SCORING = """
def score(records):
    return [float(record["dep_delay"] or 0) for record in records]
"""


def served(path, rows, change=None):
    """Requests that a small WSGI application answered while they were recorded."""

    def app(environ, start_response):
        body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start_response("200 OK" if "dep_delay" in body["instances"][0] else "422 Unprocessable", [])
        return [b"{}"]

    watched = package.record(app, out=path, rate=1.0)
    for start in range(0, len(rows), 20):
        instances = [change(dict(row)) if change else row for row in rows[start : start + 20]]
        ask(watched, {"instances": instances})
    ask(watched, {"instances": [{"ping": 1}]})
    expected = len(range(0, len(rows), 20)) + 1
    for _ in range(100):
        if path.exists() and path.read_bytes().count(b"\n") == expected:
            return
        time.sleep(0.05)
    raise AssertionError("the requests were not written")


def ask(app, document):
    body = json.dumps(document).encode()
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/predict", "QUERY_STRING": "", "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "wsgi.url_scheme": "http",
    }  # fmt: skip
    answer = app(environ, lambda *_: None)
    list(answer)
    getattr(answer, "close", lambda: None)()


@pytest.fixture
def rows(months):
    table = parquet.read_table(months / "odd.parquet")
    return table.take(np.linspace(0, table.num_rows - 1, SENT).astype(int)).to_pylist()


@pytest.fixture
def release(excise, folder, months):
    january = parquet.read_table(months / "even.parquet")
    late = compute.fill_null(january["dep_delay"], 0)
    parquet.write_table(january.append_column("y", late), folder / "january.parquet")
    words = "--reference", "january.parquet", "--target", "y"
    (folder / "scoring.py").write_text(SCORING)
    made = excise("release", "create", "scoring.py:score", *words, "--name", "flights")
    assert made.code == 0, made.err
    return "flights@1"


def test_clean_traffic_is_silent_and_skew_is_named(excise, folder, release, rows):
    served(folder / "requests.jsonl", rows)
    clean = excise("drift", release, "requests.jsonl", "--fail-on", "immaterial", "--json")
    assert clean.code == 0, clean.out
    assert [gap["what"] for gap in clean.document["not_measured"]] == ["1 of 151 recorded requests"]

    def skewed(row):
        delay = row["dep_delay"]
        return row | {"dep_delay": None if delay is None else delay * 60, "carrier": f" {row['carrier']} "}

    served(folder / "skewed.jsonl", rows, skewed)
    found = excise("drift", release, "skewed.jsonl", "--fail-on", "material", "--json")
    assert found.code == 1
    causes = {one["name"]: {cause["cause"] for cause in one["causes"]} for one in found.document["features"]}
    material = {one["name"] for one in found.document["features"] if one["verdict"] == "material"}
    assert material == {"dep_delay", "carrier"}
    assert "blanks" in causes["carrier"]


def test_traffic_without_rows_is_one_line(excise, folder, release):
    line = {"method": "POST", "path": "/", "headers": {}, "body": {"user": 1}, "status": 200, "ms": 1.0}
    (folder / "other.jsonl").write_text(json.dumps(line) + "\n")
    done = excise("drift", release, "other.jsonl")
    assert done.code == 2
    assert "none of 1 recorded requests" in done.err
