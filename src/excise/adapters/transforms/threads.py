"""Thread settings: a small model computes less than waking a second thread costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from excise.adapters.transforms import SCRIPTS
from excise.core.predictor import Subject
from excise.core.tax import Culprit

POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS")
"""Read by OpenMP, the BLAS libraries and numexpr when they are loaded, so they must stand before the process starts."""


class OneThread:
    """The same model on one thread."""

    name = "one_thread"
    culprit: str = Culprit.MODEL_BLOAT
    script: Path = SCRIPTS / "same_model.py"
    needs: Sequence[str] = ()
    options: ClassVar[Mapping[str, Any]] = {"settings": {"threads": 1}}

    def applies(self, subject: Subject) -> str | None:
        """None where production has not chosen its threads itself."""
        if subject.variant.loader.options.get("threads") or "OMP_NUM_THREADS" in subject.variant.variables:
            return "production sets its threads already"
        return None

    def variables(self) -> Mapping[str, str]:
        """One thread in every pool."""
        return dict.fromkeys(POOLS, "1")
