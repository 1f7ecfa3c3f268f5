"""``init``: finds what is likely, writes one file, overwrites none."""

from __future__ import annotations

import io
import pickle
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest
from msgspec.structs import replace

from excise.api import config
from excise.api.finding.data import find_data
from excise.api.finding.models import find_models, handlers_in
from excise.api.finding.price import Likely, price_of
from excise.api.finding.services import Service, find_services
from excise.api.init import init
from excise.api.settings_file import write
from excise.core.environment import Hardware
from excise.core.errors import Conflict, DataError, InvalidRef, ModelError, StoreError
from excise.releases.cloud import CloudMachine

HANDLER = "raise SystemExit('never run')\nclass Handler: ...\nhandler = Handler()\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project as people have them: a handler, a stored model, two tables."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "serve.py").write_text(HANDLER)
    (tmp_path / "model.skops").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "july_current.csv").write_text("a,Label\n1,0\n")
    (tmp_path / "data" / "train.csv").write_text("a,Label\n1,0\n")
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_it_finds_handler_data_and_target():
    project = init()
    assert project.model == "serve.py:handler"
    assert project.current == "data/july_current.csv"
    assert project.reference == "data/train.csv"
    assert project.target == "Label"
    assert project.found == ("model", "current", "reference", "target")
    assert project.others == ("model.skops",)
    assert project.notes == ()


def test_what_is_written_is_what_the_audit_reads(folder):
    project = init()
    settings = config.load(folder, {}).settings("audit")
    assert settings == {key: getattr(project, key) for key in ("model", "current", "reference", "target")}


def test_every_commented_setting_works_once_it_is_uncommented(folder):
    init()
    path = folder / "excise.toml"
    path.write_text(re.sub(r"^# (?=\w+ = )", "", path.read_text(), flags=re.MULTILINE))
    loaded = config.load(folder, {})
    assert {verb: set(loaded.settings(verb)) for verb in config.SECTIONS} == {
        verb: set(keys) for verb, keys in config.SECTIONS.items()
    }


@pytest.mark.usefixtures("folder")
def test_the_line_that_it_prints_is_a_call_that_the_audit_takes():
    line = shlex.split(init().command)
    assert line[:2] == ["excise", "audit"]
    context = import_module("excise.cli.audit").command.make_context("audit", line[2:])
    assert context.params["model"] == "serve.py:handler"
    assert context.params["current"] == "data/july_current.csv"


@pytest.mark.usefixtures("folder")
def test_what_is_given_is_not_looked_for():
    project = init("model.skops", current="data/train.csv", target="a")
    assert (project.model, project.current, project.target) == ("model.skops", "data/train.csv", "a")
    assert project.found == ()


def test_it_overwrites_nothing(folder):
    (folder / "excise.toml").write_text("# mine\n")
    with pytest.raises(Conflict, match="holds settings already"):
        init()
    assert (folder / "excise.toml").read_text() == "# mine\n"


def test_settings_in_pyproject_count_as_settings(folder):
    (folder / "pyproject.toml").write_text("[tool.excise]\n")
    with pytest.raises(Conflict):
        init()


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"model": "serve.py:1x"}, InvalidRef, "not the name of an attribute"),
        ({"model": "lost.onnx"}, ModelError, "no such file: lost.onnx"),
        ({"current": "lost.csv"}, DataError, "no such file: lost.csv"),
        ({"target": "labl"}, DataError, "did you mean Label"),
    ],
)
def test_wrong_input_writes_nothing(given, error, said, folder):
    with pytest.raises(error, match=said):
        init(**given)
    assert not (folder / "excise.toml").exists()


def test_an_empty_folder_is_told_what_to_give(tmp_path):
    with pytest.raises(ModelError, match="no model found"):
        init(folder=tmp_path)
    (tmp_path / "m.onnx").touch()
    with pytest.raises(DataError, match="no data found"):
        init(folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


def test_a_pickle_is_pointed_out(tmp_path):
    (tmp_path / "m.pkl").write_bytes(pickle.dumps([1.0]))
    (tmp_path / "rows.parquet").touch()
    project = init(folder=tmp_path)
    assert "--trust-pickle" in project.notes[0]
    assert "--trust-pickle" not in project.command
    assert (project.reference, project.target) == (None, None)
    assert len(project.notes) == 3


def test_a_name_with_blanks_survives_the_shell(tmp_path):
    (tmp_path / "m.onnx").touch()
    (tmp_path / "my rows.csv").write_text("a\n")
    assert shlex.split(init(folder=tmp_path).command)[-1] == "my rows.csv"


def test_a_full_disk_leaves_no_half_a_file(tmp_path, monkeypatch):
    class Full(io.StringIO):
        def write(self, _):
            raise OSError(28, "No space left on device")

    def opened(path, *_, **__):
        path.touch()
        return Full()

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(StoreError, match="No space left on device"):
        write(tmp_path / "excise.toml", "content")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def predict(x): ...\n", ["predict"]),
        ("predictor: object = 1\nhandler = 2\n", ["handler", "predictor"]),
        ("def f():\n    handler = 1\n", []),
        ("def broken(\n", []),
        ("\0", []),
    ],
)
def test_handlers_are_read_and_not_run(source, names, tmp_path):
    (tmp_path / "h.py").write_text(source)
    assert handlers_in(tmp_path / "h.py") == names


SERVICE = """
import features
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

raise SystemExit("never run")
app = FastAPI()


class Flight(BaseModel):
    hour: float
    wind: float
    gate: str = "A1"


class Flights(BaseModel):
    instances: list[Flight]


@app.get("/health")
def health():
    ...


@app.post("/feedback")
def feedback(text: str):
    ...


@app.post("/v1/predict")
async def predict(flight: Flight):
    ...
"""


def serve(folder, content, name="service.py"):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(content)
    return find_services(folder)


def test_an_application_is_found_with_its_likely_route_and_is_not_run(tmp_path):
    (found,) = serve(tmp_path, SERVICE)
    assert found == Service("asgi:service:app", "POST /v1/predict", None, ("hour", "wind"))
    assert handlers_in(tmp_path / "service.py") == []


@pytest.mark.parametrize(
    ("source", "ref", "request_"),
    [
        (("app = FastAPI()\nr = APIRouter(prefix='/v1')\napp.include_router(r, prefix='/api')\n"
          "@r.post('/score')\ndef f(): ...\n"), "asgi:service:app", "POST /api/v1/score"),
        (("import flask\napi = flask.Flask(__name__)\n"
          "@api.route('/predict', methods=['GET', 'POST'])\ndef f(): ...\n@api.route('/')\ndef home(): ...\n"),
         "wsgi:service:api", "POST /predict"),
        ("app: object = Starlette(routes=[Route('/h', h), Route('/infer', f, methods=['POST'])])\n",
         "asgi:service:app", "POST /infer"),
        ("application = get_wsgi_application()\n", "wsgi:service:application", None),
        ("app = FastAPI()\n@app.post('/models/{name}')\ndef f(name): ...\n", "asgi:service:app", None),
        ("app = FastAPI()\n@app.post(path='/a')\ndef one(): ...\n@app.post('/b')\ndef classify(): ...\n",
         "asgi:service:app", "POST /b"),
    ],
)  # fmt: skip
def test_every_framework_is_read_in_its_own_words(tmp_path, source, ref, request_):
    (found,) = serve(tmp_path, source)
    assert (found.ref, found.request) == (ref, request_)


def test_a_file_that_is_no_part_of_a_package_is_named_as_a_file(tmp_path):
    assert serve(tmp_path, SERVICE, "serving/api.py")[0].ref == "asgi:serving/api.py:app"
    (tmp_path / "serving" / "__init__.py").touch()
    assert find_services(tmp_path)[0].ref == "asgi:serving.api:app"


@pytest.mark.parametrize(
    ("annotation", "body", "fields"),
    [
        ("Flight", None, ("hour", "wind")),
        ("list[Flight]", "{{rows}}", ("hour", "wind")),
        ("Flights", '{"instances": {{rows}}}', ("hour", "wind")),
        ("list[list[float]]", "{{matrix}}", None),
        ("list[dict]", "{{rows}}", None),
        ("dict", None, None),
        ("Unknown", None, None),
    ],
)
def test_a_body_is_filled_as_its_annotation_says(tmp_path, annotation, body, fields):
    (found,) = serve(tmp_path, SERVICE.replace("flight: Flight)", f"flight: {annotation})"))
    assert (found.body, found.fields) == (body, fields)


@pytest.fixture
def three(tmp_path, monkeypatch):
    """A model, rows that fit and an application: what people deploy."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.skops").touch()
    (tmp_path / "service.py").write_text(SERVICE)
    (tmp_path / "today.csv").write_text("hour,wind,late\n1,2,0\n")
    return tmp_path


def test_what_production_runs_is_audited_where_a_model_and_an_application_lie_together(three):
    project = init()
    assert (project.model, project.request) == ("asgi:service:app", "POST /v1/predict")
    assert project.target == "late"
    assert project.others == ("model.skops",)
    assert config.load(three, {}).settings("audit")["request"] == "POST /v1/predict"
    words = shlex.split(project.command)[2:]
    context = import_module("excise.cli.audit").command.make_context("audit", words)
    assert context.params["request"] == "POST /v1/predict"


def test_rows_that_do_not_fit_leave_the_model(three):
    (three / "today.csv").write_text("a,b\n1,2\n")
    assert init().model == "model.skops"


def test_recorded_requests_are_asked_again_where_no_rows_fit(three):
    (three / "today.csv").write_text("a,b\n1,2\n")
    (three / "bodies.jsonl").write_text('{"method": "POST", "path": "/v1/predict", "body": {"hour": 1}}\n')
    project = init()
    assert (project.model, project.current, project.body) == ("asgi:service:app", "bodies.jsonl", None)


def test_recorded_requests_are_no_rows_of_a_model(three):
    (three / "service.py").unlink()
    (three / "bodies.jsonl").write_text('{"method": "POST", "path": "/v1/predict", "body": {"hour": 1}}\n')
    assert init().current == "today.csv"


def test_an_application_that_is_given_is_asked_as_it_was_found(three):
    (three / "today.csv").write_text("hour,wind\n1,2\n")
    project = init("asgi:service:app")
    assert (project.request, project.current) == ("POST /v1/predict", "today.csv")
    assert "model" not in project.found


def test_the_one_column_that_a_handler_does_not_use_is_the_label(tmp_path):
    (tmp_path / "h.py").write_text("USED = ['hour', 'wind']\ndef handler(rows): ...\n")
    (tmp_path / "a.csv").write_text("hour,wind,delay\n1,2,3\n")
    assert init(folder=tmp_path).target == "delay"


@pytest.mark.parametrize("used", ["['hour']", "['hour', 'wind', 'delay']", "[]"])
def test_anything_less_plain_is_left_to_the_user(tmp_path, used):
    (tmp_path / "h.py").write_text(f"USED = {used}\ndef handler(rows): ...\n")
    (tmp_path / "a.csv").write_text("hour,wind,delay\n1,2,3\n")
    assert init(folder=tmp_path).target is None


def test_a_model_is_what_an_adapter_knows_and_pickles_come_last(tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([1.0]))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.onnx").touch()
    (tmp_path / "mlflow_model").mkdir()
    (tmp_path / "mlflow_model" / "MLmodel").touch()
    (tmp_path / "mlflow_model" / "model.skops").touch()
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "requirements.txt").write_text("numpy\n")
    assert find_models(tmp_path) == ["mlflow_model", "deep/b.onnx", "a.pkl"]
    assert find_data(tmp_path) == []


MACHINE = Hardware(cpu="Intel(R) Xeon(R) Platinum 8275CL", cores=2, memory_mib=3700)


@pytest.mark.parametrize(
    ("cloud", "hardware", "sku", "example"),
    [
        (None, MACHINE, None, "aws/c5.large"),
        (CloudMachine("aws", "c5.large"), MACHINE, "aws/c5.large", "aws/c5.large"),
        (CloudMachine("aws", "c9.large"), MACHINE, None, "aws/c5.large"),
        (CloudMachine("aws"), MACHINE, None, "aws/c5.large"),  # t3.medium is like it as well
        (CloudMachine("aws"), replace(MACHINE, memory_mib=15_800), "aws/r5.large", "aws/r5.large"),
        (CloudMachine("oci"), replace(MACHINE, cpu="AMD EPYC", memory_mib=7900),
         "oci/VM.Standard.E5.Flex.1OCPU", "oci/VM.Standard.E5.Flex.1OCPU"),
    ],
)  # fmt: skip
def test_a_price_is_taken_where_the_machine_leaves_no_doubt(cloud, hardware, sku, example):
    assert price_of(cloud, hardware) == Likely(sku, example)


def test_a_price_that_is_not_sure_is_an_example(three):
    project = init()
    line = next(line for line in (three / "excise.toml").read_text().splitlines() if "price = " in line)
    assert line.startswith("price = " if project.price else "# price = ")
