"""``excise.record``: a sample of a service's real requests, as the next audit's inputs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from excise.core.errors import ExciseError, ModelError, UsageError
from excise.core.refs import SERVICES, ModelRef, RefKind
from excise.monitor.middleware import is_wsgi, recorded
from excise.monitor.recorder import Recorder, recorder


def record(
    app: Any,
    *,
    out: str | os.PathLike[str],
    n: int | None = None,
    rate: float = 0.01,
    redact: Iterable[str] = (),
    hashed: Iterable[str] = (),
) -> Any:
    """The same application, a sample of whose requests is appended to a file as JSON lines.

    ``app = excise.record(app, out="bodies.jsonl")``, or ``app.add_middleware(excise.record, out="bodies.jsonl")``.
    Headers and fields that let somebody in are never kept, and the file is readable by its owner only.

    Args:
        app: an ASGI or WSGI application.
        out: the file; later ``excise audit asgi:service:app --current bodies.jsonl``.
        n: stop after so many requests; None for no end.
        rate: share of the requests that is recorded.
        redact: fields of bodies, queries and headers to take out, by name or by path (``user.email``).
        hashed: likewise, to be replaced by a digest that is the same for the same value.
    Raises:
        UsageError: the rate is no share, or ``n`` is below one.
        StoreError: the file cannot be written to.
    """
    check(n, rate)
    return recorded(app, recorder(out, n=n, rate=rate, redact=redact, hashed=hashed))


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording kept.

    Attributes:
        out: the file. requests: how many were appended to it.
        dropped: too large, or more than could be written.
        command: the audit that replays them.
    """

    schema: str = "excise/recording/v1"
    out: str
    requests: int
    dropped: int
    command: str


class RecordSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a service is run and recorded: ``out`` to ``hashed`` as ``record`` takes them, and where it listens."""

    out: str
    n: int = 1000
    rate: float = 1.0
    redact: tuple[str, ...] = ()
    hashed: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8000


def record_service(model: str, settings: RecordSettings, *, listening: Callable[[str], None]) -> Recording:
    """Run a service here until enough of its requests were recorded, or the user interrupts.

    Args:
        model: ``asgi:module:app`` or ``wsgi:module:app``.
        settings: what is recorded, and where it listens.
        listening: told the URL once requests can come.
    Raises:
        ModelError: the service cannot be imported.
        MissingExtra, StoreError, UsageError: as the parts say.
    """
    from excise.server.hosting import Hosted  # noqa: PLC0415  a middleware does without a server

    check(settings.n, settings.rate)
    app, is_new = application(model), not Path(settings.out).exists()
    kept = recorder(settings.out, n=settings.n, rate=settings.rate, redact=settings.redact, hashed=settings.hashed)
    try:
        hosted = Hosted(recorded(app, kept), wsgi=is_wsgi(app), host=settings.host, port=settings.port)
        listening(hosted.address)
        hosted.run_until(kept.full)
    except KeyboardInterrupt:
        pass  # what was recorded so far is what was wanted
    except ExciseError:
        if is_new:
            kept.path.unlink(missing_ok=True)
        raise
    finally:
        kept.close()
    return told(kept, model, settings.out)


def told(kept: Recorder, model: str, out: str) -> Recording:
    """What was kept, and what to do with it."""
    return Recording(
        out=out,
        requests=kept.written,
        dropped=kept.dropped,
        command=f"excise audit {model} --current {out}",
    )


def check(n: int | None, rate: float) -> None:
    """Refuse numbers that record nothing."""
    if not 0 < rate <= 1:
        raise UsageError(f"a rate of {rate:g}", hint="give a share of the requests, above 0 and at most 1")
    if n is not None and n < 1:
        raise UsageError(f"n is {n}", hint="record at least one request")


def application(model: str) -> Any:
    """The application that a reference names, imported here.

    Raises:
        UsageError: it names no service.
        ModelError: it cannot be imported.
    """
    from excise.adapters.models import find  # noqa: PLC0415  a middleware does without
    from excise.adapters.models.loaders import service  # noqa: PLC0415  as above

    ref = ModelRef.parse(model)
    if ref.kind is not RefKind.SCHEME or ref.attribute not in SERVICES:
        raise UsageError(f"{model} is no service", hint="write asgi:module:app or wsgi:module:app")
    loader = find(ref).variant.loader
    try:
        return service.application(loader.target, {"project": str(Path.cwd())})
    except (Exception, SystemExit) as error:
        message = f"{model} cannot be imported: {type(error).__name__}: {error}"
        raise ModelError(message, hint="run python -c 'import …' to see where") from error
