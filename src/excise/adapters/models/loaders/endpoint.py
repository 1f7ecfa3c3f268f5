"""Loads an endpoint: a model behind a URL, asked as production asks it.

Self-contained: stdlib only (numpy for tensors, grpcio for ``grpc://``), Python 3.8 syntax, imports nothing of excise.

The protocol is seen by the path of the request; ``calls`` renders and encodes before the clock starts, ``answer`` sends
and reads. A call that fails raises nothing: it is counted by the name of its failure, and answers None for its rows.

Options:
    request: template of a request, see requests.py; None where the rows are recorded requests, or the URL names a path.
    headers: pairs that every request gets unless it has them.
    timeout_s: for a whole answer, 30 unless given.
    verify: whether TLS certificates are checked, True unless given.
    protocol: ``json``, ``oip``, ``oip-binary``, ``tfserving`` or ``openai``, where the path does not say it.
"""

import importlib.util
import os
import re
import sys
from collections import Counter, defaultdict
from urllib.parse import urlsplit

TIMEOUT_S = 30.0
PATHS = (
    (re.compile(r"/v2/models/[^/]+(/versions/[^/]+)?/infer$"), "oip"),
    (re.compile(r"/v1/models/[^/]+(/(versions|labels)/[^/]+)?:predict$"), "tfserving"),
    (re.compile(r"/(v1|openai(/.*)?)/(chat/completions|completions|embeddings)$"), "openai"),
)
PROTOCOLS = ("json", "oip", "oip-binary", "tfserving", "openai")
NEEDS = {"oip": ("tensors",), "oip_grpc": ("tensors", "oip"), "tfserving": ("tensors",)}
"""Files that a protocol's own file imports, by the names that ``sibling`` gives them."""
GRPC = "grpc"


def sibling(kind):
    """The loader file beside this one; by path, since its name is also a library's."""
    name = "_excise_loader_" + kind
    if name not in sys.modules:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), kind + ".py")
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def part(kind):
    """A protocol's file, once the files that it needs are there."""
    for needed in NEEDS.get(kind, ()):
        sibling(needed)
    return sibling(kind)


requests, response, connection = map(sibling, ("requests", "response", "connection"))


def load(target, options):
    """An endpoint's predictor; connects only where the protocol has metadata to be asked for."""
    parts = urlsplit(target)
    if parts.scheme == GRPC:
        return EndpointPredictor(part("oip_grpc").Grpc(target, options.get("timeout_s") or TIMEOUT_S))
    template = placed(options.get("request"), parts)
    line = connection.Connection(target, options.get("timeout_s") or TIMEOUT_S, options.get("verify", True))
    common = [tuple(pair) for pair in options.get("headers") or ()]
    if template is None:
        return EndpointPredictor(Recorded(line, common))
    kind = options.get("protocol") or protocol_of(template["path"])
    return EndpointPredictor(protocol(kind, line, template, common))


def placed(template, parts):
    """The template with its path below the URL's own; the URL's path alone where there is no template."""
    base = parts.path.rstrip("/")
    if not template and not base:
        return None
    template = dict(template or {"path": parts.path})
    path, mark, query = (template.get("path") or "/").partition("?")
    template["path"] = path if path == base or path.startswith(base + "/") else base + "/" + path.lstrip("/")
    if mark or parts.query:
        template["path"] += "?" + (query or parts.query)
    return template


def protocol_of(path):
    """The protocol that a path belongs to."""
    return next((kind for pattern, kind in PATHS if pattern.search(path.partition("?")[0])), "json")


def protocol(kind, line, template, common):
    """The object that makes calls of rows, and answers of calls."""
    if kind not in PROTOCOLS:
        raise ValueError("no protocol %r; there are: %s" % (kind, ", ".join(PROTOCOLS)))
    plain = Json(line, template, common)
    return plain if kind == "json" else part(kind.partition("-")[0]).protocol(kind, plain)


class Call(object):
    """One request, encoded, and the number of rows that it answers."""

    __slots__ = ("protocol", "data", "method", "rows")

    def __init__(self, protocol, data, method, rows):
        self.protocol = protocol
        self.data = data
        self.method = method
        self.rows = rows


class Prepared(list):
    """The calls that answer the rows of one batch, ready to be sent."""


class Json(object):
    """A request a row, or one for all rows where the template says so; the answer is JSON's value, or text."""

    signature = {"inputs": [], "outputs": [], "batch_axis": 0}

    def __init__(self, line, template, common=()):
        self.line = line
        self.template = template
        self.common = list(common)
        self.render = requests.Renderer(template)

    def calls(self, rows):
        """The calls of these rows."""
        together = len(rows) if self.render.whole else 1
        return [self.call(request, together) for request in self.render(rows)]

    def call(self, request, rows, reader=None):
        """A request, encoded; ``reader`` is the protocol that will read its answer."""
        given = {name.lower() for name, _ in request.headers}
        request.headers += [pair for pair in self.common if pair[0].lower() not in given]
        return Call(reader or self, self.line.encode(request), request.method, rows)

    def answer(self, call, meters):
        """Send a call, and read what it answers, row by row."""
        value = value_of(self.line.ask(call.data, call.method))
        return rows_of(value, call.rows) if self.render.whole else [value]

    def ask(self, method, path):
        """A question beside the calls, with their headers: for metadata."""
        constant = [pair for pair in self.render.headers if not requests.fields(pair[1])]
        call = self.call(requests.Request(method, path, constant), 1)
        return value_of(self.line.ask(call.data, method))

    def close(self):
        """Close the connection."""
        self.line.close()


def value_of(answered):
    """What a response says.

    Raises:
        Failed: by its status, its type, or JSON that is none.
    """
    body = answered.read()
    headers = answered.headers
    value, failure = requests.outcome_of(
        answered.status, headers.get("content-type"), body, headers.get("location", "")
    )
    if failure:
        raise response.Failed(failure, response.one_line(body))
    return value


def rows_of(value, rows):
    """An answer, row by row.

    Raises:
        Failed: it does not say which part belongs to which row.
    """
    answers = requests.by_row(value, rows)
    if answers is None:
        raise response.Failed("no answer a row", "nothing in the answer is a list of %d" % rows)
    return answers


class Recorded(object):
    """Rows that are whole requests; each answer is read by the protocol of its path."""

    signature = Json.signature

    def __init__(self, line, common):
        self.sender = Json(line, None, common)
        self.readers = {"json": self.sender}

    def calls(self, rows):
        """A call a row."""
        return [self.sender.call(request, 1, self.reader(request.path)) for request in self.sender.render(rows)]

    def reader(self, path):
        """Who reads the answer: a stream of tokens has meters, all others are JSON or text."""
        kind = "openai" if protocol_of(path) == "openai" else "json"
        if kind not in self.readers:
            self.readers[kind] = part(kind).Reader(self.sender, path)
        return self.readers[kind]

    def close(self):
        """Close the connection."""
        self.sender.close()


class EndpointPredictor(object):
    """An endpoint behind the predictor's interface."""

    thread_safe = False
    default_input = "records"
    stages = []

    def __init__(self, protocol):
        self.protocol = protocol
        self.signature = protocol.signature
        self.last_failure = None
        self._failures = Counter()
        self._meters = defaultdict(list)

    def prepare(self, rows):
        """The calls of a batch, rendered and encoded; nothing is sent."""
        return Prepared(self.protocol.calls(rows))

    def predict(self, batch):
        """Answers row by row, None where a call failed."""
        calls = batch if isinstance(batch, Prepared) else self.prepare(batch)
        answers = []
        for call in calls:
            answers += self._answer(call)
        return answers

    def _answer(self, call):
        try:
            return call.protocol.answer(call, self._meters)
        except response.Failed as failed:
            self._failures[failed.name] += 1
            self.last_failure = str(failed)
            return [None] * call.rows

    def failures(self):
        """How many calls failed since this was last asked, by the name of the failure."""
        counted, self._failures = dict(self._failures), Counter()
        return counted

    def meters(self):
        """What was metered since this was last asked: times in ms and tokens, a list each."""
        metered, self._meters = dict(self._meters), defaultdict(list)
        return metered

    def close(self):
        """Close the connection."""
        self.protocol.close()
