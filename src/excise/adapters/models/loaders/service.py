"""Loads a Python service, ``module:app`` or ``file.py:app``, and replays requests in it, without a socket.

Self-contained with the files beside it (``asgi.py``, ``wsgi.py``, ``requests.py``, ``python.py``): stdlib only, Python 3.8
syntax.

Options:
    interface: ``asgi`` or ``wsgi``.
    request: the template that makes requests of rows; without it rows are recorded requests.
    headers: pairs that every request gets unless it has them.
    replace_model: ``{"loader", "target", "options"}`` of what takes the place of the only model that the service holds.
    required: names of functions that are not to be left out.
    timeout_s: longest time that one call may take, where it can be told who hangs.
    project: folder that is put on ``sys.path``.
"""

import importlib.util
import inspect
import os
import sys

SHOWN = 200
"""Characters of a failed answer that an error message shows."""


def sibling(kind):
    """The loader file beside this one; by path, since its name is also a library's."""
    name = "_excise_loader_" + kind
    if name not in sys.modules:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), kind + ".py")
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


requests = sibling("requests")

FAILED = 300
"""The least status of a failure: a redirect is no answer either."""


def load(target, options):
    """Import the application and start it."""
    app = application(target, options)
    options = dict(options, folders=folders_of(target))
    kind = {"asgi": AsyncService, "wsgi": Service}[options["interface"]]
    made = kind(sibling(options["interface"]).Application(app), options)
    python = sibling("python")
    made.handler = sibling("slots").find(options["folders"], app, lambda one: python.bare_model_kind(one) is not None)
    if options.get("replace_model"):
        python.replace_model(made.handler, options["replace_model"])
    return made


def application(target, options):
    """The application that ``module:app`` or ``file.py:app`` names; a factory without arguments is called."""
    found = sibling("python").resolve(target, options)
    if inspect.isfunction(found) and not required_parameters(found):
        return found()
    return found


def folders_of(target):
    """Folders whose code is the service's own: the working directory, and that of the application's file."""
    place = target.rpartition(":")[0]
    path = place if place.endswith(".py") else getattr(sys.modules.get(place), "__file__", None) or "."
    return [os.getcwd(), os.path.dirname(os.path.abspath(path))]


def required_parameters(function):
    """Parameters that a call must give."""
    free = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return [one.name for one in parameters if one.default is one.empty and one.kind not in free]


class Service(object):
    """An application behind the predictor's interface."""

    default_input = "records"
    thread_safe = False
    stages = ()
    signature = {"inputs": [], "outputs": [], "batch_axis": 0}

    def __init__(self, application, options):
        self.application = application
        self.folders = options["folders"]
        self.render = requests.Renderer(options.get("request"))
        self.required = dict.fromkeys(options.get("required") or (), "marked required")
        self.headers = [tuple(pair) for pair in options.get("headers") or ()]
        self.timeout_s = options.get("timeout_s")
        self.handler = None
        self.last = self.last_failure = None
        self._failures = {}

    @property
    def model(self):
        """The only model that the service holds; None where there is none, or several."""
        return None if self.handler is None else self.handler.model

    def prepare(self, rows):
        """The requests of a call, with whatever can be made of them before the clock starts."""
        made = self.render(rows)
        for request in made:
            request.headers += [pair for pair in self.headers if request.header(pair[0].lower()) is None]
            request.cache = self.application.envelope(request)
        return made

    def predict(self, batch):
        """Answers of one call: a list of rows, or of requests that ``prepare`` made."""
        made = self.prepared(batch)
        return self.answers(self.responses(made), made)

    def prepared(self, batch):
        """Requests as they are, rows as requests."""
        return batch if batch and isinstance(batch[0], requests.Request) else self.prepare(batch)

    def responses(self, batch):
        """What the application answered to each request."""
        return [self.application.exchange(request) for request in batch]

    def ask(self, batch):
        """A call as the clock sees it: exchanged, and its answers left unread."""
        for response in self.responses(batch):
            self.last = response
            if response.status >= FAILED:
                self.count(response, requests.status_name(response.status, response.location))

    def answers(self, responses, asked):
        """What a client reads out of the responses of one call, row by row; None of a failed one."""
        made = []
        for one, request in zip(responses, asked):
            answer, failure = requests.outcome_of(one.status, one.content_type, one.body, one.location)
            found = [answer] if failure or request.rows == 1 else requests.by_row(answer, request.rows)
            if failure or found is None:
                self.count(one, failure or "no answer a row")
                found = [None] * request.rows
            made += found
        return made

    def count(self, response, failure):
        """Remember that a request failed, and what was answered."""
        reason = response.error or failure
        self._failures[reason] = self._failures.get(reason, 0) + 1
        shown = " ".join(bytes(response.body[:SHOWN]).decode("utf-8", "replace").split())
        self.last_failure = "%d: %s" % (response.status, shown)

    def failures(self):
        """How many requests failed since the last question, by reason."""
        counted, self._failures = self._failures, {}
        return counted

    def close(self):
        """End the application."""
        self.application.close()


class AsyncService(Service):
    """A service whose requests are exchanged on an event loop."""

    def on_loop(self, make, seconds=None):
        """Run what ``make()`` returns, a coroutine, on the event loop, and wait for it, so many seconds at most."""
        return self.application.loop.run(make(), seconds)

    def responses(self, batch):
        """What the application answered to each request."""
        return self.on_loop(lambda: self.exchanged(batch), self.timeout_s)

    async def exchanged(self, batch):
        """One request after the other."""
        return [await self.application.exchange(request) for request in batch]

    async def ask(self, batch):
        """A call as the clock sees it; the moment when its last answer was complete, in nanoseconds."""
        for response in await self.exchanged(batch):
            if response.status >= FAILED:
                self.count(response, requests.status_name(response.status, response.location))
        self.last = response
        return response.finished
