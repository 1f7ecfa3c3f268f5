"""What must not be kept of a request: secrets always, and the fields that are named."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from excise.core.secrets import CONNECTION_HEADERS, is_secret, is_secret_field

REDACTED = "redacted"
DIGEST_LETTERS = 12


class Redaction:
    """Takes out of a request what must not be kept; everything else stays as it was sent.

    Values keep their type, so that the request stays one that the service takes: a text becomes ``redacted``, a
    number 0, a list empty. A hashed value stays the same value in one recording, and is another in the next.

    >>> rules = Redaction(redact=["email"], hashed=[])
    >>> rules.body({"email": "a@b.c", "user": {"password": "x", "age": 41}})
    {'email': 'redacted', 'user': {'password': 'redacted', 'age': 41}}

    Args:
        redact: fields to take out, by name or by path (``user.email``).
        hashed: fields to replace by a keyed digest, likewise.
    """

    def __init__(self, redact: Iterable[str] = (), hashed: Iterable[str] = ()) -> None:
        self._redact, self._hashed = frozenset(redact), frozenset(hashed)
        self._key = secrets.token_bytes(32)

    def headers(self, pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Headers that may be kept."""
        kept = [(name, value) for name, value in pairs if name not in CONNECTION_HEADERS and not is_secret(name)]
        return {name: self._named(name, value) for name, value in kept}

    def path(self, path: str, query: str) -> str:
        """Path and query, without what lets somebody in."""
        if not query:
            return path
        kept = [(name, self._parameter(name, value)) for name, value in parse_qsl(query, keep_blank_values=True)]
        return f"{path}?{urlencode(kept)}"

    def _parameter(self, name: str, value: str) -> str:
        return REDACTED if is_secret(name) else str(self._named(name, value))

    def body(self, value: Any, path: str = "") -> Any:
        """A JSON value with its fields taken out or hashed, at any depth."""
        if isinstance(value, Mapping):
            return {name: self._field(str(name), part, path) for name, part in value.items()}
        return [self.body(part, path) for part in value] if isinstance(value, list) else value

    def _field(self, name: str, value: Any, path: str) -> Any:
        full = f"{path}.{name}" if path else name
        if is_secret_field(name):
            return blank(value)
        made = self._named(name, value, full)
        return self.body(value, full) if made is value else made

    def _named(self, name: str, value: Any, path: str = "") -> Any:
        """The value, unless its name or path is among those given."""
        if name in self._redact or path in self._redact:
            return blank(value)
        return self._digest(value) if name in self._hashed or path in self._hashed else value

    def _digest(self, value: Any) -> str:
        return hmac.new(self._key, repr(value).encode(), "sha256").hexdigest()[:DIGEST_LETTERS]


def blank(value: Any) -> Any:
    """A value of the same type that says nothing."""
    if isinstance(value, str):
        return REDACTED
    return None if value is None else type(value)()
