"""``excise record``: a sample of a service's real requests."""

from __future__ import annotations

from typing import Any

import click

from excise.cli import options


@click.command(name="record")
@click.argument("model", type=options.model_ref, metavar="MODEL")
@click.option("--out", required=True, type=options.FILE, metavar="FILE", help="JSON lines are appended here.")
@click.option("--n", type=click.IntRange(min=1), default=1000, show_default=True, help="End after so many requests.")
@click.option("--rate", type=float, default=1.0, show_default=True, help="Share of the requests that is recorded.")
@click.option("--redact", multiple=True, metavar="FIELD", help="Take this field out; a path such as user.email.")
@click.option("--hash", "hashed", multiple=True, metavar="FIELD", help="Replace this field by a digest.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the service listens.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 for a free one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document to stdout and nothing else there.")
def command(model: str, as_json: bool, **given: Any) -> None:
    """Record a sample of a service's real requests, as the next audit's inputs.

    MODEL is asgi:module:app or wsgi:module:app; it runs here until enough requests were recorded. Headers and fields
    that let somebody in (authorization, cookies, tokens, passwords) are never kept. In production use the
    middleware: app = excise.record(app, out="bodies.jsonl").

    \b
    excise record asgi:service:app --out bodies.jsonl --n 1000 --redact email
    excise audit asgi:service:app --current bodies.jsonl
    """  # noqa: D301  click leaves a paragraph that begins with this byte as it is
    from excise.api.record import RecordSettings, record_service  # noqa: PLC0415  rooms load only when the verb runs

    def listening(url: str) -> None:
        click.echo(f"Listening on {url}; Ctrl-C ends it.", err=True)

    made = record_service(model, RecordSettings(**given), listening=listening)
    if as_json:
        from excise.report.documents import to_json  # noqa: PLC0415  as above

        click.echo(to_json(made))
        return
    dropped = f" ({made.dropped} dropped)" if made.dropped else ""
    click.echo(f"Recorded {made.requests} requests in {made.out}{dropped}.")
    click.echo(f"Next: {made.command}")
