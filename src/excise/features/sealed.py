"""Structs as bytes that say what they are and whether a byte was changed: a version, a digest, MessagePack."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from excise.core.errors import DataError

DIGEST_BYTES = 32


def seal(made: msgspec.Struct, magic: bytes) -> bytes:
    """Bytes that ``unseal`` reads."""
    body = msgspec.msgpack.encode(made)
    return magic + hashlib.sha256(body).digest() + body


def unseal(data: bytes, magic: bytes, kind: type[Any], what: str) -> Any:
    """The struct that ``seal`` wrote.

    Args:
        data: a file's content.
        magic: with which it has to begin, its version in it.
        kind: of the struct.
        what: it is called in an error.
    Raises:
        DataError: another version, or a byte that was changed.
    """
    if not data.startswith(magic):
        version = magic.decode().strip().rpartition("/")[2]
        raise DataError(f"not a {what} of version {version}", hint="build it anew with this version of excise")
    digest, body = data[len(magic) :][:DIGEST_BYTES], data[len(magic) + DIGEST_BYTES :]
    if hashlib.sha256(body).digest() != digest:
        raise DataError(f"a {what} whose bytes were changed", hint="build it anew from the data")
    return msgspec.msgpack.decode(body, type=kind)
