"""What the documents say is what the program does."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from excise.cli import verbs
from excise.core.errors import ExciseError
from excise.core.refs import ModelRef, RefKind
from excise.core.tax import Culprit

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changelog.d").glob("*.md")],
    key=str,
)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
CODE = re.compile(r"```(?:bash|sh)\n(?P<code>.*?)```", re.DOTALL)
FRAGMENT = re.compile(r"[a-z0-9-]+\.(?:added|changed|fixed|removed)\.md")


def tool(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as a forge makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def shell_lines() -> list[tuple[str, str]]:
    """(page, line) of every line that a page tells to run and that begins with excise."""
    found = []
    for page in PAGES:
        for block in CODE.finditer(page.read_text(encoding="utf-8")):
            lines = block["code"].replace("\\\n", " ").splitlines()
            found += [(page.name, part.strip()) for line in lines for part in re.split(r"[;|>]|#", line)[:1]]
    return [(page, line) for page, line in found if line.startswith("excise ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_leads_nowhere(page):
    for match in LINK.finditer(page.read_text(encoding="utf-8")):
        target, _, anchor = match["target"].partition("#")
        if target.startswith("http"):
            continue
        linked = (page.parent / target).resolve() if target else page
        assert linked.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(linked), f"{page.name} links to #{anchor}"


def test_the_pages_tell_lines_to_run():
    assert len(shell_lines()) > 5


@pytest.mark.parametrize(("page", "line"), shell_lines())
def test_every_line_that_a_page_tells_to_run_is_a_call_that_its_verb_takes(page, line):
    verb, *arguments = shlex.split(line)[1:]
    command = import_module(f"excise.cli.{verb}").command
    if isinstance(command, click.Group):
        name, *arguments = arguments
        command = command.commands[name]
    assert command.make_context(f"{page}: {verb}", arguments, resilient_parsing=False)


def test_the_command_line_reference_is_what_help_prints():
    # A process of its own: click keeps, for good, the help flags of the context in which a command was first asked.
    script = "import runpy, sys; sys.stdout.write(runpy.run_path('tools/write_cli_reference.py')['reference']())"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == run.stdout, "run `make docs`"


def test_the_settings_reference_is_the_table_of_settings():
    page = tool("write_settings_reference")
    assert page.PAGE.read_text(encoding="utf-8") == page.reference(), "run `make docs`"


def test_every_verb_has_a_chapter():
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert all(f"## excise {verb}\n" in page for verb in verbs.VERBS)


def test_the_glossary_knows_every_line():
    page = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8")
    assert all(f"| {culprit.replace('_', ' ')} |" in page for culprit in Culprit)


def test_the_glossary_names_models_as_the_parser_does():
    table = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8").partition("## Naming a model")[2]
    named = re.findall(r"`([^`]+)`", table.partition("\n## ")[0])
    kinds = {ModelRef.parse(text).kind for text in named if "…" not in text}
    assert kinds == set(RefKind) - {RefKind.DIGEST}  # a digest is too long to be shown whole


def test_the_exit_codes_in_the_glossary_are_those_of_the_errors():
    page = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8")

    def codes(kind: type[ExciseError]) -> set[int]:
        return {kind.exit_code}.union(*map(codes, kind.__subclasses__()))

    assert codes(ExciseError) <= {int(code) for code in re.findall(r"^\| (\d+) \|", page, flags=re.MULTILINE)}


def test_the_readme_keeps_a_place_for_a_real_report():
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert page.index("<!-- report -->") < page.index("<!-- /report -->")


def test_fragments_are_named_by_their_kind():
    fragments = {path.name for path in (ROOT / "changelog.d").iterdir()} - {"README.md"}
    assert not [name for name in fragments if not FRAGMENT.fullmatch(name)]


def test_decisions_are_numbered_and_listed():
    folder = ROOT / "docs" / "decisions"
    records = sorted(path.name for path in folder.glob("0*.md"))
    assert [name[:4] for name in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    listed = (folder / "README.md").read_text(encoding="utf-8")
    assert all(name in listed for name in records)
