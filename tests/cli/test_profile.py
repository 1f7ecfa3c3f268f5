"""The command: its forms, its streams, its refusals."""

from __future__ import annotations

import json

import pytest

from excise.cli.profile import command
from excise.core.errors import DataError, UsageError
from excise.tables import read, write_parquet


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    write_parquet(read({"a": [1, 2, None] * 20, "b": ["x", "y", "z"] * 20}), "ref.parquet")
    (tmp_path / "cur.csv").write_text("a,b\n" + " 7 ,x\nNA,y\n3,z\n" * 20)
    return tmp_path


def run(*arguments, **extra):
    return command.main(list(arguments), standalone_mode=False, **extra)


def test_against_a_reference(project, capsys):
    assert run("cur.csv", "--against", "ref.parquet", "--emit-cast", "cast.py") == 0
    shown = capsys.readouterr().out
    assert "33.3 %   a: numbers as text with blanks" in shown
    assert "“␣7␣”" in shown
    assert "cast.py   casts 1 column" in shown
    assert "to_number" in (project / "cast.py").read_text()


def test_the_other_way_round_is_the_same(project, capsys):
    run("cur.csv", "--against", "ref.parquet", "--json")
    first = capsys.readouterr().out
    run("ref.parquet", "--current", "cur.csv", "--json")
    assert capsys.readouterr().out == first


def test_a_reference_alone_emits_a_caster_for_anything(project):
    assert run("ref.parquet", "--emit-cast", "cast.py") == 0
    namespace = {}
    exec((project / "cast.py").read_text(), namespace)
    assert namespace["cast"]({"a": "NA", "b": " X ", "c": 1}) == {"a": None, "b": "x", "c": 1}


def test_json_is_one_document_with_masked_examples(project, capsys):
    run("cur.csv", "--against", "ref.parquet", "--json")
    masked = json.loads(capsys.readouterr().out)
    assert masked["schema"] == "excise/profile/v1"
    assert masked["findings"][0]["examples"] == [" 9 "]
    run("cur.csv", "--against", "ref.parquet", "--json", "--show-examples")
    assert json.loads(capsys.readouterr().out)["findings"][0]["examples"] == [" 7 "]


def test_settings_stand_in_only_without_data(project, capsys):
    settings = {"reference": "ref.parquet", "current": "cur.csv"}
    run("--json", default_map=settings)
    assert json.loads(capsys.readouterr().out)["reference"] == "ref.parquet"
    run("ref.parquet", "--json", default_map=settings)
    assert json.loads(capsys.readouterr().out)["reference"] is None


def test_refusals(project):
    with pytest.raises(UsageError, match="DATA is missing"):
        run()
    with pytest.raises(UsageError, match="one too many"):
        run("ref.parquet", "--against", "ref.parquet", "--current", "cur.csv")
    with pytest.raises(DataError, match="does not exist"):
        run("cure.csv")
    with pytest.raises(DataError, match="no column 'target'"):
        run("cur.csv", "--target", "target")
