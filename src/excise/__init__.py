"""Find, price and remove the silent tax that a model pays in production.

Every public name is a verb and is imported on first use, so ``import excise`` stays cheap::

    import excise

    report = excise.audit("handler.py:handler", current="today.parquet", reference="approved.parquet")
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from excise.api.audit import audit
    from excise.api.drift import drift
    from excise.api.init import init
    from excise.api.profile import profile
    from excise.api.record import record
    from excise.api.release import release

__version__ = "0.1.0"

__all__ = ["__version__", "audit", "drift", "init", "profile", "record", "release"]


def __getattr__(name: str) -> Any:
    """The public verb ``name``, which lives in the file of the same name in ``excise.api``."""
    if name not in __all__:
        raise AttributeError(f"module 'excise' has no attribute {name!r}")
    verb = getattr(import_module(f"excise.api.{name}"), name)
    if name == "audit" and "IPython" in sys.modules:
        import_module("excise.report.notebook").install()
    return verb


def __dir__() -> list[str]:
    """What tab completion offers: the verbs, loaded or not."""
    return sorted({*globals(), *__all__})
