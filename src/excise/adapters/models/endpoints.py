"""Endpoints: a model behind a URL, measured by its clients' side."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import SplitResult, urlsplit

from excise.adapters.models import LOADERS
from excise.adapters.models.inspection import demand_packages
from excise.core.errors import InvalidRef
from excise.core.predictor import InputKind, LoaderSpec, Subject, Variant
from excise.core.refs import ModelRef, RefKind
from excise.core.secrets import secret_written

GRPC = "grpc"


class EndpointModels:
    """``http://``, ``https://`` and ``grpc://`` URLs."""

    name = "endpoint"
    suffixes: ClassVar[tuple[str, ...]] = ()

    def matches(self, ref: ModelRef) -> bool:
        """Whether it is a URL."""
        return ref.kind is RefKind.URL

    def describe(self, ref: ModelRef, *, trust_pickle: bool = False) -> Subject:
        """Describe the endpoint by its URL; no connection is made.

        Raises:
            InvalidRef: no host, no port, a password, or for ``grpc://`` no model.
            MissingExtra: ``grpc://`` without grpcio.
        """
        del trust_pickle  # what lies behind a URL is not loaded here
        parts = _checked(ref.target)
        if parts.scheme == GRPC:
            demand_packages("grpc", "grpc")
        loader = LoaderSpec(loader=str(LOADERS / "endpoint.py"), target=ref.target)
        return Subject(
            ref=ref,
            kind=self.name,
            variant=Variant(name="production", loader=loader),
            default_input=InputKind.RECORDS,
        )


def _checked(url: str) -> SplitResult:
    """The URL's parts, if it can be connected to."""
    if "@" in url.partition("://")[2].partition("/")[0]:  # first of all: no other message may show it
        raise InvalidRef(
            "the URL holds a user or a password, which would stand in every report",
            hint="give them as a header: --header 'Authorization: …'",
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidRef(f"{url} is no URL: {error}", hint="write http://host:port") from None
    if secret := secret_written(parts.query):
        raise InvalidRef(
            f"the URL holds the value of {secret}, which would stand in every report",
            hint=f"export it, and name it: --request 'POST {parts.path or '/'}?{secret}=${{{secret.upper()}}}'",
        )
    if not parts.hostname:
        raise InvalidRef(f"{url} names no host", hint="write http://host:port")
    if parts.scheme == GRPC and (port is None or not parts.path.strip("/")):
        raise InvalidRef(f"{url} needs a port and a model", hint="write grpc://host:8001/model")
    return parts
