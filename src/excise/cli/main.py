"""The command line's front door: run one verb, turn what went wrong into one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from excise.cli import verbs

COMPLETION = "_EXCISE_COMPLETE"
"""The variable with which a shell asks for completions, by click's convention."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``excise`` with the given arguments, ``sys.argv`` by default; returns the exit code."""
    rest, debug = without_debug(sys.argv[1:] if arguments is None else arguments)
    try:
        code = run(rest)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  the last door: nothing may pass it as a traceback
        return fail(error, debug=debug)
    return code


def run(arguments: list[str]) -> int:
    """Run one verb; help and version answer without loading click.

    Raises:
        ExciseError, click.ClickException, OSError: what the verb raised.
    """
    if arguments in (["--help"], ["-h"]):
        return say(verbs.page())
    if arguments == ["--version"]:
        return say(f"excise {version()}")
    if not arguments and COMPLETION not in os.environ:
        sys.stderr.write(f"{verbs.page()}\n")
        return 2
    return invoke(arguments)


def invoke(arguments: list[str]) -> int:
    """Hand the arguments to the click group; a verb returns its exit code, or None for 0."""
    from click.exceptions import Exit  # noqa: PLC0415  `excise --help` does without click
    from click.shell_completion import shell_complete  # noqa: PLC0415  as above

    from excise.cli.program import program  # noqa: PLC0415  as above

    if instruction := os.environ.get(COMPLETION):
        return shell_complete(program, {}, "excise", COMPLETION, instruction)
    try:
        with program.make_context("excise", arguments) as context:
            return program.invoke(context) or 0
    except Exit as ended:
        return ended.exit_code


def fail(error: BaseException, *, debug: bool) -> int:
    """Say on stderr what went wrong; with ``debug`` the traceback first."""
    from excise.cli import failure  # noqa: PLC0415  only a failing command pays for it

    if debug:
        import traceback  # noqa: PLC0415  as above

        traceback.print_exception(error)
    shown, code = failure.of(error)
    if shown is None:
        _forget_stdout()
    else:
        draw(shown)
    return code


def draw(error: BaseException) -> None:
    """One line and a hint on stderr."""
    from excise.report import consoles  # noqa: PLC0415  only a failing command pays for rich
    from excise.report.failure import show_failure  # noqa: PLC0415  as above

    show_failure(error, consoles.errors())


def without_debug(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """The arguments without ``--debug``, wherever it stood before a ``--``, and whether it was there."""
    given = list(arguments)
    end = given.index("--") if "--" in given else len(given)
    options = [argument for argument in given[:end] if argument != "--debug"]
    return options + given[end:], len(options) < end


def version() -> str:
    """The version of excise."""
    from excise import __version__  # noqa: PLC0415  the package is loaded already; this is its name only

    return __version__


def say(text: str) -> int:
    """Print to stdout; returns the exit code 0."""
    sys.stdout.write(f"{text}\n")
    return 0


def _forget_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's own flush at exit cannot fail a second time."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
