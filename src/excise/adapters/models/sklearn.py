"""scikit-learn estimators and pipelines: ``.skops``, and pickles where they are trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from excise.adapters.models.files import ModelFiles
from excise.adapters.models.inspection import (
    COMPRESSED,
    PICKLE,
    demand_trust,
    head_of,
    tail_of,
    truncated,
    whole_zip,
    wrong_type,
)

SKOPS = ".skops"
STOP = b"."
"""The opcode that ends every pickle."""


class SklearnModels(ModelFiles):
    """Estimators in files."""

    name = "sklearn"
    suffixes = (SKOPS, ".joblib", ".pkl", ".pickle")

    def check(self, path: Path, *, trusted: bool) -> None:
        """Look at the archive's names, or at a pickle's two ends."""
        if path.suffix.lower() == SKOPS:
            whole_zip(path, "schema.json")
        else:
            _demand_pickle(path)
            demand_trust(path, trusted=trusted, without=".skops or .onnx")

    def needs(self, path: Path) -> tuple[str, ...]:
        """scikit-learn, and what reads the file."""
        return ("sklearn", "skops" if path.suffix.lower() == SKOPS else "joblib")

    def options(self, path: Path, *, trusted: bool) -> dict[str, Any]:
        """Trust in every type of a ``.skops`` file where it was given."""
        return {"trusted": "*"} if trusted and path.suffix.lower() == SKOPS else {}


def _demand_pickle(file: Path) -> None:
    """Refuse what is no pickle, or one that was cut off."""
    head = head_of(file)
    if head.startswith(COMPRESSED):
        return  # joblib compressed it; its end is inside
    if not head.startswith(PICKLE):
        raise wrong_type(file, head)
    if tail_of(file, 1) != STOP:
        raise truncated(file, "a pickle without its end")
