"""``excise profile``: what do these columns hold, and what brings them back to the reference's form?"""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from excise.cli import options
from excise.core.errors import UsageError


@click.command(name="profile")
@click.argument("data", required=False)
@click.option("--against", "--reference", "reference", metavar="REF", help="The reference that DATA is held against.")
@click.option("--current", metavar="DATA", help="Hold this against DATA, which then is the reference.")
@click.option("-o", "--output", type=options.FILE, metavar="FILE", help="Keep the profile, as a reference for drift.")
@click.option("--emit-cast", type=options.FILE, metavar="FILE", help="Write the caster as a Python file.")
@click.option("--target", metavar="COLUMN", help="Column that holds the label; left out.")
@options.csv()
@options.engine()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document to stdout and nothing else there.")
@click.option("--show-examples", is_flag=True, help="Leave example values in the JSON document.")
@click.pass_context
def command(context: click.Context, /, **given: Any) -> int:
    """Describe a sample's columns and learn the cast that cleans them.

    \b
    excise profile july.csv
    excise profile january.parquet -o january.profile
    excise profile july.csv --against january.parquet --emit-cast cast.py
    excise profile january.parquet --emit-cast cast.py     (brings anything to the form of January)
    """  # noqa: D301  click leaves a paragraph that begins with this byte as it is
    from excise.api.profile import profiled, write_cast, write_profile  # noqa: PLC0415  rooms load only when it runs

    data, reference = samples(context, given)
    document, caster, seen = profiled(
        data, against=reference, csv=given["csv"], target=given["target"], engine=given["engine"]
    )
    if given["output"]:
        write_profile(seen, given["output"])
    if given["emit_cast"]:
        write_cast(caster, given["emit_cast"])
    if given["as_json"]:
        from excise.report.documents import to_json  # noqa: PLC0415  only when asked for

        click.echo(to_json(document if given["show_examples"] else document.masked()), nl=False)
        return 0
    from excise.report.consoles import output  # noqa: PLC0415  as above
    from excise.report.profile_terminal import ProfileOnTerminal  # noqa: PLC0415  as above

    output().print(ProfileOnTerminal(document, given["emit_cast"]))
    return 0


def samples(context: click.Context, given: dict[str, Any]) -> tuple[str, str | None]:
    """The sample and its reference; the project's settings stand in only where no DATA is given.

    Raises:
        UsageError: nothing to look at, or two references.
    """
    data = given["data"]
    typed = {
        name: given[name] if context.get_parameter_source(name) is ParameterSource.COMMANDLINE else None
        for name in ("reference", "current")
    }
    if data is None:
        if given["current"] is None:
            raise UsageError("DATA is missing", hint="excise profile DATA, or name current in excise.toml")
        return given["current"], given["reference"]
    if typed["reference"] is not None and typed["current"] is not None:
        raise UsageError("DATA, --against and --current are one too many", hint="leave out --current, or DATA")
    if typed["current"] is not None:
        return typed["current"], data
    return data, typed["reference"]
