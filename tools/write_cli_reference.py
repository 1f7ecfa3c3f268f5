"""Writes docs/cli.md from ``--help``, so that the reference says what the commands say."""  # noqa: INP001  a script

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from excise.cli import verbs
from excise.cli.program import program

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
WIDTH = 100
OPENING = """# Command line

Written by `make docs` from `--help`. The same verbs are functions: `import excise; excise.audit(...)`.
What every command shares stands in [concepts](concepts.md): model references, durations, exit codes, JSON.
"""


def reference() -> str:
    """The whole page."""
    pages = [block("excise", verbs.page())]
    with click.Context(program, info_name="excise") as context:
        for name in program.list_commands(context):
            command = program.get_command(context, name)
            if command is not None:
                pages += [block(*page) for page in commands(command, name, context)]
    return "\n".join([OPENING, *pages])


def commands(command: click.Command, name: str, parent: click.Context) -> Iterator[tuple[str, str]]:
    """(path, help) of a command and of everything below it."""
    settings = {"terminal_width": WIDTH, "max_content_width": WIDTH, "help_option_names": ["-h", "--help"]}
    with click.Context(command, info_name=name, parent=parent, **settings) as context:  # type: ignore[arg-type]
        yield context.command_path, command.get_help(context)
        if isinstance(command, click.Group):
            for below in command.list_commands(context):
                if (found := command.get_command(context, below)) is not None:
                    yield from commands(found, below, context)


def block(path: str, text: str) -> str:
    """One command: its heading and its help as it is printed."""
    return f"## {path}\n\n```text\n{text}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
