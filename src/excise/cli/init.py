"""``excise init``: write a commented ``excise.toml``, or look at what an audit would lack."""

from __future__ import annotations

from typing import Any

import click

from excise.cli import options
from excise.core.errors import UsageError


@click.command(name="init")
@click.argument("model", type=options.model_ref, metavar="[MODEL]", required=False)
@click.option("--current", metavar="DATA", help="Inputs as production gets them today.")
@click.option("--reference", metavar="DATA", help="Inputs from when the model was approved.")
@click.option("--target", metavar="COLUMN", help="Column that holds the label.")
@click.option("--check", is_flag=True, help="Write nothing; say in seconds what an audit has and what it lacks.")
@click.option("--trust-pickle", is_flag=True, help="With --check: load pickles. Loading one runs code that it holds.")
@click.option("--json", "as_json", is_flag=True, help="With --check: print one JSON document to stdout.")
def command(*, check: bool, trust_pickle: bool, as_json: bool, **given: Any) -> int:
    """Write a commented excise.toml for a model and its data.

    What is not given is looked for in this folder and the folders right below it: a FastAPI, Starlette, Flask or
    Django application that there is data for, else a Python file with a handler, else a model file; tables whose
    names say current or reference; a column named target or label; this machine's price. Nothing is overwritten,
    and no file is run.

    With --check the model is loaded in a process of its own and called once. Exit code 0: all that an audit needs
    is there; 1: something is missing; 4: the model did not answer within five seconds.
    """
    if check:
        return look(given, trust_pickle=trust_pickle, as_json=as_json)
    if as_json or trust_pickle:
        raise UsageError("--json and --trust-pickle go with --check", hint="excise init --check --json")
    return write(given)


def write(given: dict[str, Any]) -> int:
    """Write the settings and say what was found."""
    from excise.api.init import init  # noqa: PLC0415  rooms load only when the verb runs

    project = init(**given)
    click.echo(f"Wrote {project.path}.")
    for key in project.found:
        click.echo(f"  found {key}: {getattr(project, key)}")
    for note in project.notes:
        click.echo(f"  note: {note}")
    click.echo(f"Next: {project.command}")
    return 0


def look(given: dict[str, Any], *, trust_pickle: bool, as_json: bool) -> int:
    """Say what an audit has and what it lacks."""
    from excise.api.checking import check  # noqa: PLC0415  rooms load only when the verb runs
    from excise.api.choosing import Choice  # noqa: PLC0415  as above
    from excise.core.verdict import EXIT_CODES  # noqa: PLC0415  as above

    found = check(Choice(**given), trust_pickle=trust_pickle)
    if as_json:
        from excise.report.documents import to_json  # noqa: PLC0415  only when asked for

        click.echo(to_json(found), nl=False)
    else:
        from excise.report.check_terminal import CheckOnTerminal  # noqa: PLC0415  as above
        from excise.report.consoles import output  # noqa: PLC0415  as above

        output().print(CheckOnTerminal(found), crop=False)
    return EXIT_CODES[found.outcome]
