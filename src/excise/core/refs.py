"""One parser for everything that can name a model."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Self

import msgspec

from excise.core.errors import InvalidRef

DIGEST = re.compile(r"sha256:[0-9a-f]{6,64}")
RELEASE = re.compile(r"(?P<name>[a-z0-9][a-z0-9._-]*)@(?P<version>[A-Za-z0-9][A-Za-z0-9._-]*)")
ATTRIBUTE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
NAMED = re.compile(r"(?P<label>[A-Za-z_][\w.-]*)=(?P<rest>.+)", re.DOTALL)
URL_SCHEMES = ("http://", "https://", "grpc://")
SERVICES = ("asgi", "wsgi")
"""Schemes of Python services, run in process."""
UNFIT_FOR_A_NAME = re.compile(r"[^\w.@]+")
SCHEME = re.compile(r"(?P<scheme>mlflow|oci|hf|asgi|wsgi):(?P<rest>.+)", re.DOTALL)


class RefKind(StrEnum):
    """How a model is named."""

    RELEASE = "release"
    DIGEST = "digest"
    URL = "url"
    FILE_ATTRIBUTE = "file_attribute"
    MODULE_ATTRIBUTE = "module_attribute"
    SCHEME = "scheme"
    PATH = "path"


class ModelRef(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed model reference.

    >>> ModelRef.parse("flights@1").kind
    <RefKind.RELEASE: 'release'>
    >>> ref = ModelRef.parse("fast=serving/handler.py:handler")
    >>> ref.label, ref.target, ref.attribute
    ('fast', 'serving/handler.py', 'handler')

    Attributes:
        kind: how the model is named.
        text: what the user wrote.
        target: release name, digest, URL, file, module, or the part behind a scheme.
        attribute: the object inside a file or module; the version of a release; the scheme.
        label: the ``NAME`` of ``NAME=FILE``, None without.
    """

    kind: RefKind
    text: str
    target: str
    attribute: str | None = None
    label: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse what the user wrote.

        Raises:
            InvalidRef: empty, or an attribute that is no Python name.
        """
        if not text.strip():
            raise InvalidRef("an empty model reference", hint="give a file, file.py:attr, module:attr or name@version")
        if any(text.startswith(scheme) for scheme in URL_SCHEMES):
            return cls(kind=RefKind.URL, text=text, target=text)
        if DIGEST.fullmatch(text):
            return cls(kind=RefKind.DIGEST, text=text, target=text)
        if match := SCHEME.fullmatch(text):
            return cls(kind=RefKind.SCHEME, text=text, target=match["rest"], attribute=match["scheme"])
        if (match := NAMED.fullmatch(text)) and "/" not in match["label"]:
            inner = cls.parse(match["rest"])
            return msgspec.structs.replace(inner, text=text, label=match["label"])
        if match := RELEASE.fullmatch(text):
            return cls(kind=RefKind.RELEASE, text=text, target=match["name"], attribute=match["version"])
        return cls._parse_local(text)

    @classmethod
    def _parse_local(cls, text: str) -> Self:
        target, colon, attribute = text.rpartition(":")
        if not colon:
            return cls(kind=RefKind.PATH, text=text, target=text)
        if target.endswith(".py") and ATTRIBUTE.fullmatch(attribute):
            return cls(kind=RefKind.FILE_ATTRIBUTE, text=text, target=target, attribute=attribute)
        if MODULE.fullmatch(target) and ATTRIBUTE.fullmatch(attribute):
            return cls(kind=RefKind.MODULE_ATTRIBUTE, text=text, target=target, attribute=attribute)
        if target.endswith(".py") or MODULE.fullmatch(target):
            raise InvalidRef(
                f"{attribute!r} in {text!r} is not the name of an attribute",
                hint="write file.py:handler or package.module:handler",
            )
        return cls(kind=RefKind.PATH, text=text, target=text)

    @property
    def name(self) -> str:
        """A short name for reports and files: the label, a release's name, a file's stem, a URL's host and path.

        >>> ModelRef.parse("http://127.0.0.1:8000/predict").name, ModelRef.parse("asgi:serving/api.py:app").name
        ('127.0.0.1-8000-predict', 'api')
        """
        if self.label is not None:
            return self.label
        if self.kind in (RefKind.FILE_ATTRIBUTE, RefKind.PATH):
            return self.target.rstrip("/").rpartition("/")[2].rpartition(".")[0] or self.target
        if self.attribute in SERVICES and self.kind is RefKind.SCHEME:
            return type(self).parse(self.target).name
        if self.kind in (RefKind.URL, RefKind.SCHEME):
            place = self.target.partition("://")[2].partition("?")[0].rpartition("@")[2] or self.target
            return UNFIT_FOR_A_NAME.sub("-", place).strip("-")
        return self.target
