"""How a service or an endpoint is asked: by a template that is filled with rows, or with recorded requests."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import msgspec

from excise.adapters.models.loaders import requests
from excise.api.settings import AuditSettings
from excise.core.errors import DataError, UsageError
from excise.core.predictor import LoaderSpec, Subject
from excise.core.refs import ModelRef, RefKind
from excise.core.secrets import CONNECTION_HEADERS, secret_written
from excise.core.spelling import did_you_mean
from excise.tables import Table
from excise.tables.json_lines import from_records

ASKED = ("service", "endpoint")
"""Kinds of subjects that take requests."""
RECORDED = {"method", "path"}
"""Columns that say that rows are recorded requests."""
METHOD = re.compile(r"[A-Z]+")
VARIABLE = re.compile(r"\$\{(\w+)\}")
"""A request may name environment variables, so that no secret stands in a file."""

Template = Mapping[str, Any]


class Asked(NamedTuple):
    """A subject that takes requests, and its rows.

    Attributes:
        template: what makes requests of the rows; None where the rows are whole requests.
        current, reference: the rows.
        headers: sent with every request that is not made by a template.
    """

    template: Template | None
    current: Table
    reference: Table | None
    headers: tuple[tuple[str, str], ...] = ()


def asked(settings: AuditSettings, subject: Subject, current: Table, reference: Table | None) -> Asked:
    """Rows and template of an audit whose subject takes requests; a release says by itself how it is asked.

    Recorded requests of one route whose bodies are objects with the same keys become rows of those keys, so that
    their columns are judged and cast as any others are.

    Raises:
        UsageError: neither a template nor recorded requests, or a field that no column fills.
        DataError: no recorded request is one of ``--request``.
    """
    kept: Template = subject.variant.loader.options.get("request") or {}
    named = _named(settings.request, subject.ref) or ((kept["method"], kept["path"]) if kept else None)
    headers = tuple(_headers(settings.headers))
    if set(current.names) >= RECORDED:
        _check_recorded(current)
        current = _of_route(current, named)
        reference = None if reference is None else _of_route(reference, named)
        rows = _bodies(current, settings.target)
        approved = None if reference is None else _bodies(reference, settings.target)
        if rows is None or (approved is None) != (reference is None):
            return Asked(None, current, reference, headers)
        named = named or _route_of(current.records()[0])
        headers = (*headers, *_common_headers(current, {name.lower() for name, _ in headers}))
        current, reference = rows, approved
    if named is None:
        said = f"{subject.ref.text}: how is it asked?"
        raise UsageError(said, hint="--request 'POST /predict', or give recorded requests")
    template = _template(named, settings.body or kept.get("body"), headers)
    _check_fields(template, current)
    return Asked(template, current, reference)


def secrets_of(asked: Asked) -> list[str]:
    """What a message must not show: values of headers, and of the environment variables that a request names."""
    template = asked.template or {"path": "", "body": "", "headers": ()}
    values = [value for _, value in (*asked.headers, *template["headers"])]
    return values + [os.environ[name] for name in VARIABLE.findall(template["path"] + (template["body"] or ""))]


def with_request(subject: Subject, asked: Asked, settings: AuditSettings) -> Subject:
    """The subject, asked in this way where it takes requests."""
    if subject.kind not in ASKED:
        return subject
    own = {"required": list(settings.required), "timeout_s": settings.timeout_s, "headers": asked.headers}
    template = asked.template
    if template and settings.request is None and (named := _named(None, subject.ref)):
        template = {**template, "path": named[1]}  # another endpoint has a path of its own
    return _with(subject, {"request": template and _filled(template), **own})


SECRET = ("request", "headers")
"""Options that may hold what lets somebody in: they go to processes, never to files."""


def without_secrets(subject: Subject) -> Subject:
    """The subject as it may stand in a file: asked by nobody in particular."""
    return _with(subject, dict.fromkeys(SECRET)) if subject.kind in ASKED else subject


def told(loader: LoaderSpec, subject: Subject) -> LoaderSpec:
    """A loader that was made without secrets, asked as the subject is."""
    own = {name: subject.variant.loader.options.get(name) for name in SECRET}
    options = {**loader.options, **own} if subject.kind in ASKED else loader.options
    return msgspec.structs.replace(loader, options=options)


def kept_request(subject: Subject, request: str | None, body: str | None) -> Subject:
    """A service as a release keeps it: how it is asked belongs to it, the headers do not.

    Raises:
        UsageError: a service without ``--request``, or a request for what takes none.
    """
    if subject.kind != "service":
        if request or body:
            raise UsageError(f"{subject.ref.text} takes no requests", hint="leave --request and --body out")
        return subject
    if request is None:
        raise UsageError(f"{subject.ref.text}: how is it asked?", hint="--request 'POST /predict'")
    return _with(subject, {"request": _template(_parsed(request), body, ())})


def _template(named: tuple[str, str], body: str | None, headers: Sequence[tuple[str, str]]) -> Template:
    method, path = named
    if secret := secret_written(path.partition("?")[2], body or ""):
        said = f"the request holds the value of {secret}, which would stand in every report"
        raise UsageError(said, hint=f"export it, and write ${{{secret.upper().replace('-', '_')}}} in its place")
    return {"method": method, "path": path, "headers": list(headers), "body": body}


def _filled(template: Template) -> Template:
    """The template as it is sent, with the values of the environment variables that it names."""
    path = VARIABLE.sub(lambda match: quote(_variable(match), safe=""), template["path"])
    body = template["body"] and VARIABLE.sub(lambda match: json.dumps(_variable(match))[1:-1], template["body"])
    return {**template, "path": path, "body": body}


def _with(subject: Subject, options: Mapping[str, Any]) -> Subject:
    """The subject with these options of its loader."""
    loader = subject.variant.loader
    loader = msgspec.structs.replace(loader, options={**loader.options, **options})
    return msgspec.structs.replace(subject, variant=msgspec.structs.replace(subject.variant, loader=loader))


def _named(request: str | None, ref: ModelRef) -> tuple[str, str] | None:
    """Method and path as the user named them; a URL's own path stands in."""
    if request is not None:
        return _parsed(request)
    path = urlsplit(ref.target).path if ref.kind is RefKind.URL else ""
    return ("POST", path) if path.strip("/") else None


def _parsed(request: str) -> tuple[str, str]:
    """``POST /predict`` in its two parts; a lone path is posted to."""
    method, _, path = request.strip().rpartition(" ")
    method = method.strip() or "POST"
    if not path.startswith("/") or not METHOD.fullmatch(method):
        raise UsageError(f"{request!r} is no request", hint="write a method and a path: --request 'POST /predict'")
    return method, path


def _headers(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """``Name: value`` as pairs; ``${NAME}`` stands for an environment variable."""
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or any(letter in line for letter in "\r\n"):
            which = f"the header {name.strip()!r}" if colon else "a header"  # all of it may be the secret
            raise UsageError(f"{which} has no value", hint="write --header 'Name: value'")
        yield name.strip(), VARIABLE.sub(_variable, value.strip())


def _variable(match: re.Match[str]) -> str:
    if match[1] not in os.environ:
        raise UsageError(f"the request names ${{{match[1]}}}, which is not set", hint=f"export {match[1]}=…")
    return os.environ[match[1]]


def _check_fields(template: Template, rows: Table) -> None:
    """Refuse a field that no column fills."""
    texts = [template["path"], template["body"] or "", *(value for _, value in template["headers"])]
    for name in (name for text in texts for name in requests.fields(text)):
        if name not in rows.names and name not in requests.WORDS:
            known = (*rows.names, *requests.WORDS)
            raise UsageError(f"the request has a field {{{{{name}}}}}, and no column", hint=did_you_mean(name, known))


def _check_recorded(table: Table) -> None:
    """Refuse rows among recorded requests that are none, before one of them is sent."""
    for number, row in enumerate(table.records(), 1):
        if not isinstance(row["path"], str) or not isinstance(row.get("headers") or {}, Mapping):
            hint = "each has a method, a path that is a text, and headers by name"
            raise DataError(f"{table.source}, row {number} is no recorded request", hint=hint)


def _of_route(table: Table, named: tuple[str, str] | None) -> Table:
    """The recorded requests of one route; all of them where none is named."""
    if named is None:
        return table
    rows = table.records()
    route = named[0], named[1].partition("?")[0]
    kept = [row for row in rows if _route_of(row) == route]
    if not kept:
        routes = sorted({" ".join(_route_of(row)) for row in rows})
        raise DataError(f"{table.source} holds no {' '.join(named)}", hint=f"it holds: {', '.join(routes[:5])}")
    return from_records(kept, table.source)


def _common_headers(table: Table, given: set[str]) -> list[tuple[str, str]]:
    """Headers that all recorded requests have alike, but for those that are given."""
    sent = [{str(k).lower(): str(v) for k, v in (row.get("headers") or {}).items()} for row in table.records()]
    alike = set.intersection(*(set(one.items()) for one in sent))
    return [pair for pair in sent[0].items() if pair in alike and pair[0] not in given | CONNECTION_HEADERS]


def _route_of(row: Mapping[str, Any]) -> tuple[str, str]:
    """Method and path, without the query."""
    return str(row["method"] or "POST").upper(), str(row["path"] or "/").partition("?")[0]


def _bodies(table: Table, target: str | None) -> Table | None:
    """The bodies as rows, with the label beside; None unless they are objects with the same keys, sent to one path."""
    rows = table.records()
    first = rows[0].get("body")
    if not isinstance(first, Mapping) or not first:
        return None
    alike = all(
        isinstance(row["body"], Mapping)
        and row["body"].keys() == first.keys()
        and (row["method"], row["path"]) == (rows[0]["method"], rows[0]["path"])
        and "?" not in row["path"]
        for row in rows
    )
    if not alike:
        return None
    labels = [{target: row[target]} if target in row else {} for row in rows]
    return from_records([{**row["body"], **label} for row, label in zip(rows, labels, strict=True)], table.source)
