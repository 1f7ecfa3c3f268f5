"""``excise audit``: what is this model's tax rate today?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from excise.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable

    from excise.core.audit import Audit


@click.command(name="audit")
@options.model(required=False)
@options.samples()
@options.asking()
@options.remedies()
@options.rot()
@options.pricing()
@options.effort()
@options.reports()
@click.option("--max-tax", type=click.FloatRange(0, 1), help="Fail when the demonstrated rate is above this.")
@click.option("--history", is_flag=True, help="Show past audits instead of measuring.")
def command(**given: Any) -> int:
    """Tell a model's tax rate today, line by line, in ms and dollars.

    MODEL is a file or folder (.onnx, .skops, .ubj, .pt2, …), a Python handler (file.py:attr or module:attr), a Python
    service (asgi:module:app), an endpoint (http://…), a release (name@version) or what a registry keeps
    (mlflow:models:/name@alias). Production is run in fresh processes on the current inputs, with and without each
    remedy; an endpoint is asked from outside.

    \b
    excise audit handler.py:handler --reference ref.parquet --current cur.csv --target late
    excise audit asgi:service:app --request 'POST /predict' --current bodies.jsonl
    excise audit http://127.0.0.1:8000 --request 'POST /predict' --current cur.csv --against http://127.0.0.1:8001
    excise audit flights@1 --current july.parquet --price aws/c5.large --html report.html
    excise audit --history
    """  # noqa: D301  click leaves a paragraph that begins with this byte as it is
    if given["history"]:
        return history(given["model"])
    given["price"], given["dollars_per_hour"] = options.one_price(click.get_current_context())
    audit = measure(given)
    show(audit, given)
    return exit_code(audit, given["max_tax"])


def history(model: str | None) -> int:
    """Draw past audits."""
    from excise.api.audits import audits  # noqa: PLC0415  rooms load only when the verb runs
    from excise.report.consoles import output  # noqa: PLC0415  as above
    from excise.report.history_terminal import HistoryOnTerminal  # noqa: PLC0415  as above

    output().print(HistoryOnTerminal(audits(model)))
    return 0


def measure(given: dict[str, Any]) -> Audit:
    """Run the audit behind a progress bar."""
    from excise.api.audit import audit  # noqa: PLC0415  rooms load only when the verb runs
    from excise.report.consoles import errors  # noqa: PLC0415  as above
    from excise.report.progress import progress  # noqa: PLC0415  as above

    rot = wants_newest(given)
    with progress(errors()) as tell:
        return audit(
            needed(given, "model"),
            current=needed(given, "current"),
            reference=given["reference"],
            target=given["target"],
            budget_s=given["budget"],
            prepare_budget_s=given["prepare_budget"],
            timeout_s=given["timeout"],
            max_download_mb=given["max_download"],
            rot=rot,
            progress=tell,
            **{name: given[name] for name in PASSED},
        )


PASSED = (
    "against",
    "baseline",
    "batch",
    "body",
    "csv",
    "delta",
    "dollars_per_hour",
    "engine",
    "find_links",
    "floor",
    "force",
    "half_width",
    "headers",
    "input",
    "lean",
    "max_cores",
    "metric",
    "offline",
    "price",
    "request",
    "required",
    "seed",
    "slices",
    "slots",
    "token_prices",
    "trust_pickle",
)
"""Flags that are settings of the same name."""


def needed(given: dict[str, Any], name: str) -> Any:
    """What the command cannot do without, from a flag or the settings.

    Raises:
        UsageError: neither names it.
    """
    from excise.core.errors import UsageError  # noqa: PLC0415  brings nothing else

    if given[name] is None:
        what = "MODEL" if name == "model" else f"--{name}"
        raise UsageError(f"{what} is missing", hint="give it here, or run `excise init` to write it into excise.toml")
    return given[name]


def wants_newest(given: dict[str, Any]) -> bool | Callable[[str], bool]:
    """Whether dependency rot is measured: by flag, else asked once on a terminal with the plan shown, else not."""
    if given["rot"] is False or (given["rot"] is None and not sys.stdin.isatty()):
        return False
    if given["rot"]:
        return agree
    return False if given["as_json"] else ask


def agree(plan: str) -> bool:
    """Show the plan that --rot asked for."""
    click.echo(plan, err=True)
    return True


def ask(plan: str) -> bool:
    """Show the plan and ask; nothing was downloaded so far."""
    click.echo(plan, err=True)
    return click.confirm("Download and try it?", default=False, err=True)


def show(audit: Audit, given: dict[str, Any]) -> None:
    """Draw the audit where it was asked for."""
    from pathlib import Path  # noqa: PLC0415  help does without

    if given["markdown"]:
        from excise.report.audit_markdown import audit_markdown  # noqa: PLC0415  only when asked for

        Path(given["markdown"]).write_text(audit_markdown(audit, show_examples=given["show_examples"]), "utf-8")
    if given["html"]:
        from excise.report.audit_html import audit_html  # noqa: PLC0415  as above

        Path(given["html"]).write_text(audit_html(audit, show_examples=given["show_examples"]), "utf-8")
    if given["as_json"]:
        from excise.report.documents import to_json  # noqa: PLC0415  as above

        click.echo(to_json(audit))
        return
    from excise.report.audit_terminal import AuditOnTerminal  # noqa: PLC0415  as above
    from excise.report.consoles import output  # noqa: PLC0415  as above

    output().print(AuditOnTerminal(audit, html=given["html"]))


def exit_code(audit: Audit, max_tax: float | None) -> int:
    """0 for a measured rate, 1 above ``--max-tax``, 3 for a noisy machine, 4 for nothing measured.

    The rate is a lower bound on what can be avoided, and its own lower end is what was demonstrated.
    """
    from excise.core.verdict import EXIT_CODES  # noqa: PLC0415  brings msgspec, which help does without

    if max_tax is not None and audit.tax_rate is not None:
        demonstrated = audit.tax_rate.low if audit.tax_rate.low is not None else 0.0
        return 1 if demonstrated > max_tax else 0
    return EXIT_CODES[audit.outcome]
