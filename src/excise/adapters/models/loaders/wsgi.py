"""Replays requests in a WSGI application, in process and without a socket: Flask, Django, Bottle, Falcon.

Self-contained: stdlib only, Python 3.8 syntax. A request is answered when the whole body was
iterated over and closed, as a server does before it takes the next one.

Source: PEP 3333.
"""

import io
import os
import sys
import traceback
from urllib.parse import unquote_to_bytes


class Response(object):
    """What the application answered."""

    __slots__ = ("route", "status", "content_type", "location", "body", "error")

    def __init__(self, route, status, headers, body, error=None):
        self.route = route
        named = {name.lower(): value for name, value in headers}
        self.status = status
        self.content_type = named.get("content-type", "")
        self.location = named.get("location", "")
        self.body = body
        self.error = error


class Application(object):
    """A WSGI application."""

    def __init__(self, app):
        self.app = app

    def envelope(self, request):
        """The parts of an environ that do not change from call to call."""
        environ = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
            "QUERY_STRING": request.query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "CONTENT_LENGTH": str(len(request.body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in request.headers:
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key] = value
        return environ

    def exchange(self, request):
        """One request; an exception is answered with 500, as a server does."""
        environ = dict(request.cache)
        environ["wsgi.input"] = io.BytesIO(request.body)
        started, parts, route = [], [], "%s %s" % (request.method, request.path)

        def start_response(status, headers, exc_info=None):
            started[:] = [int(status[:3]), headers]
            return parts.append

        try:
            answer = self.app(environ, start_response)
            try:
                parts.extend(answer)
            finally:
                if hasattr(answer, "close"):
                    answer.close()
        except (Exception, SystemExit) as error:
            return Response(route, 500, (), last_line(error), "%s in the application" % type(error).__name__)
        if not started:
            return Response(route, 500, (), b"", "start_response was not called")
        return Response(route, started[0], started[1], b"".join(parts))

    def close(self):
        """Nothing is held."""


def last_line(error):
    """An exception and where it came from, in one line."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return ("%s: %s (%s:%d)" % (type(error).__name__, error, os.path.basename(last.filename), last.lineno)).encode(
        "utf-8"
    )
