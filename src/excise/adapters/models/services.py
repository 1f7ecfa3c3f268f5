"""Python services: ``asgi:module:app``, ``wsgi:module:app``, ``asgi:file.py:app``."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from excise.adapters.models import LOADERS
from excise.adapters.models.python import PythonModels
from excise.core.errors import InvalidRef
from excise.core.predictor import Subject
from excise.core.refs import ModelRef, RefKind


class ServiceModels:
    """Applications of any framework that speaks ASGI or WSGI; requests are replayed in process."""

    name = "service"
    interfaces: ClassVar[tuple[str, ...]] = ("asgi", "wsgi")

    def matches(self, ref: ModelRef) -> bool:
        """Whether it begins with ``asgi:`` or ``wsgi:``."""
        return ref.kind is RefKind.SCHEME and ref.attribute in self.interfaces

    def describe(self, ref: ModelRef, *, trust_pickle: bool = False) -> Subject:
        """Describe the application by its source; nothing is imported.

        Raises:
            InvalidRef: no ``module:app`` or ``file.py:app`` stands behind the colon.
            ModelError: the file or module is missing, does not parse, or does not define the application.
        """
        del trust_pickle  # an application is code that the user wrote
        inner = ModelRef.parse(ref.target)
        if inner.kind not in (RefKind.FILE_ATTRIBUTE, RefKind.MODULE_ATTRIBUTE):
            raise InvalidRef(f"{ref.text} names no application", hint=f"write {ref.attribute}:module:app")
        found = PythonModels().describe(inner)
        loader = msgspec.structs.replace(
            found.variant.loader, loader=str(LOADERS / "service.py"), options={"interface": ref.attribute}
        )
        variant = msgspec.structs.replace(found.variant, loader=loader)
        return msgspec.structs.replace(found, ref=ref, kind=self.name, variant=variant)
