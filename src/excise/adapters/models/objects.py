"""Models in memory: what a notebook has at hand, kept as a file so that fresh processes can load it."""

from __future__ import annotations

import hashlib
import os
import pickle
import pickletools
from pathlib import Path
from typing import Any

from excise.adapters.models.inspection import demand_packages
from excise.core.errors import ModelError

ESTIMATOR = ("fit", "predict", "get_params")
"""What scikit-learn's estimators have, and the boosters that take after them."""
NOTEBOOK = "__main__"
FOLDER = "objects"


def keep(model: Any, project: Path) -> Path:
    """A fitted estimator as a file in the project's folder, by its content; an equal one is not written twice.

    Args:
        model: a fitted estimator or pipeline.
        project: the folder ``.excise``.
    Raises:
        ModelError: no estimator, or one that a fresh process cannot load.
        MissingExtra: joblib is not installed.
    """
    if not all(callable(getattr(model, name, None)) for name in ESTIMATOR):
        message = f"a {type(model).__name__} is no estimator that can be handed to a fresh process"
        raise ModelError(message, hint="save it as a file, or write a handler: file.py:attribute")
    demand_packages("sklearn", "joblib")
    try:
        data = pickle.dumps(model, protocol=5)
    except Exception as error:  # each class fails in a way of its own
        raise ModelError(f"the model cannot be pickled: {error}", hint="save it as a file, and name that") from error
    if any(argument == NOTEBOOK for _, argument, _ in pickletools.genops(data)):
        message = "the model holds a class or a function that is defined in this notebook or script"
        raise ModelError(message, hint="put it into a .py file and import it from there: fresh processes must find it")
    return _written(project / FOLDER / f"{type(model).__name__}-{hashlib.sha256(data).hexdigest()[:12]}.joblib", data)


def _written(path: Path, data: bytes) -> Path:
    """The file, whole or not at all."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(data)
        part.replace(path)
    return path
