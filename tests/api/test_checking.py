"""A look before an audit: what is there, what is missing, what would bring it."""

import json
import shlex
from importlib import import_module

import jsonschema
import pytest

from excise.api import checking
from excise.api.checking import check, extra_of
from excise.api.choosing import Choice
from excise.api.init import init
from excise.cli.main import main
from excise.core.errors import ConfigError
from excise.core.verdict import Outcome
from excise.report.documents import schemas

HANDLER = """
import time


def handler(rows):
    return [row["a"] + row["b"] for row in rows]


def raises(rows):
    raise ValueError("no rows today")


def sleeps(rows):
    time.sleep(60)
"""
SOON = 60.0
"""How long a look may take on a machine that is busy with other tests."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "h.py").write_text(HANDLER)
    (tmp_path / "today.csv").write_text("a,b,label\n1,2,0\n3,4,1\n")
    return tmp_path


def seen(given=None, **options):
    found = check(given or Choice(), look_s=SOON, **options)
    return found, {need.what: need for need in found.needs}


@pytest.mark.usefixtures("folder")
def test_a_handler_and_rows_are_all_that_an_audit_needs():
    found, needs = seen()
    assert found.outcome is Outcome.PASS
    assert [name for name, need in needs.items() if need.outcome is Outcome.PASS] == [
        "model",
        "current inputs",
        "answers",
        "target",
        "packages",
    ]
    assert needs["current inputs"].seen == "today.csv, 2 rows, 3 columns"
    assert needs["reference inputs"].get == "--reference DATA"
    assert needs["price"].seen.endswith("stands in")


def test_nothing_is_written(folder):
    before = sorted(folder.rglob("*"))
    seen()
    assert [path for path in sorted(folder.rglob("*")) if "__pycache__" not in path.parts] == before


def test_the_line_that_it_prints_is_an_audit_that_runs(folder):
    line = shlex.split(seen()[0].command)
    assert line[:2] == ["excise", "audit"]
    assert import_module("excise.cli.audit").command.make_context("audit", line[2:]).params["model"] == "h.py:handler"
    init()
    assert seen()[0].command == "excise audit"
    assert (folder / "excise.toml").exists()


def test_a_release_is_made_by_the_line_that_it_prints(folder):
    make = shlex.split(seen()[1]["baseline"].get.partition(",")[0])
    assert make[:3] == ["excise", "release", "create"]
    create = import_module("excise.cli.release").command.commands["create"]
    assert create.make_context("create", make[3:]).params["model"] == "h.py:handler"


@pytest.mark.parametrize(
    ("given", "what", "said"),
    [
        (Choice(model="h.py:handle"), "model", "does not define 'handle'"),
        (Choice(model="lost.onnx"), "model", "there is no file lost.onnx"),
        (Choice(model="h.py:raises"), "answers", "ValueError on row 0: no rows today"),
        (Choice(current="lost.csv"), "current inputs", "lost.csv does not exist"),
        (Choice(reference="lost.csv"), "reference inputs", "lost.csv does not exist"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_stands_in_an_audits_way_is_said_with_its_cure(given, what, said):
    found, needs = seen(given)
    assert found.outcome is Outcome.FAIL
    assert said in needs[what].seen
    assert needs[what].get
    assert said in found.why


def test_an_empty_folder_lacks_model_and_inputs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found, needs = seen()
    assert (found.outcome, needs["model"].get, needs["current inputs"].get) == (
        Outcome.FAIL,
        "excise init MODEL",
        "--current DATA",
    )
    assert needs["answers"].outcome is Outcome.NOT_MEASURED


@pytest.mark.usefixtures("folder")
def test_a_model_that_takes_long_is_neither_there_nor_missing():
    found = check(Choice(model="h.py:sleeps"), look_s=2.0)
    assert found.outcome is Outcome.NOT_MEASURED
    assert "not within 2 s" in found.why


def test_settings_are_looked_at_as_an_audit_reads_them(folder):
    (folder / "excise.toml").write_text(
        'model = "h.py:handler"\ncurrent = "today.csv"\n[audit]\nprice = "aws/c5.larg"\n'
    )
    found, needs = seen()
    assert found.outcome is Outcome.FAIL
    assert "no price of 'aws/c5.larg'" in needs["price"].seen
    assert needs["target"].outcome is Outcome.FAIL
    (folder / "excise.toml").write_text("[adit]\n")
    with pytest.raises(ConfigError):
        check(Choice())


def test_a_missing_library_is_named_with_the_extra_that_brings_it(folder, monkeypatch):
    monkeypatch.setattr(checking, "find_spec", lambda module: None if module == "onnxruntime" else object())
    assert seen()[1]["packages"].get == "pip install 'excise[onnx]'"
    assert extra_of("skl2onnx") == "sklearn"
    assert extra_of("nobodys") == "nobodys"


@pytest.mark.parametrize(("model", "code"), [("h.py:handler", 0), ("h.py:nothing", 1)])
def test_the_document_keeps_its_schema_and_the_exit_code_says_the_same(folder, monkeypatch, capsys, model, code):
    monkeypatch.setattr(checking.check, "__kwdefaults__", {"trust_pickle": False, "look_s": SOON})
    assert main(["init", model, "--check", "--json"]) == code
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schemas()["check"])
    assert document["outcome"] == ("pass" if code == 0 else "fail")
    assert main(["init", model, "--check"]) == code
    assert "model" in capsys.readouterr().out
    assert not (folder / "excise.toml").exists()


def test_the_flags_of_a_look_go_with_it(folder, capsys):
    assert main(["init", "--json"]) == 2
    assert "go with --check" in capsys.readouterr().err
    assert not (folder / "excise.toml").exists()
