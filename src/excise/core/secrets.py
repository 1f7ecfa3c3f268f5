"""Names of headers, parameters and fields whose values must not be kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

SECRET_NAMES = frozenset(
    {
        "api-key",
        "apikey",
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
        "x-auth-token",
    }
)
CONNECTION_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "keep-alive", "te", "transfer-encoding"}
)
"""Headers that belong to the connection on which a request was recorded: they say nothing to a replay."""
TEXT_FIELD = re.compile(r'"(\w[\w-]*)"\s*:\s*"([^"]*)"')
"""A field of a JSON text, and its value."""
PLACEHOLDER = re.compile(r"\$\{\w+\}|\{\{.+?\}\}")
SHORTEST = 4
"""Letters of a value that is masked: a shorter one would be found in every word."""
SECRET_WORDS = ("token", "secret", "password", "api-key", "apikey", "credential")


def is_secret(name: str) -> bool:
    """Whether what stands under this name lets somebody in.

    >>> is_secret("Authorization"), is_secret("X-Amz-Security-Token"), is_secret("api_key"), is_secret("X-Request-Id")
    (True, True, True, False)
    """
    plain = name.strip().lower().replace("_", "-")
    return plain in SECRET_NAMES or any(word in plain for word in SECRET_WORDS)


def is_secret_field(name: str) -> bool:
    """Whether a field of a body holds a secret: by its last word, since ``max_tokens`` holds none.

    >>> is_secret_field("access_token"), is_secret_field("max_tokens"), is_secret_field("userPassword")
    (True, False, True)
    """
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).strip().lower().replace("_", "-")
    return plain in SECRET_NAMES or plain.rpartition("-")[2] in SECRET_WORDS or plain.endswith("-api-key")


def secret_written(query: str, body: str = "") -> str | None:
    """Name of a secret whose value stands in a query or a body; a field or a variable in its place is none.

    >>> secret_written("q=1&api_key=s3cret"), secret_written("api_key=${KEY}"), secret_written("", '{"password": "x"}')
    ('api_key', None, 'password')
    """
    pairs = [(name, value) for name, value in parse_qsl(query) if is_secret(name)]
    pairs += [(name, value) for name, value in TEXT_FIELD.findall(body) if is_secret_field(name)]
    return next((name for name, value in pairs if not PLACEHOLDER.search(value)), None)


def masked(text: str, values: Iterable[str]) -> str:
    """The text without these values, nor their last words: of ``Bearer s3cret`` the word is the secret.

    >>> masked("no such user: s3cret", ["Bearer s3cret"])
    'no such user: ***'
    """
    for value in values:
        for secret in (value, value.rpartition(" ")[2]):
            text = text.replace(secret, "***") if len(secret) >= SHORTEST else text
    return text


def without_secrets(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs of name and value that may be kept, in order."""
    return [(name, value) for name, value in pairs if not is_secret(name)]
