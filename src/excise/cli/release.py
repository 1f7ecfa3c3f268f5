"""``excise release``: keep what production runs as an immutable, verifiable bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from excise.cli import options

if TYPE_CHECKING:
    from excise.tables import CsvMode

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document to stdout.")
RELEASE = click.argument("release", metavar="RELEASE")


@click.group(name="release")
def command() -> None:
    """Keep what production runs as an immutable, verifiable bundle.

    A release is named by what it holds: files, signature, code and environment. The same content is the same
    release, wherever and whenever it is made. What was measured at approval stands beside it.
    """


@command.command()
@options.model()
@click.option("--reference", metavar="DATA", help="Inputs as they are at approval; kept with the release.")
@click.option("--target", metavar="COLUMN", help="Column of the reference that holds the label.")
@options.csv()
@options.request()
@click.option("--name", help="What to call it; versions count up per name.")
@click.option(
    "--include",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A file or folder that the model opens at run time.",
)
@click.option("--parent", metavar="RELEASE", help="The release that it came from.")
@click.option("--no-baseline", is_flag=True, help="Keep the reference, but measure nothing on it.")
@AS_JSON
def create(model: str, *, as_json: bool, no_baseline: bool, csv: CsvMode, **given: Any) -> None:
    """Make a release of MODEL, or find the identical one."""
    from excise.api.release import release  # noqa: PLC0415  rooms load only when the verb runs
    from excise.report.release_terminal import created_view  # noqa: PLC0415  as above

    measure = None if no_baseline or given["reference"] is None else baseline_measurer()
    show(release(model, baseline=measure, csv=csv, **given), created_view, as_json)


@command.command(name="list")
@AS_JSON
def list_(*, as_json: bool) -> None:
    """List the releases of this project."""
    from excise.api.release import list_releases  # noqa: PLC0415  rooms load only when the verb runs
    from excise.report.release_terminal import list_view  # noqa: PLC0415  as above

    show(list_releases(), list_view, as_json)


@command.command(name="show")
@RELEASE
@AS_JSON
def show_(release: str, *, as_json: bool) -> None:
    """Show what is in RELEASE, and what was measured of it."""
    from excise.api.release import show_release  # noqa: PLC0415  rooms load only when the verb runs
    from excise.report.release_terminal import show_view  # noqa: PLC0415  as above

    show(show_release(release), show_view, as_json)


@command.command()
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="AFTER")
@AS_JSON
def diff(before: str, after: str, *, as_json: bool) -> None:
    """Name what changed from one release to another."""
    from excise.api.release import diff_releases  # noqa: PLC0415  rooms load only when the verb runs
    from excise.report.release_terminal import diff_view  # noqa: PLC0415  as above

    show(diff_releases(before, after), diff_view, as_json)


@command.command()
@click.argument("release", metavar="[RELEASE]", required=False)
@AS_JSON
@click.pass_context
def verify(context: click.Context, release: str | None, *, as_json: bool) -> None:
    """Hash every byte of RELEASE, or of all releases; exit code 1 says that one differs."""
    from excise.api.release import verify_release  # noqa: PLC0415  rooms load only when the verb runs
    from excise.core.verdict import EXIT_CODES  # noqa: PLC0415  as above
    from excise.report.release_terminal import verify_view  # noqa: PLC0415  as above

    found = verify_release(release)
    show(found, verify_view, as_json)
    context.exit(EXIT_CODES[found.outcome])


@command.group()
def env() -> None:
    """Write down, compare and build the environments that releases run in."""


@env.command()
@click.argument("release", metavar="[RELEASE]", default="here")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a file.")
def lock(release: str, output: Path | None) -> None:
    """Print the pylock.toml (PEP 751) of this interpreter, or of RELEASE."""
    from excise.api.release import lock_environment  # noqa: PLC0415  rooms load only when the verb runs

    words = lock_environment(release)
    if output is None:
        click.echo(words, nl=False)
    else:
        output.write_text(words, encoding="utf-8")


@env.command(name="diff")
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="[AFTER]", default="here")
@AS_JSON
def env_diff(before: str, after: str, *, as_json: bool) -> None:
    """Name what differs between two releases' environments; AFTER is this machine unless given."""
    from excise.api.release import diff_environments  # noqa: PLC0415  rooms load only when the verb runs
    from excise.report.release_terminal import diff_view  # noqa: PLC0415  as above

    show(diff_environments(before, after), diff_view, as_json)


@env.command()
@options.model()
@click.option("--newest", is_flag=True, required=True, help="The newest versions that fit together, wheels only.")
@click.option("--dry-run", is_flag=True, help="Print the plan and build nothing.")
@click.option("--offline", is_flag=True, help="Download nothing.")
@click.option("--find-links", multiple=True, metavar="FOLDER", help="A folder with wheels.")
@click.option(
    "--max-download",
    type=click.IntRange(min=0),
    default=500,
    show_default=True,
    metavar="MB",
    help="Most to download; 0 for no limit.",
)
@AS_JSON
def build(model: str, *, newest: bool, dry_run: bool, max_download: int, as_json: bool, **given: Any) -> None:
    """Build the newest environment that MODEL's packages allow, in .excise/envs; the plan is printed first."""
    from excise.api.release import build_planned, plan_newest  # noqa: PLC0415  rooms load only when the verb runs
    from excise.report.consoles import errors  # noqa: PLC0415  as above
    from excise.report.release_terminal import environment_view, plan_view  # noqa: PLC0415  as above

    del newest  # the only kind so far; required, so that another one may come beside it
    found = plan_newest(model, max_download_mb=max_download or None, **given)
    if not dry_run and found.plan is not None:
        errors().print(plan_view(found.plan))
        found = build_planned(found.plan)
    show(found, environment_view, as_json)


def show(document: Any, view: Callable[[Any], Any], as_json: bool) -> None:
    """Print a document: as JSON, or drawn."""
    from excise.report.consoles import output  # noqa: PLC0415  rooms load only when the verb runs
    from excise.report.documents import to_json  # noqa: PLC0415  as above

    if as_json:
        click.echo(to_json(document), nl=False)
    else:
        output().print(view(document))


def baseline_measurer() -> Any:
    """What measures a release when it is approved."""
    from excise.api.baseline import measure_baseline  # noqa: PLC0415  rooms load only when the verb runs

    return measure_baseline
