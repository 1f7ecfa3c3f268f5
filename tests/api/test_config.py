"""Settings: strict, anchored where the file stands, flags over environment over file."""

from __future__ import annotations

import tomllib

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from excise.api import config
from excise.api.choosing import Choice
from excise.api.settings_file import text
from excise.core.errors import ConfigError


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    return tmp_path


def settings(project, content, environ=None, verb="audit"):
    (project / "excise.toml").write_text(content)
    return config.load(project, environ or {}).settings(verb)


def test_without_a_file_there_is_nothing(project):
    assert config.load(project, {}) == config.Config(path=None, shared={}, sections={})


def test_a_section_beats_what_holds_for_all(project):
    assert settings(project, 'target = "a"\nbatch = 2\n[audit]\ntarget = "b"\n') == {"target": "b", "batch": 2}


def test_a_verb_sees_only_what_it_knows(project):
    assert settings(project, 'target = "a"\ncsv = "text"\n', verb="profile") == {"csv": "text"}


def test_the_environment_beats_the_file(project):
    content = 'target = "a"\n[audit]\ntarget = "b"\nbudget = "9s"\n'
    found = settings(
        project, content, {"EXCISE_TARGET": "c", "EXCISE_AUDIT_BUDGET": "5s", "EXCISE_AUDIT_SLICES": "x, y"}
    )
    assert found == {"target": "c", "budget": "5s", "slices": ["x", "y"]}


def test_a_verbs_own_variable_beats_the_one_of_all(project):
    assert settings(project, "", {"EXCISE_AUDIT_BATCH": "4", "EXCISE_BATCH": "2"}) == {"batch": 4}


def test_a_flag_beats_the_settings():
    @click.command()
    @click.option("--batch", type=int, default=1)
    @click.option("--target")
    def audit(batch, target):
        return batch, target

    defaults = config.Config(None, {"batch": 2, "target": "a"}, {}).defaults("audit")
    assert audit.main(["--batch", "3"], standalone_mode=False, default_map=defaults) == (3, "a")


def test_a_file_without_the_verb_leaves_the_environment(project):
    assert settings(project, 'target = "a"\n', {"EXCISE_AUDIT_ROT": "true"}) == {"target": "a", "rot": True}


def test_a_groups_section_speaks_to_its_subcommand():
    assert config.Config(None, {"target": "a"}, {}).defaults("release") == {"create": {"target": "a"}}


@pytest.mark.parametrize(
    ("content", "said", "hint"),
    [
        ("[audit]\nbudgt = 1\n", "excise.toml: unknown key audit.budgt", "did you mean budget?"),
        ("[audti]\nbudget = 1\n", "excise.toml: unknown key audti", "did you mean audit?"),
        ('tagret = "y"\n', "excise.toml: unknown key tagret", "did you mean target?"),
        ('batch = "four"\n', "excise.toml: batch must be a whole number, not 'four'", "batch = 1"),
        ("batch = true\n", "excise.toml: batch must be a whole number, not True", "batch = 1"),
        ('[audit]\nbudget = "soon"\n', "excise.toml: audit.budget must be a duration", 'budget = "60s"'),
        ("[audit]\nbudget = -1\n", "excise.toml: audit.budget must be a duration", 'budget = "60s"'),
        ('input = "rows"\n', 'excise.toml: input must be "records" or "frame" or "tensors"', 'input = "records"'),
        ("audit = 3\n", "excise.toml: audit is a section, not a value", "write [audit]"),
        ("[audit]\ntrust_pickle = true\n", "unknown key audit.trust_pickle", "known: "),
        ("[audit\n", "excise.toml is not valid TOML", "a setting looks like"),
    ],
)
def test_what_is_not_known_is_named_with_its_cure(content, said, hint, project):
    with pytest.raises(ConfigError) as error:
        settings(project, content)
    assert said in error.value.message
    assert hint in error.value.hint


def test_a_file_that_is_no_text_is_named(project):
    (project / "excise.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not valid TOML"):
        config.load(project, {})


def test_a_mistyped_variable_is_named(project):
    with pytest.raises(ConfigError, match="did you mean EXCISE_TARGET") as error:
        config.load(project, {"EXCISE_TAGRET": "y"})
    assert "unknown variable EXCISE_TAGRET" in error.value.message


def test_a_variable_of_the_wrong_kind_is_named(project):
    with pytest.raises(ConfigError, match="EXCISE_BATCH: batch must be a whole number, not 'many'"):
        config.load(project, {"EXCISE_BATCH": "many"})


def test_pyproject_serves_as_well(project):
    (project / "pyproject.toml").write_text('[tool.excise]\ntarget = "y"\n[tool.excise.audit]\nbatch = 2\n')
    assert config.load(project, {}).settings("audit") == {"target": "y", "batch": 2}


def test_a_pyproject_of_somebody_else_does_not_count(project):
    (project / "pyproject.toml").write_text("[tool.ruff]\n")
    assert config.load(project, {}).path is None


def test_two_places_for_settings_are_refused(project):
    (project / "pyproject.toml").write_text("[tool.excise]\n")
    (project / "excise.toml").touch()
    with pytest.raises(ConfigError, match="has both"):
        config.load(project, {})


def test_paths_count_from_the_file(project, monkeypatch):
    below = project / "deep" / "er"
    below.mkdir(parents=True)
    content = 'model = "serve.py:handler"\ncurrent = "c.csv"\nreference = "s3://bucket/r.parquet"\n'
    content += '[audit]\nlean = ["fast=lean.onnx"]\n'
    (project / "excise.toml").write_text(content)
    monkeypatch.chdir(below)
    assert config.load(below, {}).settings("audit") == {
        "model": f"{project}/serve.py:handler",
        "current": f"{project}/c.csv",
        "reference": "s3://bucket/r.parquet",
        "lean": [f"fast={project}/lean.onnx"],
    }


def test_a_release_is_not_a_path(project, monkeypatch):
    (project / "below").mkdir()
    (project / "excise.toml").write_text('model = "flights@1"\n')
    monkeypatch.chdir(project / "below")
    assert config.load(".", {}).settings("audit") == {"model": "flights@1"}


@pytest.mark.parametrize(
    ("model", "seen"),
    [
        ("asgi:serving/api.py:app", "asgi:{project}/serving/api.py:app"),
        ("wsgi:service:app", "wsgi:service:app"),
        ("mlflow:models:/flights@champion", "mlflow:models:/flights@champion"),
        ("oci://127.0.0.1:5000/flights:1", "oci://127.0.0.1:5000/flights:1"),
    ],
)
def test_of_references_with_a_scheme_only_a_services_file_is_a_path(project, monkeypatch, model, seen):
    (project / "below").mkdir()
    (project / "excise.toml").write_text(f'model = "{model}"\n')
    monkeypatch.chdir(project / "below")
    assert config.load(".", {}).settings("audit") == {"model": seen.format(project=project)}


def test_what_lies_above_the_project_does_not_count(project):
    (project / "excise.toml").write_text('target = "y"\n')
    inner = project / "inner"
    (inner / ".git").mkdir(parents=True)
    assert config.load(inner, {}).path is None


def test_every_example_is_a_value_of_its_kind():
    for key, about in config.KEYS.items():
        value = tomllib.loads(f"{key} = {about.example}")[key]
        assert config.checked(key, value, where="example") == value


@given(st.text(min_size=1), st.text(), st.none() | st.text())
def test_what_init_writes_is_what_is_read(model, current, target):
    chosen = Choice(model=model, current=current, reference=None, target=target)
    table = tomllib.loads(text(chosen._asdict(), others=["weird\nname"]))
    shared, _ = config.split({key: table[key] for key in table if key in config.SHARED}, None)
    assert shared == {key: value for key, value in chosen._asdict().items() if value is not None}
