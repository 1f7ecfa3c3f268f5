"""Replays requests in an ASGI application, in process and without a socket: FastAPI, Starlette, Django, Litestar.

Self-contained: stdlib only, Python 3.8 syntax. The application runs as a server runs it: its
lifespan first, on an event loop that goes on between the calls (uvloop where that is installed, as uvicorn does), and
every request in a task of its own. A request is answered when the last part of its body was sent; what the application
does afterwards (background tasks) is awaited before the next request: it costs CPU, and no latency.

Source: the ASGI specification 3.0, HTTP 2.3 and lifespan 2.0.
"""

import asyncio
import concurrent.futures
import os
import threading
import time
import traceback
from urllib.parse import unquote

LIFESPAN_SECONDS = 60.0
CLIENT, SERVER = ("127.0.0.1", 50000), ("127.0.0.1", 8000)


class Application(object):
    """An ASGI application, its lifespan and its event loop."""

    def __init__(self, app):
        self.app = app
        self.loop = EventLoop()
        self.lifespan = Lifespan(app)
        try:
            self.loop.run(self.lifespan.startup(), LIFESPAN_SECONDS)
        except NoAnswer:
            self.loop.stop()
            raise RuntimeError("the application did not start within %d s" % LIFESPAN_SECONDS)
        except BaseException:
            self.loop.stop()
            raise

    def envelope(self, request):
        """The parts of a scope that do not change from call to call."""
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in request.headers
        ]
        if not any(name == b"host" for name, _ in headers):
            headers.insert(0, (b"host", b"127.0.0.1:8000"))
        if request.body:
            headers.append((b"content-length", str(len(request.body)).encode("ascii")))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": SERVER,
            "client": CLIENT,
            "scheme": "http",
            "method": request.method,
            "root_path": "",
            "path": unquote(request.path),
            "raw_path": request.path.encode("ascii", "replace"),
            "query_string": request.query.encode("ascii", "replace"),
            "headers": headers,
        }

    async def exchange(self, request):
        """One request, in a task of its own; what was answered."""
        made = Exchange(request)
        scope = dict(request.cache)
        scope["headers"] = list(scope["headers"])
        scope["state"] = dict(self.lifespan.state)
        await asyncio.get_running_loop().create_task(made.run(self.app, scope))
        return made

    def close(self):
        """End the lifespan and the loop."""
        try:
            self.loop.run(self.lifespan.shutdown())
        finally:
            self.loop.stop()


class Exchange(object):
    """One request and what the application sent in return.

    Attributes:
        status: of the answer. error: what the application did wrong, None where it did nothing.
        finished: when the last part of the body was sent, by ``time.perf_counter_ns``.
    """

    __slots__ = ("scope", "sent", "status", "headers", "parts", "finished", "error", "_read", "_waiting")

    def __init__(self, request):
        self.scope = {}
        self.sent = request.body
        self.status = 0
        self.headers = ()
        self.parts = []
        self.finished = 0
        self.error = None
        self._read = False
        self._waiting = None

    async def run(self, app, scope):
        """What a server does with one request; an exception is answered with 500."""
        self.scope = scope
        try:
            await app(scope, self.receive, self.send)
        except (Exception, SystemExit) as error:
            self.fail("%s in the application" % type(error).__name__, last_line(error))
        if not self.finished:
            self.fail("an unfinished answer", b"")

    def fail(self, error, shown):
        """The answer is an error of the server's."""
        self.error, self.status, self.parts = error, 500, [shown]
        self.finished = self.finished or time.perf_counter_ns()

    async def receive(self):
        """The body, once; afterwards the client's leaving, when the answer is complete."""
        if not self._read:
            self._read = True
            return {"type": "http.request", "body": self.sent, "more_body": False}
        if not self.finished:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        return {"type": "http.disconnect"}

    async def send(self, message):
        """Take a part of the answer."""
        kind = message["type"]
        if kind == "http.response.start":
            self.status = message["status"]
            self.headers = message.get("headers", ())
        elif kind == "http.response.body":
            self.parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                self.finished = time.perf_counter_ns()
                if self._waiting is not None and not self._waiting.done():
                    self._waiting.set_result(None)

    @property
    def route(self):
        """Method and path, as the framework declares it where it says so."""
        path = getattr(self.scope.get("route"), "path", None) or self.scope["path"]
        return "%s %s" % (self.scope["method"], path)

    @property
    def content_type(self):
        """The answer's content type as text."""
        return self.header(b"content-type")

    @property
    def location(self):
        """Where a redirect leads."""
        return self.header(b"location")

    def header(self, wanted):
        """A header's value as text, empty without."""
        found = next((value for name, value in self.headers if bytes(name).lower() == wanted), b"")
        return bytes(found).decode("latin-1")

    @property
    def body(self):
        """The whole body of the answer."""
        return b"".join(self.parts)


def last_line(error):
    """An exception and where it came from, in one line."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return ("%s: %s (%s:%d)" % (type(error).__name__, error, os.path.basename(last.filename), last.lineno)).encode(
        "utf-8"
    )


class Lifespan(object):
    """The application's lifespan; one that does not know the protocol is left without, as servers do."""

    def __init__(self, app):
        self.app = app
        self.state = {}
        self.error = None

    async def startup(self):
        """Start it and wait until it says that it has started."""
        self.inbox, self.outbox = asyncio.Queue(), asyncio.Queue()
        self.task = asyncio.get_running_loop().create_task(self.main())
        await self.inbox.put({"type": "lifespan.startup"})
        said = await self.outbox.get()
        if said["type"] == "lifespan.startup.failed":
            why = last_text_line(said.get("message")) or str(self.error or "it said no more")
            raise RuntimeError("the application failed in its lifespan: %s" % why)

    async def main(self):
        """The application's side."""
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self.app(scope, self.inbox.get, self.outbox.put)
        except (Exception, SystemExit) as error:
            self.error = error
        await self.outbox.put({"type": "lifespan.unsupported"})

    async def shutdown(self):
        """Tell it to end and wait until it has."""
        if not self.task.done():
            await self.inbox.put({"type": "lifespan.shutdown"})
            await asyncio.wait([self.task], timeout=LIFESPAN_SECONDS)


def last_text_line(text):
    """The last line of a traceback: the exception itself."""
    lines = [line for line in (text or "").splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


class NoAnswer(RuntimeError):
    """The application took longer than it may."""


class EventLoop(object):
    """An event loop that runs in a thread of its own, so that it goes on between the calls."""

    def __init__(self):
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event loop", daemon=True)
        self._thread.start()
        self._ready.wait()

    def _run(self):
        self.loop = new_loop()
        asyncio.set_event_loop(self.loop)
        # A task that lasts is what libraries (anyio) tie their worker threads to: they outlive a request, as in a server.
        last = self.loop.create_task(self._last())
        while not last.done():
            try:
                self.loop.run_until_complete(last)
            except SystemExit:  # of some task, and handed to whoever waits for that one: the loop goes on
                pass
        self.loop.close()

    async def _last(self):
        self._end = asyncio.get_running_loop().create_future()
        self._ready.set()
        await self._end

    def run(self, coroutine, seconds=None):
        """Run a coroutine and wait for what it returns, so many seconds at most."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        try:
            return future.result(seconds)
        except concurrent.futures.TimeoutError:
            if not future.cancel():
                raise  # the application's own
            raise NoAnswer("no answer within %g s" % seconds)

    def stop(self):
        """End the loop and its thread."""
        self.loop.call_soon_threadsafe(lambda: self._end.done() or self._end.set_result(None))
        self._thread.join(5.0)


def new_loop():
    """The loop that uvicorn would choose."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
