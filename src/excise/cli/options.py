"""Options that several verbs share, and the types behind them: the same flag means the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from excise.core.duration import parse_seconds
from excise.core.errors import UsageError

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


def duration(value: Any) -> float:
    """``20ms``, ``60s``, ``2m`` as seconds."""
    try:
        return parse_seconds(value)
    except UsageError as error:
        raise click.BadParameter(f"{error.message}; {error.hint}") from None


def model_ref(value: Any) -> str:
    """A model reference; stays text, checked."""
    from excise.core.refs import ModelRef  # noqa: PLC0415  brings msgspec, which help does without

    try:
        return ModelRef.parse(str(value)).text
    except UsageError as error:
        raise click.BadParameter(f"{error.message}; {error.hint}") from None


FILE = click.Path(dir_okay=False, writable=True)


def stack(*decorators: Decorator) -> Decorator:
    """One decorator that adds several options, shown in the order given."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def model(*, required: bool = True) -> Decorator:
    """The argument MODEL; a project's settings may stand in for it."""
    return stack(
        click.argument("model", type=model_ref, metavar="MODEL", required=required),
        click.option("--trust-pickle", is_flag=True, help="Load pickles. Loading one runs code that it holds."),
    )


def samples() -> Decorator:
    """Where inputs come from, and in which form a call gets them."""
    return stack(
        click.option("--current", metavar="DATA", help="Inputs as production gets them today."),
        click.option("--reference", metavar="DATA", help="Inputs from when the model was approved."),
        click.option("--target", metavar="COLUMN", help="Column that holds the label."),
        csv(),
        click.option(
            "--input", type=click.Choice(["records", "frame", "tensors"]), help="Form in which a call gets its rows."
        ),
        click.option("--batch", type=click.IntRange(min=1), default=1, show_default=True, help="Rows per call."),
    )


def request() -> Decorator:
    """How a service or an endpoint is asked."""
    return stack(
        click.option("--request", metavar="REQUEST", help="How a service is asked: 'POST /predict'."),
        click.option("--body", metavar="TEMPLATE", help="Body of a request: {{column}}, {{row}}, {{rows}} are filled."),
    )


def asking() -> Decorator:
    """What else an audit says to a service or an endpoint."""
    return stack(
        request(),
        click.option("--header", "headers", multiple=True, metavar="LINE", help="Sent with every request, never kept."),
        click.option("--required", multiple=True, metavar="FUNCTION", help="A service's function that must stay."),
        click.option("--against", type=model_ref, metavar="MODEL", help="Ask this one beside, on the same rows."),
        click.option(
            "--token-prices", metavar="PRICES", help="USD per million tokens: input=0.15,cached=0.075,output=0.6."
        ),
    )


def csv() -> Decorator:
    """How cells of a CSV get their types."""
    return click.option(
        "--csv",
        type=click.Choice(["exact", "text", "infer"]),
        default="exact",
        show_default=True,
        help="How CSV cells get their types.",
    )


def engine() -> Decorator:
    """Where samples are read and counted."""
    return click.option(
        "--engine",
        default="local",
        show_default=True,
        metavar="ENGINE",
        help="Where files are read and counted: local, ray, spark.",
    )


def effort() -> Decorator:
    """How long and how hard to measure."""
    return stack(
        click.option(
            "--budget",
            type=duration,
            metavar="DURATION",
            default="60s",
            show_default=True,
            help="Wall time of measuring.",
        ),
        click.option(
            "--prepare-budget",
            type=duration,
            metavar="DURATION",
            default="2m",
            show_default=True,
            help="Wall time of exporting and building environments.",
        ),
        click.option(
            "--timeout",
            type=duration,
            metavar="DURATION",
            default="30s",
            show_default=True,
            help="Longest time that one call may take.",
        ),
        click.option("--max-cores", type=click.IntRange(min=1), help="Cores that measuring may take."),
        click.option(
            "--engine",
            type=click.Choice(["interleaved", "duet"]),
            default="interleaved",
            show_default=True,
            help="Compare processes block by block, or both at once on two free cores.",
        ),
        click.option("--half-width", type=click.FloatRange(0, 1), help="Stop once every ratio is known to this."),
        click.option("--seed", type=int, default=0, show_default=True, help="Of the order of rows and processes."),
        click.option("--force", is_flag=True, help="Measure on a busy machine as well."),
    )


def pricing() -> Decorator:
    """What the machine costs; ``one_price`` settles which of the two counts."""
    return stack(
        click.option("--price", metavar="SKU", help="Machine whose price counts, such as aws/c5.large."),
        click.option(
            "--dollars-per-hour",
            type=click.FloatRange(min=0, min_open=True),
            help="What the machine costs, instead of --price.",
        ),
        click.option(
            "--slots", type=click.FloatRange(min=0, min_open=True), help="Calls that one machine serves at once."
        ),
    )


def remedies() -> Decorator:
    """Which remedies to try, and what they may cost in skill."""
    return stack(
        click.option(
            "--lean", type=model_ref, multiple=True, metavar="MODEL", help="A leaner model of your own to try."
        ),
        click.option(
            "--delta",
            type=click.FloatRange(0, 1),
            default=0.005,
            show_default=True,
            help="Share of skill that waste may cost.",
        ),
        click.option("--metric", metavar="LOSS", help="Loss behind skill, instead of the one that fits the outputs."),
        click.option("--baseline", type=model_ref, metavar="RELEASE", help="Hold today's production against this."),
        click.option(
            "--floor", type=click.FloatRange(0, 1), help="Share of skill that must stay in a trade, shown apart."
        ),
        click.option(
            "--slice", "slices", multiple=True, metavar="COLUMN", help="The skill must hold by its values as well."
        ),
    )


def rot() -> Decorator:
    """Whether and how the newest compatible environment is tried."""
    return stack(
        click.option("--rot/--no-rot", default=None, help="Try the newest compatible environment (downloads wheels)."),
        click.option("--offline", is_flag=True, help="Download nothing."),
        click.option("--find-links", multiple=True, metavar="FOLDER", help="A folder with wheels."),
        click.option(
            "--max-download",
            type=click.IntRange(min=0),
            default=500,
            show_default=True,
            metavar="MB",
            help="Most to download.",
        ),
    )


def reports() -> Decorator:
    """Where the result goes beside the terminal."""
    return stack(
        click.option(
            "--json", "as_json", is_flag=True, help="Print one JSON document to stdout and nothing else there."
        ),
        click.option("--markdown", type=FILE, metavar="FILE", help="Write a report fit for a pull request."),
        click.option("--html", type=FILE, metavar="FILE", help="Write a self-contained page."),
        click.option("--show-examples", is_flag=True, help="Leave example values in the files that are written."),
    )


def one_price(context: click.Context) -> tuple[str | None, float | None]:
    """The price or the dollars per hour that count: a flag beats what the settings say of the other.

    Raises:
        UsageError: both were given in the same place.
    """
    given = {name: context.params[name] for name in ("price", "dollars_per_hour") if context.params[name] is not None}
    flags = [name for name in given if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if len(given) > 1 and len(flags) != 1:
        raise UsageError("two prices: --price and --dollars-per-hour", hint="give one of them")
    kept = {name: given[name] for name in flags or given}
    return kept.get("price"), kept.get("dollars_per_hour")
