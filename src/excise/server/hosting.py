"""Runs a Python service on this machine until it is told to stop."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from excise.core.errors import MissingExtra, UsageError

POLL_S = 0.1
"""How often it is looked whether to stop."""
GRACE_S = 2
"""How long requests may take to end when it stops."""


class Hosted:
    """A running service.

    Args:
        app: the application, wrapped or not. wsgi: which interface it has; ASGI otherwise.
        host: loopback unless told otherwise. port: 0 for any that is free.
    Raises:
        MissingExtra: uvicorn is not installed (ASGI only).
        UsageError: the port is taken.
    """

    def __init__(self, app: Any, *, wsgi: bool, host: str = "127.0.0.1", port: int = 8000) -> None:
        try:
            self._server = _Wsgi(app, host, port) if wsgi else _Asgi(app, host, port)
        except OSError as error:
            why = (error.strerror or str(error)).partition(" (")[0]
            raise UsageError(f"cannot listen on {host}:{port}: {why}", hint="--port 0 takes a free one") from error

    @property
    def address(self) -> str:
        """Where it listens, as a URL."""
        return f"http://{self._server.host}:{self._server.port}"

    def run_until(self, enough: threading.Event) -> None:
        """Serve until the event is set, or the user interrupts."""
        self._server.run_until(enough)


class _Threaded(ThreadingMixIn, WSGIServer):
    """A client that is slow keeps nobody else waiting, and nobody from ending."""

    daemon_threads = True


class _Wsgi:
    def __init__(self, app: Any, host: str, port: int) -> None:
        self._server = make_server(host, port, app, server_class=_Threaded, handler_class=_Quiet)
        self.host, self.port = host, self._server.server_port

    def run_until(self, enough: threading.Event) -> None:
        self._server.timeout = POLL_S
        try:
            while not enough.is_set():
                self._server.handle_request()
        finally:
            self._server.server_close()


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing: the service has its own log."""


class _Asgi:
    def __init__(self, app: Any, host: str, port: int) -> None:
        if find_spec("uvicorn") is None:
            raise MissingExtra("uvicorn", extra="serve")
        import uvicorn  # noqa: PLC0415  only where a service is hosted

        self._config = uvicorn.Config(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=GRACE_S)
        self._socket = _listening(host, port)
        self.host, self.port = host, self._socket.getsockname()[1]

    def run_until(self, enough: threading.Event) -> None:
        import uvicorn  # noqa: PLC0415  as above

        server = uvicorn.Server(self._config)
        threading.Thread(target=_stop_when, args=(server, enough), daemon=True).start()
        server.run(sockets=[self._socket])


def _listening(host: str, port: int) -> Any:
    import socket  # noqa: PLC0415  as above

    made = socket.create_server((host, port))
    made.set_inheritable(True)
    return made


def _stop_when(server: Any, enough: threading.Event) -> None:
    enough.wait()
    server.should_exit = True
