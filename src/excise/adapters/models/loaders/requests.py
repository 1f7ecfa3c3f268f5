"""Requests as a service or an endpoint gets them: rendered from rows by a template, or as they were recorded.

Self-contained: stdlib only, Python 3.8 syntax.

A template is ``{"method", "path", "headers": [[name, value], …], "body"}``. In its path, its header values and its body
``{{column}}`` stands for the row's value, ``{{row}}`` for the row as a JSON object, ``{{values}}`` for its values as a
JSON list, ``{{rows}}`` and ``{{matrix}}`` for all rows of a call as a list of either; a column of such a name wins. A
template with ``{{rows}}`` or ``{{matrix}}`` makes one request of a call, any other one request a row. Without a body,
``{{row}}`` is sent, unless the method has none.

Rows that were recorded are whole requests: ``method``, ``path``, and ``headers``, ``body`` or ``body_base64`` where
they were kept.
"""

import base64
import json
import math
import re
from http.client import responses
from urllib.parse import quote

FIELD = re.compile(r"\{\{\s*(.+?)\s*\}\}")
ROW, VALUES, ROWS, MATRIX = "row", "values", "rows", "matrix"
WHOLE = (ROWS, MATRIX)
"""Fields that stand for all rows of a call."""
OF_CONNECTION = ("connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
"""Headers that belong to the connection of a recorded request, and to a body as long as it was then."""
WORDS = (ROW, VALUES, ROWS, MATRIX)
BODILESS = ("GET", "HEAD", "DELETE", "OPTIONS", "TRACE")
JSON_TYPE = "application/json"


class Request(object):
    """One request for so many rows, ready to be sent; ``headers`` are pairs of text, ``body`` is bytes."""

    __slots__ = ("method", "path", "query", "headers", "body", "rows", "cache")

    def __init__(self, method, path, headers=(), body=b"", rows=1):
        self.method = method.upper()
        self.path, _, self.query = path.partition("?")
        self.headers = list(headers)
        self.body = body
        self.rows = rows
        self.cache = None
        """Whatever a loader has made of it before the clock starts."""

    def header(self, name):
        """The value of a header, None without."""
        return next((value for key, value in self.headers if key.lower() == name), None)


def fields(text):
    """Names of the fields in a template's text, in order."""
    return FIELD.findall(text or "")


class Renderer(object):
    """Makes requests of rows; without a template the rows are requests."""

    def __init__(self, template=None):
        self.template = template
        self.whole = False
        if template:
            self.method = (template.get("method") or "POST").upper()
            self.path = template.get("path") or "/"
            self.headers = [tuple(pair) for pair in template.get("headers") or ()]
            self.body = template.get("body")
            if self.body is None and self.method not in BODILESS:
                self.body = "{{%s}}" % ROW
            texts = [self.path, self.body or ""] + [value for _, value in self.headers]
            self.whole = any(name in WHOLE for text in texts for name in fields(text))

    def __call__(self, rows):
        """The requests of one call."""
        if not self.template:
            return [recorded(row) for row in rows]
        if self.whole:
            return [self.render(rows)]
        return [self.render([row]) for row in rows]

    def render(self, rows):
        """One request of these rows."""
        path = fill(self.path, rows, lambda value: quote(plain_text(value), safe=""))
        headers = [(name, fill(value, rows, one_line)) for name, value in self.headers]
        body = fill(self.body or "", rows, to_json).encode("utf-8")
        if body and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", JSON_TYPE))
        return Request(self.method, path, headers, body, len(rows))


def fill(text, rows, written):
    """A template's text with its fields replaced; ``written`` turns a value into text."""
    return FIELD.sub(lambda match: written(value_of(match.group(1), rows)), text)


def value_of(name, rows):
    """What a field stands for."""
    row = rows[0]
    if name in row:
        return row[name]
    if name == ROW:
        return row
    if name == VALUES:
        return list(row.values())
    if name == ROWS:
        return list(rows)
    if name == MATRIX:
        return [list(one.values()) for one in rows]
    raise KeyError("the template has the field {{%s}}, and the rows have: %s" % (name, ", ".join(map(str, row))))


def to_json(value):
    """JSON as services take it: NaN is null, dates are ISO texts."""
    try:
        return json.dumps(value, allow_nan=False, default=plain, ensure_ascii=False)
    except ValueError:
        return json.dumps(without_nan(value), default=plain, ensure_ascii=False)


def without_nan(value):
    """The value with null in the place of what JSON cannot say."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: without_nan(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(part) for part in value]
    return value


def plain(value):
    """What the JSON encoder does not know."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value)


def plain_text(value):
    """A value as it stands in a path or a header: text as it is, all else as JSON."""
    return value if isinstance(value, str) else to_json(value)


def one_line(value):
    """A header's value cannot begin another header."""
    return plain_text(value).replace("\r", " ").replace("\n", " ")


def recorded(row):
    """A row that was recorded as a whole request."""
    if "path" not in row:
        raise KeyError("the rows are no recorded requests: they have %s and no path" % ", ".join(map(str, row)))
    headers = row.get("headers") or {}
    pairs = headers.items() if isinstance(headers, dict) else headers
    made = Request(
        row.get("method") or "POST",
        row.get("path") or "/",
        [(str(name), one_line(value)) for name, value in pairs if str(name).lower() not in OF_CONNECTION],
        body_of(row),
    )
    if made.body and made.header("content-type") is None and not isinstance(row.get("body"), str):
        made.headers.append(("Content-Type", JSON_TYPE))
    return made


def body_of(row):
    """The bytes of a recorded body: a JSON value, a text, or bytes in base 64."""
    if row.get("body_base64"):
        return base64.b64decode(row["body_base64"])
    body = row.get("body")
    if body is None:
        return b""
    return (body if isinstance(body, str) else to_json(body)).encode("utf-8")


def outcome_of(status, content_type, body, location=""):
    """What a client reads out of a response, and the name of its failure; one of the two is None.

    An answer that says nothing of its type, or says HTML as frameworks do of plain texts, is JSON where it can be read
    as JSON. A page of HTML is no answer: it comes from a proxy, or from a login.
    """
    if status >= 300:
        return None, status_name(status, location)
    kind = (content_type or "").partition(";")[0].strip().lower()
    body = bytes(body)
    if "json" in kind or kind in ("", "text/html"):
        try:
            return json.loads(body) if body else None, None
        except ValueError:
            if "json" in kind:
                return None, "malformed JSON"
    if kind == "text/html" and body.lstrip()[:1] == b"<":
        return None, "answered text/html"
    return body.decode("utf-8", "replace"), None


def status_name(status, location=""):
    """A failing status with its standard name, or where a redirect leads; without the query, which may hold secrets."""
    if 300 <= status < 400 and location:
        return "%d to %s" % (status, location.partition("?")[0][:80])
    return ("%d %s" % (status, responses.get(status, ""))).strip()


def by_row(answer, rows):
    """The answer to one request of several rows, row by row: a list, or an object of lists, as long as the rows.

    Returns None where it cannot be told which part belongs to which row.
    """
    if isinstance(answer, list) and len(answer) == rows:
        return answer
    if isinstance(answer, dict):
        columns = {name: value for name, value in answer.items() if isinstance(value, list) and len(value) == rows}
        if columns:
            return [dict(zip(columns, values)) for values in zip(*columns.values())]
    return [answer] if rows == 1 else None
