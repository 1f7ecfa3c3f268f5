"""Names of headers and parameters whose values must not be kept."""

from __future__ import annotations

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
SECRET_WORDS = ("token", "secret", "password", "api-key", "apikey", "credential")


def is_secret(name: str) -> bool:
    """Whether what stands under this name lets somebody in.

    >>> is_secret("Authorization"), is_secret("X-Amz-Security-Token"), is_secret("api_key"), is_secret("X-Request-Id")
    (True, True, True, False)
    """
    plain = name.strip().lower().replace("_", "-")
    return plain in SECRET_NAMES or any(word in plain for word in SECRET_WORDS)


def without_secrets(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs of name and value that may be kept, in order."""
    return [(name, value) for name, value in pairs if not is_secret(name)]
