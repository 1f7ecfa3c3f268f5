import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(170)

APPS = Path(__file__).parent.parent / "apps"
TRAIN = """
import joblib, numpy as np
from sklearn.ensemble import GradientBoostingClassifier
random = np.random.default_rng(0)
x = np.column_stack([random.integers(1, 13, 500), random.uniform(0, 24, 500), random.uniform(100, 3000, 500),
                     random.integers(0, 3, 500)])
model = GradientBoostingClassifier(n_estimators=60, random_state=0).fit(x, x[:, 1] + x[:, 0] > 18)
model.feature_names_in_ = np.array(["month", "hour", "distance", "carrier"], dtype=object)
joblib.dump(model, "late.joblib")
"""
FAILING = """
import flights
from fastapi import HTTPException

app, count = flights.app, 0


@app.middleware("http")
async def now_and_then(request, call_next):
    global count
    count += 1
    if count * 0.6180339887 % 1 < 0.2:  # evenly spread over calls, and in step with no rhythm of rounds
        from starlette.responses import JSONResponse
        return JSONResponse({"detail": "now and then"}, status_code=500)
    return await call_next(request)
"""
SLOWER = """
import asyncio, flights

app = flights.app


@app.middleware("http")
async def slowly(request, call_next):
    await asyncio.sleep(0.006)
    return await call_next(request)
"""
EFFORT = ("--budget", "5s", "--prepare-budget", "10s", "--force", "--json")
QUIET_OR_NOISY = {0, 3}


@pytest.fixture
def service(folder):
    """The user's folder with a FastAPI service, its model and rows of requests."""
    for name in ("flights.py", "planted.py", "flasks.py", "djangos.py"):
        shutil.copy(APPS / name, folder)
    (folder / "failing.py").write_text(FAILING)
    (folder / "slower.py").write_text(SLOWER)
    subprocess.run([sys.executable, "-c", TRAIN], cwd=folder, check=True)
    carriers = ("AA", "DL", "UA")
    rows = [f"{1 + k % 12},{7 * k % 24 + 0.5},{100.0 + 13 * k},{carriers[k % 3]}" for k in range(120)]
    (folder / "rows.csv").write_text("\n".join(["month,hour,distance,carrier", *rows]) + "\n")
    (folder / "xs.csv").write_text("\n".join(["x", *(f"{k}.5" for k in range(80))]) + "\n")
    return folder


@contextmanager
def served(folder, app):
    """The application on a uvicorn of its own; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--log-level", "critical", "--no-access-log"]
    process = subprocess.Popen(words, cwd=folder)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def test_a_fastapi_service_is_named_part_by_part_and_gets_a_lean_model(excise, service):
    done = excise("audit", "asgi:flights:app", "--request", "POST /predict", "--current", "rows.csv", *EFFORT)
    assert done.code in QUIET_OR_NOISY, done.err
    spent = {line["name"]: line["self_ms"] for line in done.document["breakdown"]}
    assert min(spent[name] for name in ("model", "preprocessing", "validation", "logging", "serialization")) > 0
    assert max(spent, key=spent.get) in {"model", "preprocessing", "framework"}
    assert any("Logger.info" in found["where"] for found in done.document["findings"])
    onnx = next(one for one in done.document["tried"] if one["remedy"] == "onnx")
    assert onnx["admissible"]


def test_planted_work_is_named_and_its_cost_is_demonstrated(excise, service):
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=answer_slowly, args=(server,), daemon=True).start()
    words = ("asgi:planted:app", "--request", "POST /predict", "--current", "xs.csv", *EFFORT)
    done = excise("audit", *words, VALIDATOR_PORT=str(server.getsockname()[1]))
    server.close()
    assert done.code in QUIET_OR_NOISY, done.err
    named = " ".join(found["where"] for found in done.document["findings"] if found["kind"] == "undeclared_work")
    assert all(name in named for name in ("validate_again", "json.dumps", "warnings.warn"))
    if done.code == 0:
        (line,) = [one for one in done.document["lines"] if one["culprit"] == "shadow_pipeline"]
        assert line["latency_ms"]["value"] > 1.5


def answer_slowly(server):
    """A validator elsewhere: 2 ms a question, for every process that asks."""

    def answer(connection):
        with connection:
            while connection.recv(4096):
                time.sleep(0.002)
                connection.sendall(b"ok")

    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


@pytest.mark.parametrize("ref", ["wsgi:flasks:app", "asgi:djangos:asgi"])
def test_flask_and_django_are_audited_alike(excise, service, ref):
    done = excise("audit", ref, "--request", "POST /double", "--current", "xs.csv", "--budget", "3s", *EFFORT[2:])
    assert done.code in QUIET_OR_NOISY, done.err
    assert done.document["model"]["kind"] == "service"
    assert done.document["beside"]["stability_loss"]["value"] == 0


@pytest.mark.alone
def test_a_server_by_url_is_told_from_outside_and_held_against_another(excise, service):
    words = ("--request", "POST /predict", "--current", "rows.csv", *EFFORT)
    with served(service, "failing:app") as one, served(service, "slower:app") as other:
        first = excise("audit", one, "--against", other, *words)
        second = excise("audit", one, *words)
    assert first.code in QUIET_OR_NOISY, first.err
    found = first.document
    assert found["tax_rate"] is None
    assert found["current"]["cpu_ms"] is None
    assert 0 < found["beside"]["stability_loss"]["value"] < 0.5
    assert found["against"]["slower"]["low"] > 0
    assert found["against"]["failures"]["value"] == 0
    assert second.document["beside"]["response_drift"]["value"] == 0, "calls that failed once are no answers"
    assert second.document["beside"]["computational_creep"] is not None


def test_an_endpoint_that_is_not_there_or_wants_a_login_is_one_line_with_a_hint(excise, service):
    done = excise("audit", "http://127.0.0.1:9", "--request", "POST /predict", "--current", "rows.csv", *EFFORT)
    assert done.code in {2, 4}
    assert len(done.err.strip().splitlines()) == 2
    assert "Hint:" in done.err


def test_what_was_recorded_is_replayed_and_no_secret_is_on_disk(excise, service):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["record", "asgi:djangos:asgi", "--out", "bodies.jsonl", "--n", "30", "--port", str(port), "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "excise", *words], cwd=service, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=os.environ | {"NO_COLOR": "1"},
    )  # fmt: skip
    assert "Listening" in process.stderr.readline()
    headers = {"Content-Type": "application/json", "Authorization": "Bearer s3cret"}
    for k in range(30):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/double", json.dumps({"x": k}).encode(), headers)
        with urllib.request.urlopen(request) as answered:
            assert answered.status == 200
    out, err = process.communicate(timeout=60)
    assert json.loads(out)["requests"] == 30, err
    done = excise("audit", "asgi:djangos:asgi", "--current", "bodies.jsonl", "--header", "X-Key: s3cret", *EFFORT)
    assert done.code in QUIET_OR_NOISY, done.err
    assert done.document["workload"]["rows"] == 30
    for path in (service / "bodies.jsonl", *(service / ".excise").rglob("*")):
        assert not path.is_file() or b"s3cret" not in path.read_bytes(), path
