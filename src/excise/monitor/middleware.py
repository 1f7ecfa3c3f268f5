"""Stands before a service, ASGI or WSGI, and hands a sample of its requests to a recorder."""

from __future__ import annotations

import inspect
import io
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import quote

from excise.monitor.recorder import LARGEST, Recorder, Seen

Message = MutableMapping[str, Any]
WSGI_PARAMETERS = 2
IN_A_PATH = "/:@!$&'()*+,;=~"
"""Characters that a path holds as they are. Source: RFC 3986, section 3.3."""


def recorded(app: Any, recorder: Recorder) -> Any:
    """The same application, recorded; which interface it has is seen by what it takes."""
    return RecordedWsgi(app, recorder) if is_wsgi(app) else RecordedAsgi(app, recorder)


def is_wsgi(app: Any) -> bool:
    """Whether it takes an environ and a function, and not a scope and two."""
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [one for one in parameters if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD]
    return len(needed) == WSGI_PARAMETERS


class RecordedAsgi:
    """An ASGI application; a request that is not of the sample costs one random number."""

    def __init__(self, app: Any, recorder: Recorder) -> None:
        self.app, self.recorder = app, recorder

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """One request, or the lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif scope["type"] == "http" and self.recorder.wants():
            await self._http(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _lifespan(self, scope: Message, receive: Any, send: Any) -> None:
        ends = False

        async def heard() -> Message:
            nonlocal ends
            message: Message = await receive()
            ends = ends or message["type"] == "lifespan.shutdown"
            return message

        try:
            await self.app(scope, heard, send)
        finally:
            if ends:  # an application without lifespan returns at once, or raises, and is served all the same
                self.recorder.close()

    async def _http(self, scope: Message, receive: Any, send: Any) -> None:
        parts: list[bytes] = []
        status, cut, started = 500, False, time.perf_counter()

        async def heard() -> Message:
            nonlocal cut
            message: Message = await receive()
            if message["type"] == "http.request":
                cut = message.get("more_body", False)
                if sum(map(len, parts)) <= LARGEST:
                    parts.append(message.get("body", b""))
            return message

        async def said(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, heard, said)
        finally:
            ms = 1000 * (time.perf_counter() - started)
            if cut:  # the client left, or the application did not want to read on
                self.recorder.drop()
            else:
                self.recorder.take(_seen(scope, b"".join(parts), status, ms))


class RecordedWsgi:
    """A WSGI application; likewise."""

    def __init__(self, app: Callable[..., Iterable[bytes]], recorder: Recorder) -> None:
        self.app, self.recorder = app, recorder

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """One request."""
        if not self.recorder.wants():
            return self.app(environ, start_response)
        size = _size(environ)
        if size is None:
            self.recorder.drop()
            return self.app(environ, start_response)
        body = environ["wsgi.input"].read(size)
        environ["wsgi.input"] = io.BytesIO(body)
        status, started = 500, time.perf_counter()

        def said(line: str, headers: Any, *error: Any) -> Any:
            nonlocal status
            status = int(line[:3])
            return start_response(line, headers, *error)

        try:
            return self.app(environ, said)
        finally:
            ms = 1000 * (time.perf_counter() - started)
            if len(body) < size:  # the client left
                self.recorder.drop()
            else:
                self.recorder.take(_seen_by_wsgi(environ, body, status, ms))


def _seen(scope: Message, body: bytes, status: int, ms: float) -> Seen:
    """A request over ASGI as it is recorded."""
    return Seen(
        method=scope["method"],
        path=(scope.get("raw_path") or quote(scope["path"], safe=IN_A_PATH).encode()).decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        body=body,
        status=status,
        ms=ms,
    )


def _seen_by_wsgi(environ: Mapping[str, Any], body: bytes, status: int, ms: float) -> Seen:
    """Likewise of one over WSGI."""
    return Seen(
        method=environ["REQUEST_METHOD"],
        path=quote(environ.get("PATH_INFO", "/").encode("latin-1"), safe=IN_A_PATH),
        query=environ.get("QUERY_STRING", ""),
        headers=list(_headers(environ)),
        body=body,
        status=status,
        ms=ms,
    )


def _size(environ: Mapping[str, Any]) -> int | None:
    """Bytes of a body that can be read ahead; None where it is too large, or of no certain length."""
    stated = environ.get("CONTENT_LENGTH") or "0"
    if "HTTP_TRANSFER_ENCODING" in environ or not stated.isdecimal() or int(stated) > LARGEST:
        return None
    return int(stated)


def _headers(environ: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """An environ's headers by their names on the wire."""
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name.removeprefix("HTTP_").replace("_", "-").lower(), value
        elif name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            yield name.replace("_", "-").lower(), value
