"""Stands before a service, ASGI or WSGI, and hands a sample of its requests to a recorder."""

from __future__ import annotations

import inspect
import io
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any

from excise.monitor.recorder import LARGEST, Recorder, Seen

Message = MutableMapping[str, Any]
WSGI_PARAMETERS = 2


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
        try:
            await self.app(scope, receive, send)
        finally:
            self.recorder.close()

    async def _http(self, scope: Message, receive: Any, send: Any) -> None:
        parts: list[bytes] = []
        status, started = 500, time.perf_counter()

        async def heard() -> Message:
            message: Message = await receive()
            if message["type"] == "http.request" and sum(map(len, parts)) <= LARGEST:
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
            headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
            self.recorder.take(
                Seen(
                    method=scope["method"],
                    path=(scope.get("raw_path") or scope["path"].encode()).decode("latin-1"),
                    query=scope["query_string"].decode("latin-1"),
                    headers=headers,
                    body=b"".join(parts),
                    status=status,
                    ms=ms,
                )
            )


class RecordedWsgi:
    """A WSGI application; likewise."""

    def __init__(self, app: Callable[..., Iterable[bytes]], recorder: Recorder) -> None:
        self.app, self.recorder = app, recorder

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """One request."""
        size = int(environ.get("CONTENT_LENGTH") or 0)
        if size > LARGEST or not self.recorder.wants():
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
            self.recorder.take(
                Seen(
                    method=environ["REQUEST_METHOD"],
                    path=environ.get("RAW_URI", environ.get("PATH_INFO", "/")).partition("?")[0],
                    query=environ.get("QUERY_STRING", ""),
                    headers=list(_headers(environ)),
                    body=body,
                    status=status,
                    ms=ms,
                )
            )


def _headers(environ: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """An environ's headers by their names on the wire."""
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name.removeprefix("HTTP_").replace("_", "-").lower(), value
        elif name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            yield name.replace("_", "-").lower(), value
