"""``excise init``: write a commented ``excise.toml``."""

from __future__ import annotations

import click

from excise.cli import options


@click.command(name="init")
@click.argument("model", type=options.model_ref, metavar="[MODEL]", required=False)
@click.option("--current", metavar="DATA", help="Inputs as production gets them today.")
@click.option("--reference", metavar="DATA", help="Inputs from when the model was approved.")
@click.option("--target", metavar="COLUMN", help="Column that holds the label.")
def command(model: str | None, current: str | None, reference: str | None, target: str | None) -> None:
    """Write a commented excise.toml for a model and its data.

    What is not given is looked for in this folder and the folders right below it: a Python file with a
    handler, else a model file; tables whose names say current or reference; a column named target or label.
    Nothing is overwritten, and no file is run.
    """
    from excise.api.init import init  # noqa: PLC0415  rooms load only when the verb runs

    project = init(model, current=current, reference=reference, target=target)
    click.echo(f"Wrote {project.path}.")
    for key in project.found:
        click.echo(f"  found {key}: {getattr(project, key)}")
    for note in project.notes:
        click.echo(f"  note: {note}")
    click.echo(f"Next: {project.command}")
