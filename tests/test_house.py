"""The house stands as it was drawn: floors, front door, sizes, names."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import excise
from excise.api import config
from excise.cli import verbs

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "excise"
NOT_IMPORTED = (
    "excise.demo",
    "excise.__main__",
    "excise.adapters.models.loaders",
    "excise.adapters.registries.scripts",
    "excise.adapters.transforms.scripts",
)
"""Run as a user or a worker would run them, in another process."""
SAYS_NOTHING = {"utils", "util", "base", "common", "helpers", "helper", "manager", "misc", "legacy"}
LONGEST_FILE = 500
LONGEST_FUNCTION = 60
MEDIAN_FUNCTION = 8
PERSONAL = re.compile(
    rb"/(?:home|Users|work|root)/[A-Za-z_][\w.-]*|BEGIN (?:RSA|OPENSSH|EC) PRIVATE KEY|AKIA[0-9A-Z]{16}"
)
GENERIC = re.compile(rb"/(?:home|Users)/(?:user|me|you|someone|x)\b")


def tracked() -> list[Path]:
    """Every file that git keeps, or would keep if it were added."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def modules() -> list[str]:
    return [found.name for found in walk_packages([str(SOURCE)], "excise.") if not found.name.startswith(NOT_IMPORTED)]


def python_files() -> list[Path]:
    return sorted(path for folder in ("src", "tests", "tools", "benchmarks") for path in (ROOT / folder).rglob("*.py"))


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a body, its docstring left out."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_imports_run_down_the_floors():
    program = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def test_every_public_name_is_still_a_verb_after_every_module_was_imported():
    for name in modules():
        import_module(name)
    assert sorted(excise.__all__) == excise.__all__
    for name in set(excise.__all__) - {"__version__"}:
        assert name not in vars(excise), f"the module excise.{name} hides the verb"
        verb = getattr(excise, name)
        assert callable(verb)
        assert verb.__doc__
        assert verb.__module__ == f"excise.api.{name}"


def test_every_verb_of_the_api_is_public():
    written = {
        path.stem
        for path in (SOURCE / "api").glob("*.py")
        if path.stem in {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
    }
    public = set(excise.__all__) - {"__version__"}
    assert {name for name in written if name in verbs.VERBS} == public


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'excise' has no attribute 'audti'"):
        _ = excise.audti
    assert set(excise.__all__) <= set(dir(excise))


@pytest.mark.parametrize("verb", config.SECTIONS)
def test_every_setting_is_a_flag_of_its_verb(verb):
    command = import_module(f"excise.cli.{verb}").command
    if verb in config.SUBCOMMAND:
        command = command.commands[config.SUBCOMMAND[verb]]
    parameters = {parameter.name: parameter for parameter in command.params}
    assert set(config.SECTIONS[verb]) <= set(parameters)
    lists = {name for name in config.SECTIONS[verb] if config.KEYS[name].kind is config.TEXTS}
    assert {name for name in config.SECTIONS[verb] if getattr(parameters[name], "multiple", False)} == lists


def test_rooms_are_nouns_that_no_verb_is_named_like():
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir()} - {"__pycache__", "demo"}
    assert not rooms & set(excise.__all__)


def test_no_file_has_a_name_that_says_nothing():
    assert not [path for path in python_files() if path.stem.strip("_") in SAYS_NOTHING]


def test_no_file_is_long():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert {str(path.relative_to(ROOT)): lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_long_and_most_are_short():
    found = {
        f"{path.relative_to(ROOT)}:{node.name}": body_lines(node)
        for path in SOURCE.rglob("*.py")
        for node in functions(path)
    }
    assert {name: lines for name, lines in found.items() if lines > LONGEST_FUNCTION} == {}
    assert sorted(found.values())[len(found) // 2] <= MEDIAN_FUNCTION


def test_no_file_names_a_person_or_a_machine():
    told = {}
    for path in tracked():
        if path != Path(__file__) and (found := PERSONAL.search(GENERIC.sub(b"", path.read_bytes()))):
            told[str(path.relative_to(ROOT))] = found[0]
    assert told == {}


def test_the_package_says_that_it_is_typed():
    assert (SOURCE / "py.typed").exists()
