"""scikit-learn estimators and pipelines: ``.skops``, and pickles where they are trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from excise.adapters.models import LOADERS
from excise.adapters.models.inspection import (
    COMPRESSED,
    PICKLE,
    demand_packages,
    demand_trust,
    existing_file,
    head_of,
    whole_zip,
    wrong_type,
)
from excise.core.errors import ModelError
from excise.core.predictor import InputKind, LoaderSpec, Subject, Variant
from excise.core.refs import ModelRef, RefKind

PICKLES = (".joblib", ".pkl", ".pickle")
STOP = b"."
"""The opcode that ends every pickle."""


class SklearnModels:
    """Estimators in files."""

    name = "sklearn"
    suffixes: ClassVar[tuple[str, ...]] = (".skops", *PICKLES)

    def matches(self, ref: ModelRef) -> bool:
        """Whether the path ends as one of ours."""
        return ref.kind is RefKind.PATH and Path(ref.target).suffix.lower() in self.suffixes

    def describe(self, ref: ModelRef, *, trust_pickle: bool = False) -> Subject:
        """Describe the file by its first bytes; nothing is loaded.

        Raises:
            ModelError: missing, truncated, or of another type.
            UntrustedPickle: a pickle without trust.
            MissingExtra: scikit-learn or skops is not installed.
        """
        file = existing_file(ref.target).absolute()
        options: dict[str, Any] = {}
        if file.suffix.lower() == ".skops":
            whole_zip(file, "schema.json")
            demand_packages("sklearn", "sklearn", "skops")
            options = {"trusted": "*"} if trust_pickle else {}
        else:
            _demand_pickle(file)
            demand_trust(file, trusted=trust_pickle, without=".skops or .onnx")
            demand_packages("sklearn", "sklearn", "joblib")
        loader = LoaderSpec(loader=str(LOADERS / "sklearn.py"), target=str(file), options=options)
        return Subject(
            ref=ref,
            kind=self.name,
            variant=Variant(name="production", loader=loader, size_bytes=file.stat().st_size),
            default_input=InputKind.TENSORS,
            files=(str(file),),
        )


def _demand_pickle(file: Path) -> None:
    """Refuse what is no pickle, or one that was cut off."""
    head = head_of(file)
    if head.startswith(COMPRESSED):
        return  # joblib compressed it; its end is inside
    if not head.startswith(PICKLE):
        raise wrong_type(file, head)
    with file.open("rb") as opened:
        opened.seek(-1, 2)
        ended = opened.read() == STOP
    if not ended:
        message = f"{file} is truncated: a pickle without its end ({file.stat().st_size} bytes)"
        raise ModelError(message, hint="copy or download it again")
