"""Recorded traffic: the requests of an HTTP Archive, one row each, without what lets somebody in.

Source: HTTP Archive 1.2, section "request"; http://www.softwareishard.com/blog/har-12-spec/
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from excise.core.errors import DataError
from excise.core.secrets import CONNECTION_HEADERS, is_secret, without_secrets
from excise.tables.json_lines import from_records
from excise.tables.table import Table

HINT = "save the traffic as HAR again"
FORM = "application/x-www-form-urlencoded"


def read_har(data: bytes, source: str) -> Table:
    """One row a request, in the order of the recording.

    The columns are ``method``, ``path`` (with its query), ``headers``, ``body`` (text, or the value of a JSON object or
    list) or ``body_base64``, ``status`` and ``ms``. Secret headers and parameters are left out.

    Raises:
        DataError: truncated, no HTTP Archive, or an entry without a request.
    """
    entries = entries_of(data, source)
    rows = [row_of(entry, f"{source}, entry {number}") for number, entry in enumerate(entries, 1)]
    return from_records([row for row in rows if row is not None], source)


def entries_of(data: bytes, source: str) -> list[Any]:
    """The archive's entries."""
    try:
        archive = json.loads(data.decode("utf-8-sig"))
    except ValueError as error:
        raise DataError(f"{source} is truncated, or no JSON: {error}", hint=HINT) from None
    log = archive.get("log") if isinstance(archive, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise DataError(f"{source} is no HTTP Archive: it has no log.entries", hint=HINT)
    return entries


def row_of(entry: Any, where: str) -> dict[str, Any] | None:
    """One request as a row; None of what is no HTTP request, as a page's own data."""
    try:
        request = entry["request"]
        url = urlsplit(request["url"])
        if url.scheme not in {"http", "https"} or request["method"] == "CONNECT":
            return None
        return {
            "method": request["method"].upper(),
            "path": path_of(url),
            "headers": headers_of(request.get("headers") or []),
            **body_of(request.get("postData") or {}),
            "status": (entry.get("response") or {}).get("status"),
            "ms": duration_of(entry.get("time")),
        }
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError(f"{where} is no request: {type(error).__name__} {error}", hint=HINT) from None


def path_of(url: SplitResult) -> str:
    """Path and query; a query without secrets stays as it was written, letter by letter."""
    pairs = parse_qsl(url.query, keep_blank_values=True)
    kept = without_secrets(pairs)
    query = url.query if kept == pairs else urlencode(kept)
    return (url.path or "/") + (f"?{query}" if query else "")


def headers_of(listed: list[dict[str, str]]) -> dict[str, str]:
    """Headers by name, repeated ones joined; without secrets and without those of the connection."""
    headers: dict[str, str] = {}
    for pair in listed:
        name, value = pair["name"], pair["value"]
        if not (name.startswith(":") or name.lower() in CONNECTION_HEADERS or is_secret(name)):
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def body_of(posted: dict[str, Any]) -> dict[str, Any]:
    """The body's column; nothing without a body."""
    text, kind = posted.get("text"), posted.get("mimeType") or ""
    if not text and posted.get("params") and kind.startswith(FORM):
        text = urlencode([(pair["name"], pair.get("value") or "") for pair in posted["params"]])
    if not text:
        return {}
    if posted.get("encoding") == "base64":
        base64.b64decode(text, validate=True)
        return {"body_base64": text}
    return {"body": json_value(text) if "json" in kind else text}


def json_value(text: str) -> Any:
    """The object or list in a text; a text that holds anything else stays a text, so that it is sent as it was."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict | list) else text


def duration_of(ms: Any) -> float | None:
    """Milliseconds, None where they are not known."""
    return float(ms) if isinstance(ms, int | float) and ms >= 0 else None
