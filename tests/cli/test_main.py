"""The front door: help, exit codes, one line for each thing that goes wrong."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from importlib import import_module

import click
import pytest

from excise import __version__
from excise.cli import failure, main, verbs
from excise.cli.program import program
from excise.core.errors import Mismatch, MissingExtra, NotMeasured, TooNoisy

HEAVY = {"numpy", "pyarrow", "rich", "sqlalchemy", "click", "msgspec", "asyncio"}
ROOMS = {
    "api",
    "report",
    "adapters",
    "tax",
    "frontier",
    "releases",
    "measure",
    "features",
    "economics",
    "tables",
    "stats",
}


def loaded_by(code: str) -> set[str]:
    """Modules in memory after a fresh interpreter ran ``code``."""
    script = f"{code}\nimport sys\nprint(*sys.modules, file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stderr.split())


def excise(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "excise", *arguments], capture_output=True, text=True, check=False, **options
    )


@pytest.fixture
def verb(monkeypatch):
    """A verb ``audit`` that does what the test says."""

    def install(callback):
        command = click.command(name="audit")(callback)
        monkeypatch.setattr("excise.cli.program.Verbs.get_command", lambda *_: command)

    return install


@pytest.mark.parametrize(
    "code",
    [
        "import excise",
        "from excise.cli.main import main; main(['--help'])",
        "from excise.cli.main import main; main(['--version'])",
    ],
)
def test_importing_and_helping_load_nothing_heavy(code):
    modules = loaded_by(code)
    assert not {name for name in modules if name.partition(".")[0] in HEAVY}
    assert not {name for name in modules if name.startswith("excise.") and name.split(".")[1] in ROOMS}


@pytest.mark.parametrize("name", verbs.VERBS)
def test_the_help_of_one_verb_loads_no_room(name):
    modules = loaded_by(f"from excise.cli.main import main; assert main(['{name}', '--help']) == 0")
    assert "numpy" not in modules
    assert not {module for module in modules if module.startswith("excise.") and module.split(".")[1] in ROOMS}


@pytest.mark.parametrize("name", verbs.VERBS)
def test_the_page_tells_each_verb_in_its_own_words(name):
    command = import_module(f"excise.cli.{name}").command
    assert command.name == name
    assert inspect.cleandoc(command.help).partition("\n\n")[0].replace("\n", " ") == verbs.VERBS[name]


def test_help_is_one_page_whichever_way_it_is_asked_for(capsys):
    assert main.main(["--help"]) == 0
    plain = capsys.readouterr().out
    assert main.main(["-h"]) == 0
    assert capsys.readouterr().out == plain == f"{verbs.page()}\n"
    with click.Context(program) as context:
        assert program.get_help(context) == verbs.page()
    assert all(len(line) <= 100 for line in plain.splitlines())


def test_version(capsys):
    assert main.main(["--version"]) == 0
    assert capsys.readouterr().out == f"excise {__version__}\n"


def test_no_verb_is_a_usage_error_that_shows_the_page(capsys):
    assert main.main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Usage: excise VERB" in captured.err


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (["audt"], "no such verb: audt", "did you mean audit?"),
        (["zzz"], "no such verb: zzz", "known: init, demo, audit, record, release, drift, profile"),
        (["init", "--curent", "x"], "No such option '--curent'", "did you mean --current?"),
        (["init", "a", "b"], "Got unexpected extra argument (b)", "excise init --help shows what is expected"),
        (["--halp"], "No such option '--halp'", "did you mean --help?"),
    ],
)
def test_a_wrong_call_is_one_line_and_a_hint(arguments, said, hint, capsys):
    assert main.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    message, hinted = captured.err.splitlines()
    assert said.lower().replace("'", "") in message.lower().replace("'", "")
    assert hinted == f"Hint: {hint}"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MissingExtra("onnxruntime", extra="onnx"), 2),
        (Mismatch("a digest differs"), 1),
        (TooNoisy("the twin moved by 4 %"), 3),
        (NotMeasured("no row ran"), 4),
        (KeyError("x"), 70),
        (KeyboardInterrupt(), 130),
        (PermissionError(13, "Permission denied", "/r.html"), 2),
        (OSError(5, "Input/output error", "/r.html"), 70),
    ],
)
def test_every_error_ends_with_its_exit_code(error, code, verb, capsys):
    def fails():
        raise error

    verb(fails)
    assert main.main(["audit"]) == code
    told = capsys.readouterr().err
    assert told.startswith("Internal error: " if code == failure.INTERNAL_ERROR else "Error: ")
    assert "Traceback" not in told


def test_a_hint_follows_its_error(verb, capsys):
    def fails():
        raise MissingExtra("onnxruntime", extra="onnx")

    verb(fails)
    main.main(["audit"])
    assert capsys.readouterr().err == "Error: onnxruntime is not installed\nHint: pip install 'excise[onnx]'\n"


@pytest.mark.parametrize("arguments", [["--debug", "audit"], ["audit", "--debug"]])
def test_debug_shows_the_traceback_and_keeps_the_exit_code(arguments, verb, capsys):
    def fails():
        raise KeyError("lost")

    verb(fails)
    assert main.main(arguments) == 70
    told = capsys.readouterr().err
    assert "Traceback (most recent call last)" in told
    assert "Internal error: KeyError: 'lost'" in told


def test_debug_behind_two_dashes_belongs_to_the_verb():
    assert main.without_debug(["audit", "--", "--debug"]) == (["audit", "--", "--debug"], False)
    assert main.without_debug(["audit", "--debug", "--", "--debug"]) == (["audit", "--", "--debug"], True)


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (3, 3)])
def test_a_verb_returns_its_exit_code(returned, code, verb):
    verb(lambda: returned)
    assert main.main(["audit"]) == code


def test_a_verb_may_exit_through_its_context(verb):
    verb(lambda: click.get_current_context().exit(4))
    assert main.main(["audit"]) == 4


def test_an_aborted_prompt_is_an_interruption(verb):
    def fails():
        raise click.Abort

    verb(fails)
    assert main.main(["audit"]) == failure.INTERRUPTED


def test_a_closed_pipe_is_quiet():
    script = "import sys; from excise.cli.main import main; sys.exit(main(['--help']))"
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run([sys.executable, "-c", script], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (run.returncode, run.stderr) == (failure.BROKEN_PIPE, b"")


def test_the_module_is_the_command():
    run = excise("--version")
    assert (run.returncode, run.stdout) == (0, f"excise {__version__}\n")


def test_a_shell_is_offered_the_verbs():
    variables = {**os.environ, "_EXCISE_COMPLETE": "bash_complete", "COMP_WORDS": "excise a", "COMP_CWORD": "1"}
    assert excise(env=variables).stdout.split() == ["plain,audit"]


def test_help_works_beside_a_broken_configuration(tmp_path):
    (tmp_path / "excise.toml").write_text("[audit\n")
    assert excise("init", "--help", cwd=tmp_path).returncode == 0
