"""``excise demo``: where it writes, what it repeats, what it shows."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from excise.cli import demo
from excise.core.errors import MissingExtra, NotFound, StoreError


def touch(folder: Path, name: str, when: float) -> None:
    (folder / name).write_text("x")
    os.utime(folder / name, (when, when))


def test_a_new_folder_gets_the_whole_project_and_a_record_of_its_own(tmp_path):
    demo.lay_out(tmp_path / "new" / "flights")
    made = {path.name for path in (tmp_path / "new" / "flights").iterdir()}
    assert {"prepare.py", "train.py", "features.py", "handler.py", "README.md", "excise.toml", ".excise"} <= made
    assert not any(name.endswith(".part") for name in made)


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "handler.py").write_text("mine")
    with pytest.raises(StoreError, match="was not made by excise demo") as caught:
        demo.lay_out(tmp_path)
    assert "--dir" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["handler.py"]
    assert (tmp_path / "handler.py").read_text() == "mine"


def test_edits_are_kept_and_missing_files_come_back(tmp_path):
    demo.lay_out(tmp_path)
    (tmp_path / "handler.py").write_text("edited")
    (tmp_path / "train.py").unlink()
    demo.lay_out(tmp_path)
    assert (tmp_path / "handler.py").read_text() == "edited"
    assert (tmp_path / "train.py").stat().st_size > 500


def test_a_missing_package_names_the_extra_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "find_spec", lambda name: None if name == "skops" else object())
    result = CliRunner().invoke(demo.command, ["--dir", str(tmp_path / "flights")])
    assert isinstance(result.exception, MissingExtra)
    assert result.exception.hint == "pip install 'excise[demo]'"
    assert not (tmp_path / "flights").exists()


@pytest.mark.parametrize(("made", "needed", "done"), [(20, 10, True), (10, 20, False), (10, 10, True)])
def test_a_step_is_repeated_when_what_it_needs_is_newer(tmp_path, made, needed, done):
    step = demo.Step("make", ("python", "make.py"), makes=("out",), needs=("make.py",))
    assert not step.is_done(tmp_path)
    touch(tmp_path, "out", made)
    touch(tmp_path, "make.py", needed)
    assert step.is_done(tmp_path) is done


def test_a_failing_script_ends_the_demo_with_its_exit_code(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "find_spec", lambda _: object())
    demo.lay_out(tmp_path)
    (tmp_path / "prepare.py").write_text("raise SystemExit(7)")
    result = CliRunner().invoke(demo.command, ["--dir", str(tmp_path)], standalone_mode=False)
    assert result.return_value == 7
    assert "$ python prepare.py" in result.stderr
    assert "train.py" not in result.stderr
    assert "staged" in result.stdout


def test_with_json_everything_said_goes_to_stderr(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "find_spec", lambda _: object())
    demo.lay_out(tmp_path)
    (tmp_path / "prepare.py").write_text("print('said'); raise SystemExit(7)")
    result = CliRunner().invoke(demo.command, ["--dir", str(tmp_path), "--json"], standalone_mode=False)
    assert result.stdout == ""
    assert "staged" in result.stderr


def test_a_killed_command_ends_as_in_a_shell(tmp_path):
    (tmp_path / "die.py").write_text("import os; os.kill(os.getpid(), 9)")
    assert demo.run(("python", "die.py"), tmp_path, stdout_to_stderr=True) == 137


@pytest.mark.parametrize("made", [True, False])
def test_the_page_is_named_only_when_this_audit_wrote_it(tmp_path, monkeypatch, made):
    monkeypatch.setattr(demo, "find_spec", lambda _: object())
    monkeypatch.setattr(demo, "released", lambda _: "flights@1")
    shown = []

    def perform(step, folder, *, stdout_to_stderr):
        shown.extend(step.words)
        if made and "audit" in step.words:
            (folder / demo.PAGE).write_text("new")
        return 3 if "audit" in step.words else 0

    monkeypatch.setattr(demo, "perform", perform)
    demo.lay_out(tmp_path)
    touch(tmp_path, demo.PAGE, 1000)
    result = CliRunner().invoke(demo.command, ["--dir", str(tmp_path), "--force"], standalone_mode=False)
    assert result.return_value == 3
    assert ("The page:" in result.stdout) is made
    assert "--force" in shown


def test_nothing_released_is_told(tmp_path):
    with pytest.raises(NotFound, match="flights"):
        demo.released(tmp_path)


def test_the_readme_shows_the_commands_that_are_run(tmp_path):
    demo.lay_out(tmp_path)
    shown = re.sub(r"\\\n\s+", "", (tmp_path / "README.md").read_text())
    for step in (demo.PREPARE, demo.TRAIN, demo.RELEASE):
        assert " ".join(step.words) in shown
