"""The JSON documents that excise prints, and the schemas that they keep."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import cleandoc
from typing import Any

import msgspec

from excise.core.audit import Audit
from excise.core.check import Check
from excise.core.drift import Drift

DOCUMENTS: Mapping[str, type[msgspec.Struct]] = {"audit": Audit, "check": Check, "drift": Drift}
"""Every document by its noun; a new one is published by adding it here."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"
INDENT = 2


def to_json(document: msgspec.Struct) -> bytes:
    """One document as indented JSON with a newline at its end; what is unknown is null, never left out.

    Not-a-numbers and infinities become null, which JSON has no other word for.
    """
    compact = msgspec.json.encode(document, enc_hook=_plain)
    return msgspec.json.format(compact, indent=INDENT) + b"\n"


def schemas(documents: Mapping[str, type[msgspec.Struct]] = DOCUMENTS) -> dict[str, dict[str, Any]]:
    """A self-contained JSON Schema of every document, by noun, generated from its type."""
    return {noun: schema(noun, document) for noun, document in documents.items()}


def schema(noun: str, document: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of one document.

    Raises:
        TypeError: the type has a field that JSON Schema cannot describe.
    """
    (root,), parts = msgspec.json.schema_components([document], ref_template="#/$defs/{name}")
    for part in parts.values():
        _never_left_out(part)
    name = root["$ref"].rpartition("/")[2]
    parts[name]["properties"]["schema"] = {"const": f"excise/{noun}/v1"}
    return {"$schema": DIALECT, "$id": f"excise/{noun}/v1", **root, "$defs": dict(sorted(parts.items()))}


def schema_files(documents: Mapping[str, type[msgspec.Struct]] = DOCUMENTS) -> dict[str, bytes]:
    """What is published: file name (``audit.v1.json``) and content."""
    return {
        f"{noun}.v1.json": msgspec.json.format(msgspec.json.encode(found), indent=INDENT) + b"\n"
        for noun, found in schemas(documents).items()
    }


def _never_left_out(part: dict[str, Any]) -> None:
    """Require every property of an object: defaults are for us, a document always says all."""
    if "description" in part:
        part["description"] = cleandoc(part["description"])
    if "properties" in part:
        part["required"] = list(part["properties"])
        for told in part["properties"].values():
            told.pop("default", None)


def _plain(value: Any) -> Any:
    """A numpy scalar or array as Python numbers; anything else as its text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)
