"""An endpoint in a worker process: the same answers as here, its failures and meters beside the times."""

import json
import sys

import numpy as np
import pytest
from servers import HOSTILE, running

from excise.adapters.models import find
from excise.core.predictor import InputKind
from excise.core.refs import ModelRef
from excise.measure.process import Worker
from excise.tables import read


@pytest.fixture
def work():
    """A worker that has loaded an endpoint and the rows of a table; closed at the end."""
    workers = []

    def make(url, table, **options):
        spec = find(ModelRef.parse(url)).variant.loader
        spec.options.update(options)
        workers.append(Worker(sys.executable))
        workers[-1].load(spec)
        workers[-1].data(table, kind=InputKind.RECORDS)
        return workers[-1]

    yield make
    for worker in workers:
        worker.close()


def test_a_worker_gets_the_same_answers(hostile, ask, work):
    table = read({"x": np.arange(20) / 7})
    worker = work(hostile.url, table, request={"method": "POST", "path": "/predict"})
    answers = worker.outputs("current", range(20), batch=1, shadow=True, seconds=5.0)
    here = ask(hostile.url, "POST /predict").predict(table.records())
    assert answers["values"]["y"].tolist() == [row["y"] for row in here]
    assert answers["failures"] == {}


def test_a_timed_block_counts_what_failed_also_what_is_seen_only_in_the_answer(hostile, work):
    table = read({"x": np.arange(66)})
    for path, failures in [("/sometimes", {"500 Internal Server Error": 2}), ("/malformed", {"malformed JSON": 66})]:
        hostile.calls = 0
        worker = work(hostile.url, table, request={"method": "POST", "path": path})
        block = worker.run("current", range(66), batch=1, shadow=True)
        assert block["failures"] == failures
        assert (block["wall_ns"] > 10_000).all()
        assert block["meters"] == {}


def test_the_servers_time_is_in_the_calls_and_rendering_is_not(work):
    import time

    def slow(handler, _body):
        time.sleep(0.02)
        handler.reply(200, json.dumps("x" * 3_000_000))

    with running({"/": slow}) as server:
        table = read({"x": ["y" * 3_000_000] * 4})
        worker = work(server.url, table, request={"method": "POST", "path": "/"})
        block = worker.run("current", range(4), batch=2, shadow=True)
        assert (block["wall_ns"] >= 40_000_000).all()
        assert block["failures"] == {}


def test_recorded_traffic_is_asked_again(work, tmp_path):
    def entry(number):
        posted = {"mimeType": "application/json", "text": json.dumps({"x": number})}
        headers = [{"name": "Content-Type", "value": "application/json"}, {"name": "Cookie", "value": "hunter2"}]
        url = f"https://production.example.org/predict?n={number}"
        return {"time": 1, "request": {"method": "POST", "url": url, "headers": headers, "postData": posted}}

    file = tmp_path / "traffic.har"
    file.write_text(json.dumps({"log": {"entries": [entry(number) for number in range(5)]}}))
    with running(HOSTILE) as server:
        worker = work(server.url, read(file), headers=[["Authorization", "Bearer t"]])
        answers = worker.outputs("current", range(5), batch=1, shadow=True, seconds=5.0)
        assert answers["values"]["y"].tolist() == [0, 2, 4, 6, 8]
        command, path, headers, body = server.seen[3]
        assert (command, path, json.loads(body)) == ("POST", "/predict?n=3", {"x": 3})
        assert headers["Authorization"] == "Bearer t"
        assert "Cookie" not in headers
