"""A FastAPI service's parts as an audit names them, against the same parts timed by hand.

The service validates with pydantic, prepares with pandas, asks a boosted tree and writes a JSON log line. The hand's
copy has a clock around each of the four; it is replayed in processes of its own, in turns with audits of the plain one.
A part passes where the ratio of medians is within 10 %. The same service on a real uvicorn must agree in total with a
clock around the application inside that server, and with the wire: an application that only echoes. Beside it stands
what the service takes in process, where no sleep between requests cools its caches.

Usage: python benchmarks/audit/service_parts.py [--pairs 5] [--budget 10]
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import excise

WITHIN = 0.10
SERVICE = """
import json, logging, pathlib
import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

HERE = pathlib.Path(__file__).parent
log = logging.getLogger("service")
log.setLevel(logging.INFO)
log.propagate = False
log.addHandler(logging.FileHandler(HERE / "service.log"))
model = joblib.load(HERE / "late.joblib")
app = FastAPI()

class Flight(BaseModel):
    month: int
    hour: float
    distance: float
    carrier: str

def prepare(flight):
    frame = pd.DataFrame([flight.model_dump()])[["month", "hour", "distance", "carrier"]]
    frame["hour"] = frame["hour"].fillna(0)
    frame["carrier"] = frame["carrier"].map({"AA": 0, "DL": 1, "UA": 2}).fillna(-1)
    return frame

@app.post("/predict")
async def predict(flight: Flight):
    frame = prepare(flight)
    probability = float(model.predict_proba(frame)[0, 1])
    log.info(json.dumps({"month": flight.month, "carrier": flight.carrier, "probability": probability}))
    return {"probability": probability}
"""
BY_HAND = (
    ("    frame = prepare(flight)\n", "preprocessing"),
    ("    probability = float(model.predict_proba(frame)[0, 1])\n", "model"),
    (
        '    log.info(json.dumps({"month": flight.month, "carrier": flight.carrier, "probability": probability}))\n',
        "log line",
    ),
)
CLOCK = """
import time, collections
from fastapi.dependencies import utils
SPENT = collections.defaultdict(list)
plain = utils.request_body_to_args
async def timed(*args, **kwargs):
    start = time.perf_counter_ns()
    made = await plain(*args, **kwargs)
    SPENT["validation"].append(time.perf_counter_ns() - start)
    return made
utils.request_body_to_args = timed
"""
ECHO = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        await receive()
        return await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"probability": 0.5}'})
"""
CLOCKED = """
import json, statistics, time
from service import app as service

WALLS = []
async def app(scope, receive, send):
    if scope["type"] != "http":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        with open("clocked.json", "w") as file:
            json.dump(statistics.median(WALLS) / 1e6, file)
        return await send({"type": "lifespan.shutdown.complete"})
    start = time.perf_counter_ns()
    await service(scope, receive, send)
    WALLS.append(time.perf_counter_ns() - start)
"""
TRAIN = """
import joblib, numpy as np, sys
from sklearn.ensemble import GradientBoostingClassifier
random = np.random.default_rng(0)
x = np.column_stack([random.integers(1, 13, 2000), random.uniform(0, 24, 2000), random.uniform(100, 3000, 2000),
                     random.integers(0, 3, 2000)])
model = GradientBoostingClassifier(n_estimators=100, random_state=0).fit(x, x[:, 1] + x[:, 0] > 18)
model.feature_names_in_ = np.array(["month", "hour", "distance", "carrier"], dtype=object)
joblib.dump(model, "late.joblib")
"""
REPLAY = """
import importlib.util, json, statistics, sys
spec = importlib.util.spec_from_file_location("service", sys.argv[1])
loader = importlib.util.module_from_spec(spec)
spec.loader.exec_module(loader)
import os; sys.path.insert(0, os.getcwd())
service = loader.load("hand:app", {"interface": "asgi", "request": {"method": "POST", "path": "/predict"}})
rows = json.load(open("rows.json"))
calls = [service.prepare([row]) for row in rows]
async def main():
    import time
    walls = []
    for batch in calls * 3:
        start = time.perf_counter_ns()
        walls.append(await service.ask(batch) - start)
    return walls
walls = service.on_loop(main)
import hand
parts = {name: statistics.median(spent[len(calls):]) / 1e6 for name, spent in hand.SPENT.items()}
print(json.dumps({**parts, "total": statistics.median(walls[len(calls):]) / 1e6}))
service.close()
"""


def by_hand() -> str:
    """The service with a clock around each of its parts."""
    source = SERVICE
    for line, name in BY_HAND:
        head, tail = (
            "    _start = time.perf_counter_ns()\n",
            f'    SPENT["{name}"].append(time.perf_counter_ns() - _start)\n',
        )
        assert line in source
        source = source.replace(line, head + line + tail)
    return CLOCK + source


def prepare(folder: Path) -> None:
    """Both copies, a trained model and rows."""
    (folder / "service.py").write_text(SERVICE)
    (folder / "hand.py").write_text(by_hand())
    (folder / "echo.py").write_text(ECHO)
    (folder / "clocked.py").write_text(CLOCKED)
    subprocess.run([sys.executable, "-c", TRAIN], cwd=folder, check=True)
    carriers = ("AA", "DL", "UA")
    rows = [
        {"month": 1 + k % 12, "hour": (7 * k % 24) + 0.5, "distance": 100.0 + 13 * k, "carrier": carriers[k % 3]}
        for k in range(200)
    ]
    (folder / "rows.json").write_text(json.dumps(rows))


def audited(budget: float, model: str = "asgi:service:app") -> Any:
    """One audit of the plain service; run in the folder."""
    return excise.audit(
        model, current="rows.json", request="POST /predict", budget_s=budget, prepare_budget_s=1, keep=False, force=True
    )


def named(audit: Any) -> dict[str, float]:
    """The four parts as the audit names them, ms per call."""
    kinds = {line.name: line.self_ms for line in audit.breakdown}
    line = next(spot.where for spot in audit.hotspots if spot.name == "Logger.info")
    log_line = sum(spot.self_ms for spot in audit.hotspots if spot.where == line)
    return {
        "preprocessing": kinds["preprocessing"],
        "model": kinds["model"],
        "validation": next(spot.total_ms for spot in audit.hotspots if spot.name == "request_body_to_args"),
        "log line": log_line,
        "total": sum(kinds.values()),
    }


def hand(folder: Path) -> dict[str, float]:
    """The four parts by the hand's clocks, in a fresh process."""
    loader = Path(excise.__file__).parent / "adapters/models/loaders/service.py"
    done = subprocess.check_output([sys.executable, "-c", REPLAY, str(loader)], cwd=folder)
    return dict(json.loads(done))


@contextmanager
def served(app: str) -> Iterator[str]:
    """The application on a uvicorn of its own; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--log-level", "critical"]
    process = subprocess.Popen([*words, "--no-access-log"], env=os.environ)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def by_url(app: str, budget: float) -> float:
    """Median latency of a call through a real server, ms."""
    with served(app) as url:
        found = audited(budget, url).current.p50_ms
    return float(found.value) if found else float("nan")


def show(ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> bool:
    """Every part of both and their ratio; whether all of them are within the bar."""
    good = True
    for name in ours[0]:
        mine, hands = (statistics.median(one[name] for one in many) for many in (ours, theirs))
        good &= abs(mine / hands - 1) <= WITHIN
        print(f"{name:<14} audit {mine:7.4f} ms   by hand {hands:7.4f} ms   ratio {mine / hands:5.2f}")
    return good


def main() -> int:
    """Print both; 1 where a part differs by more than 10 %."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--budget", type=float, default=10.0)
    given: Mapping[str, Any] = vars(parser.parse_args())
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        prepare(Path(name))
        ours, theirs, inside, urls, servers = [], [], [], [], []
        for _ in range(given["pairs"]):
            theirs.append(hand(Path(name)))
            audit = audited(given["budget"])
            inside.append(audit.current.p50_ms.value)
            ours.append(named(audit))
            wire = by_url("echo:app", given["budget"])
            urls.append(by_url("clocked:app", given["budget"]))
            servers.append(json.loads(Path("clocked.json").read_text()) + wire)
        good = show(ours, theirs)
        url, server, here = map(statistics.median, (urls, servers, inside))
        ratio = url / server
        print(f"by URL         audit {url:7.4f} ms   by hand {server:7.4f} ms   ratio {ratio:5.2f}")
        print(f"a request on that server takes {server / here:.2f} of what it takes in process ({here:.4f} ms)")
        os.chdir("/")
    return int(not good or abs(ratio - 1) > WITHIN)


if __name__ == "__main__":
    sys.exit(main())
