"""``excise drift``: what differs between two samples of inputs, and does it matter?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from excise.cli import options

if TYPE_CHECKING:
    from excise.core.drift import Drift


@click.command(name="drift")
@click.argument("reference", metavar="REF")
@click.argument("current", metavar="[CUR]", required=False)
@click.option(
    "--fail-on",
    type=click.Choice(["material", "immaterial", "harm"]),
    help="Exit 1 where a feature reaches this, or harm is shown.",
)
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="Only the N features that matter most.")
@click.option(
    "--model",
    type=options.model_ref,
    help="Ask it what features are worth, what their form costs, and with --target how good it still is.",
)
@click.option("--trust-pickle", is_flag=True, help="Load pickles. Loading one runs code that it holds.")
@click.option("--ordered", is_flag=True, help="Rows stand in time order and may depend on each other.")
@click.option("--alpha", type=click.FloatRange(0, 1), default=0.05, show_default=True, help="Chance of a false alarm.")
@click.option(
    "--correction", type=click.Choice(["holm", "bh"]), default="holm", show_default=True,
    help="Bound the chance of any false alarm, or the share of false ones.",
)  # fmt: skip
@click.option("--floor", type=click.FloatRange(0, 1), default=0.01, show_default=True, help="Effect that is material.")
@click.option(
    "--target",
    metavar="COLUMN",
    help="Column that holds the label; no feature. With --model the measure of its quality.",
)
@click.option("--stream", type=options.FILE, metavar="FILE", help="Carry evidence from look to look in this file.")
@click.option("--at", metavar="LABEL", help="What this look is called, once for each label; today's date by default.")
@click.option(
    "--false-alarms", type=click.FloatRange(min=0, min_open=True), metavar="N",
    help="Accepted in a quarter, over all features; 0.05 by default. Fixed by the first look.",
)  # fmt: skip
@click.option(
    "--looks-per-quarter", type=click.IntRange(min=1), metavar="N",
    help="How often is looked at most; 90 by default. Fixed by the first look.",
)  # fmt: skip
@click.option("--restart", multiple=True, metavar="FEATURE", help="Its change was dealt with: begin its evidence anew.")
@options.csv()
@options.engine()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document to stdout and nothing else there.")
@click.option("--html", type=options.FILE, metavar="FILE", help="Write a self-contained page.")
@click.option("--show-examples", is_flag=True, help="Leave example values in the page.")
def command(**given: Any) -> int:
    """Hold current inputs against a reference, feature by feature.

    REF is data, a profile (excise profile DATA -o FILE.profile) or a release. On a clean sample the chance of any alarm
    is at most --alpha, over all features together. Each feature that drifted is told with its cause. To look every
    day, give a --stream: it bounds false alarms over all looks of a quarter, and --fail-on goes by its alarms.

    Of recorded requests (excise record, HAR) the rows in their bodies are compared. Of a view of a feature store, what
    is online is held against what is offline, entity by entity.

    \b
    excise drift january.parquet july.parquet
    excise drift january.profile july.csv --fail-on material
    excise drift flights@1 july.parquet --model flights@1 --html drift.html
    excise drift january.profile today.parquet --stream flights.stream --fail-on material
    excise drift flights@1 requests.jsonl
    excise drift feast:repository/driver_hourly
    """  # noqa: D301  click leaves a paragraph that begins with this byte as it is
    from excise.api.drift import drift  # noqa: PLC0415  rooms load only when the verb runs
    from excise.core.verdict import EXIT_CODES  # noqa: PLC0415  brings msgspec, which help does without

    words = {name: given[name] for name in PASSED}
    found = drift(given["reference"], given["current"], **words)
    show(found, given)
    return EXIT_CODES[found.outcome]


PASSED = (
    "fail_on", "top", "model", "trust_pickle", "ordered", "alpha", "correction", "floor", "target", "csv",
    "stream", "at", "false_alarms", "looks_per_quarter", "restart", "engine",
)  # fmt: skip
"""Flags that are arguments of the same name."""


def show(found: Drift, given: dict[str, Any]) -> None:
    """Draw it where it was asked for."""
    if given["html"]:
        from pathlib import Path  # noqa: PLC0415  only when asked for

        from excise.report.drift_html import drift_html  # noqa: PLC0415  as above

        Path(given["html"]).write_text(drift_html(found, show_examples=given["show_examples"]), "utf-8")
    if given["as_json"]:
        from excise.report.documents import to_json  # noqa: PLC0415  as above

        click.echo(to_json(found), nl=False)
        return
    from excise.report.consoles import output  # noqa: PLC0415  as above
    from excise.report.drift_terminal import DriftOnTerminal  # noqa: PLC0415  as above

    output().print(DriftOnTerminal(found, html=given["html"]))
