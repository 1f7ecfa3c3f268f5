"""Names of headers, parameters and fields whose values must not be kept."""

from __future__ import annotations

import re
from collections.abc import Iterable

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


def without_secrets(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs of name and value that may be kept, in order."""
    return [(name, value) for name, value in pairs if not is_secret(name)]
