"""``init``: finds what is likely, writes one file, overwrites none."""

from __future__ import annotations

import io
import pickle
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from excise.api import config
from excise.api.finding.models import handlers_in
from excise.api.init import init
from excise.api.settings_file import write
from excise.core.errors import Conflict, DataError, InvalidRef, ModelError, StoreError

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
