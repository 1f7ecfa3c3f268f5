import json
import shutil
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier

from excise.adapters.models import find
from excise.adapters.models.conformance import check_predictor
from excise.core.errors import CallFailed, InvalidRef, ModelError
from excise.core.predictor import InputKind
from excise.core.refs import ModelRef
from excise.measure.process import Worker
from excise.tables import read

APPS = Path(__file__).parent.parent / "apps"
FLIGHTS = [
    {"month": month, "hour": 6.5 + month, "distance": 300.0 * month, "carrier": "AA" if month % 2 else "DL"}
    for month in range(1, 9)
]
POST = {"method": "POST", "path": "/predict"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A user's folder: the services, and a model that was trained for them."""
    folder = tmp_path_factory.mktemp("services")
    for app in APPS.glob("*.py"):
        shutil.copy(app, folder)
    random = np.random.default_rng(0)
    x = np.column_stack([random.integers(1, 13, 300), random.uniform(0, 24, (300, 2)), random.integers(0, 3, 300)])
    model = GradientBoostingClassifier(n_estimators=20, random_state=0).fit(x, x[:, 1] + x[:, 0] > 18)
    model.feature_names_in_ = np.array(["month", "hour", "distance", "carrier"], dtype=object)
    joblib.dump(model, folder / "late.joblib")
    return folder


def loader(ref, request=None, **options):
    spec = find(ModelRef.parse(ref)).variant.loader
    return spec.__class__(
        loader=spec.loader, target=spec.target, options={**spec.options, "request": request, **options}
    )


@pytest.fixture
def served(folder):
    """A service in a process of its own, with rows to ask it with."""
    opened = []

    def serve(name, request, rows, **options):
        worker = Worker(sys.executable, project=folder)
        opened.append(worker)
        worker.load(loader(f"{name.partition(':')[0]}:{folder}/{name.partition(':')[2]}", request, **options))
        worker.data(read(rows), kind=InputKind.RECORDS)
        return worker

    yield serve
    for worker in opened:
        worker.close()


def answers(worker, count, **options):
    return worker.outputs("current", range(count), batch=1, shadow=True, seconds=5.0, **options)


@pytest.fixture
def predictor(folder, monkeypatch):
    """A service in this process."""
    monkeypatch.chdir(folder)
    opened = []

    def load(ref, request=None, **options):
        spec = loader(ref, request, **options)
        scope = {"__file__": spec.loader, "__name__": "loaded"}
        exec(compile(Path(spec.loader).read_text(), spec.loader, "exec"), scope)
        opened.append(scope["load"](spec.target, spec.options))
        return opened[-1]

    yield load
    for one in opened:
        one.close()


@pytest.mark.parametrize("path", ["/predict", "/async"])
def test_a_fastapi_service_keeps_the_contract(predictor, path):
    service = predictor("asgi:flights.py:app", {"method": "POST", "path": path})
    check_predictor(service, batches=[[row] for row in FLIGHTS], whole=FLIGHTS)


@pytest.mark.parametrize(
    "ref", ["asgi:starlets.py:app", "asgi:djangos.py:asgi", "wsgi:djangos.py:wsgi", "wsgi:flasks.py:app"]
)
def test_every_framework_answers_alike(served, ref):
    worker = served(ref, {"method": "POST", "path": "/double"}, [{"x": x} for x in range(4)])
    found = answers(worker, 4)
    assert found["values"]["y"].tolist() == [0, 2, 4, 6]
    assert found["failures"] == {}


def test_an_application_behind_a_factory_is_made(served):
    found = answers(served("asgi:starlets.py:create_app", {"method": "POST", "path": "/double"}, [{"x": 4}]), 1)
    assert found["values"]["y"].tolist() == [8]


def test_lifespan_runs_before_the_first_request_and_ends_with_the_process(served, folder):
    (folder / "ended.txt").unlink(missing_ok=True)
    worker = served("asgi:flights.py:app", POST, FLIGHTS)
    assert answers(worker, 8)["failures"] == {}
    assert not (folder / "ended.txt").exists()
    worker.close()
    assert (folder / "ended.txt").read_text() == "ended"


def test_a_lifespan_that_fails_says_why(served):
    with pytest.raises(CallFailed, match="failed in its lifespan: ConnectionError: the feature store is away"):
        served("asgi:starlets.py:broken", POST, FLIGHTS)


def test_a_lifespan_that_leaves_says_so(served):
    with pytest.raises(CallFailed, match="failed in its lifespan: SystemExit: no configuration"):
        served("asgi:starlets.py:leaving", POST, FLIGHTS)


def test_a_request_that_leaves_is_counted_and_the_loop_goes_on(served):
    rows = [{"x": x} for x in (0, 1, 2, 5)]
    found = answers(served("asgi:starlets.py:hostile", {"method": "POST", "path": "/double"}, rows), 4)
    assert found["failures"] == {"SystemExit in the application": 2}
    assert found["values"]["y"].tolist() == [0, None, None, 10]


@pytest.mark.parametrize("hangs", [3, 4])
def test_a_request_that_hangs_names_its_row(served, hangs):
    rows = [{"x": x} for x in (0, hangs, 5)]
    worker = served("asgi:starlets.py:hostile", {"method": "POST", "path": "/double"}, rows, timeout_s=0.5)
    with pytest.raises(CallFailed, match=r"on row 1: no answer within 0\.5 s"):
        answers(worker, 3)


def test_an_application_without_lifespan_and_an_answer_in_parts_are_whole(served):
    found = answers(served("asgi:starlets.py:without_lifespan", POST, [{"x": 1}]), 1)
    assert found["values"][""].tolist() == [[1, 2]]
    parts = answers(served("asgi:starlets.py:app", {"method": "GET", "path": "/parts"}, [{"x": 1}]), 1)
    assert parts["values"][""].tolist() == ["abc"]


def test_an_answer_that_is_never_finished_is_counted(served):
    found = answers(served("asgi:starlets.py:unfinished", POST, [{"x": 1}]), 1)
    assert found["failures"] == {"an unfinished answer": 1}


def test_a_request_that_fails_is_counted_and_ends_nothing(served):
    rows = [{"item": name} for name in ("a", "none", "broken", "b")]
    found = answers(served("asgi:flights.py:app", {"method": "GET", "path": "/items/{{item}}?q={{item}}"}, rows), 4)
    assert found["failures"] == {"404 Not Found": 1, "ValueError in the application": 1}
    assert found["values"]["item"].tolist() == ["a", None, None, "b"]
    assert "this item is broken" in found["last_failure"]


def test_a_bad_body_is_answered_and_counted(served):
    found = answers(served("asgi:flights.py:app", POST, [{**FLIGHTS[0], "distance": -1.0}]), 1)
    assert found["failures"] == {"422 Unprocessable Entity": 1}
    assert "greater_than" in found["last_failure"]


def test_background_tasks_cost_no_latency(served):
    worker = served("asgi:flights.py:app", {"method": "POST", "path": "/background"}, FLIGHTS)
    worker.warm("current", range(8), batch=1, shadow=True, seconds=0.5)
    started = time.perf_counter()
    block = worker.run("current", range(8), batch=1, shadow=True)
    assert time.perf_counter() - started > 8 * 0.02
    assert np.median(block["wall_ns"]) < 15e6


def test_a_route_in_a_thread_pool_keeps_its_thread(served):
    worker = served("asgi:flights.py:app", POST, FLIGHTS)
    worker.warm("current", range(8), batch=1, shadow=True, seconds=1.0)
    block = worker.run("current", [*range(8)] * 4, batch=1, shadow=True)
    assert block["wall_ns"].shape == (32,)
    assert block["failures"] == {}
    assert (block["cpu_ns"] > 0).all()


def test_recorded_requests_are_replayed_as_they_are(served):
    recorded = [
        {"method": "GET", "path": "/items/a%20b?q=x%20y", "headers": {"X-Trace": "1"}, "body": None},
        {"method": "POST", "path": "/async", "headers": {}, "body": FLIGHTS[0]},
        {"method": "POST", "path": "/async", "headers": {"content-type": "application/json"}, "body": "{"},
    ]
    found = answers(served("asgi:flights.py:app", None, recorded), 3)
    assert found["values"]["q"].tolist()[0] == "x y"
    assert 0 < found["values"]["probability"].tolist()[1] < 1
    assert found["failures"] == {"422 Unprocessable Entity": 1}


def test_all_rows_of_a_call_can_go_in_one_request(served):
    template = {"method": "POST", "path": "/", "body": "{{rows}}"}
    worker = served("wsgi:flasks.py:by_hand", template, [{"x": 1}, {"x": 2}])
    found = worker.outputs("current", range(2), batch=1, shadow=True, seconds=1.0)
    assert found["values"][""].tolist() == ['got [{"x": 1}]', 'got [{"x": 2}]']


def test_all_rows_of_a_request_that_fails_are_without_an_answer(served):
    template = {"method": "POST", "path": "/double", "body": "{{rows}}"}
    worker = served("wsgi:flasks.py:app", template, [{"x": x} for x in range(4)])
    found = worker.outputs("current", range(4), batch=2, shadow=True, seconds=1.0)
    assert found["failures"] == {"500 Internal Server Error": 2}
    assert found["values"][""].tolist() == [None] * 4


def test_a_wsgi_application_that_says_nothing_is_counted(served):
    found = answers(served("wsgi:flasks.py:silent", POST, [{"x": 1}]), 1)
    assert found["failures"] == {"start_response was not called": 1}


def test_the_model_that_a_service_holds_is_found_and_replaced(predictor):
    service = predictor("asgi:flights.py:app", POST)
    before = service.predict(FLIGHTS)
    model = service.model
    assert type(model).__name__ == "GradientBoostingClassifier"

    class Certain:
        def predict_proba(self, frame):
            return np.ones((len(frame), 2))

    service.handler.model = Certain()
    assert [row["probability"] for row in service.predict(FLIGHTS)] == [1.0] * 8
    service.handler.model = model
    assert service.predict(FLIGHTS) == before


@pytest.mark.parametrize(
    ("ref", "error", "says"),
    [
        ("asgi:nothing:app", ModelError, "no module nothing"),
        ("asgi:flights.py:ap", ModelError, "did you mean"),
        ("asgi:flights.py", InvalidRef, "names no application"),
        ("wsgi:model.onnx", InvalidRef, "names no application"),
    ],
)
def test_what_names_no_application_is_refused_before_anything_runs(folder, monkeypatch, ref, error, says):
    monkeypatch.chdir(folder)
    with pytest.raises(error, match=says):
        find(ModelRef.parse(ref))


def test_secrets_in_headers_reach_the_application_and_no_message(served):
    template = {**POST, "headers": [["Authorization", "Bearer verysecret"]]}
    found = answers(served("asgi:flights.py:app", template, [{"x": 1}]), 1)
    assert found["failures"] == {"422 Unprocessable Entity": 1}
    assert "verysecret" not in json.dumps(found, default=str)
