"""The demo's project, run as a user runs it: scripts in a folder, the handler in a process of its own."""

from __future__ import annotations

import fcntl
import hashlib
import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from excise.features import Caster
from excise.tables import read

SOURCE = Path(str(files("excise") / "demo"))
PADDED = {
    *("flight", "distance", "sched_dep_time", "dep_time", "dep_delay", "sched_arr_time"),
    *("temp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib"),
}
SERVE = """
import json, sys
from handler import handler
for line in sys.stdin:
    records = json.loads(line)
    chain = handler.postprocess(handler.predict(handler.preprocess(records)))
    answer = {"call": handler(records), "chain": chain, "problems": handler.validate_again(records)}
    print(json.dumps(answer), flush=True)
"""
LEAN = """
import json
import numpy as np, onnxruntime, pandas, skl2onnx
from skl2onnx.common.data_types import FloatTensorType
from handler import handler
july = pandas.read_csv("data/july.csv", dtype=str, keep_default_na=False).to_dict("records")
rows = handler.preprocess(july)
exported = skl2onnx.convert_sklearn(
    handler.model, initial_types=[("x", FloatTensorType([None, rows.shape[1]]))],
    options={id(handler.model): {"zipmap": False}},
)
session = onnxruntime.InferenceSession(exported.SerializeToString())
ours, lean = handler.model.predict_proba(rows), session.run(None, {"x": rows})[1]
print(json.dumps({"dtype": str(rows.dtype), "rows": len(rows), "apart": float(np.abs(ours - lean).max())}))
"""


def copy_to(folder):
    folder.mkdir()
    for path in SOURCE.glob("*.py"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def python(*arguments, cwd, text=None):
    run = subprocess.run([sys.executable, *arguments], cwd=cwd, input=text, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project, prepared and trained once for all test processes."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if shared.name.startswith("popen-") else shared
    folder = shared / "flights"
    with (shared / "flights.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "said.txt").exists():
            copy_to(folder)
            said = [python(script, cwd=folder).stdout for script in ("prepare.py", "train.py")]
            (folder / "said.txt").write_text("".join(said))
    return folder


@pytest.fixture(scope="module")
def july(project):
    return read(project / "data" / "july.csv")


@pytest.fixture(scope="module")
def winter(project):
    return read(project / "data" / "reference.parquet")


@pytest.fixture(scope="module")
def handler(project):
    """The handler in a process of its own; a call takes records and returns what it answers."""
    with (project / "log.jsonl").open("w") as log:
        serving = subprocess.Popen(
            [sys.executable, "-c", SERVE],
            cwd=project,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )

        def ask(records):
            serving.stdin.write(json.dumps(records) + "\n")
            serving.stdin.flush()
            answer = serving.stdout.readline()
            assert answer, (project / "log.jsonl").read_text()
            return json.loads(answer)

        with serving:
            yield ask
            serving.stdin.close()


def one_by_one(table, rows):
    return [[record] for record in table.drop(["late"]).take(np.arange(rows)).records()]


def test_preparing_twice_gives_the_same_bytes(project, tmp_path):
    again = copy_to(tmp_path / "again")
    python("prepare.py", cwd=again)
    for name in ("train.parquet", "reference.parquet", "july.csv"):
        first, second = ((folder / "data" / name).read_bytes() for folder in (project, again))
        assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest(), name


def test_the_reference_is_typed_and_keeps_the_gaps_of_the_weather(winter):
    kinds = {column.name: column.kind for column in winter.columns}
    assert kinds["dep_time"] == kinds["distance"] == "int"
    assert kinds["pressure"] == kinds["wind_gust"] == "float"
    assert winter.rows == 4000
    assert 0.05 < winter.column("pressure").nulls.mean() < 0.2
    assert winter.column("wind_gust").nulls.mean() > 0.5


def test_the_reference_shares_no_day_with_the_training_rows(project, winter):
    def days(table):
        return set(zip(table.column("month").values, table.column("day").values, strict=True))

    train = days(read(project / "data" / "train.parquet"))
    assert {month for month, _ in train} == {1, 2, 3}
    assert not train & days(winter)


def test_every_staged_number_of_july_is_text_and_the_label_is_not(july):
    kinds = {column.name: column.kind for column in july.columns}
    assert {name for name in PADDED if kinds[name] == "text"} == PADDED
    assert kinds["late"] == kinds["month"] == "int"
    gusts = july.column("wind_gust").values
    assert any(not cell.strip() for cell in gusts)
    assert len({len(cell) for cell in gusts}) == 1


def test_the_model_ranks_flights_it_has_never_seen(project):
    said = (project / "said.txt").read_text()
    scores = [float(line.split()[1]) for line in said.splitlines() if line.strip().startswith("AUC")]
    assert len(scores) == 2
    assert min(scores) > 0.87
    assert "staged" in said


def test_shadow_work_changes_no_answer(project, handler, july):
    before = (project / "log.jsonl").read_text().count("\n")
    answers = [handler(records) for records in one_by_one(july, 40)]
    assert all(answer["call"] == answer["chain"] for answer in answers)
    assert len({answer["call"][0] for answer in answers}) > 20
    assert not any(answer["problems"] for answer in answers)
    lines = (project / "log.jsonl").read_text().splitlines()[before:]
    assert [json.loads(line)["late"] for line in lines] == [answer["call"][0] for answer in answers]


def test_cast_inputs_get_the_answers_of_text_inputs(handler, winter, july):
    caster = Caster.learn(winter, july)
    assert set(caster.casts) >= PADDED
    text, cast = (table.drop(["late"]).records() for table in (july, caster.apply(july)))
    assert isinstance(text[0]["dep_time"], str)
    assert isinstance(cast[0]["dep_time"], int)
    assert handler(text)["call"] == handler(cast)["call"]


def test_a_batch_gets_the_answers_of_its_rows(handler, july):
    calls = one_by_one(july, 8)
    assert handler([call[0] for call in calls])["call"] == [handler(call)["call"][0] for call in calls]


def test_nulls_junk_and_new_destinations_are_answered(handler, winter):
    record = winter.drop(["late"]).records()[0]

    def chance(**changes):
        return handler([{**record, **changes}])["call"][0]

    blanks = chance(temp="     ", pressure="", wind_gust=" ", tailnum="")
    assert blanks == chance(temp=None, pressure=None, wind_gust=None, tailnum=None)
    assert chance(pressure="n/a") == chance(pressure=None)
    assert 0 < chance(dest="ACK", carrier="ZZ") < 1


def test_the_second_validation_really_validates(handler, winter):
    record = winter.drop(["late"]).records()[0]
    wrong = handler([{**record, "origin": "XXX", "dep_delay": -500, "humid": 104.0}])
    missing = handler([{name: value for name, value in record.items() if name != "tailnum"}])
    assert wrong["problems"] == [
        "origin: 'XXX' in row 0",
        "dep_delay: -500 in row 0 is out of range",
        "humid: 104.0 in row 0 is out of range",
    ]
    assert missing["problems"] == ["tailnum: missing"]


def test_the_exported_model_answers_alike(project):
    found = json.loads(python("-W", "ignore", "-c", LEAN, cwd=project).stdout)
    assert found["rows"] == 4000
    assert found["dtype"] == "float32"
    assert found["apart"] <= 1e-5
