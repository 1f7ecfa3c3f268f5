"""PyTorch models in files: torch.export's ``.pt2`` and TorchScript's ``.pt``."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import ClassVar

from excise.adapters.models import LOADERS
from excise.adapters.models.inspection import PICKLE, demand_packages, existing_file, head_of, whole_zip
from excise.core.errors import ModelError
from excise.core.predictor import InputKind, LoaderSpec, Subject, Variant
from excise.core.refs import ModelRef, RefKind

EXPORTED = (".pt2",)
SCRIPTED = (".pt", ".pth", ".ts", ".torchscript")
CONSTANTS = "constants.pkl"
"""Member that TorchScript archives have and pickled checkpoints have not."""


class TorchModels:
    """``.pt2`` and TorchScript files; a module object is a Python handler."""

    name = "torch"
    suffixes: ClassVar[tuple[str, ...]] = (*EXPORTED, *SCRIPTED)

    def matches(self, ref: ModelRef) -> bool:
        """Whether the path ends as one of ours."""
        return ref.kind is RefKind.PATH and Path(ref.target).suffix.lower() in self.suffixes

    def describe(self, ref: ModelRef, *, trust_pickle: bool = False) -> Subject:
        """Describe the archive by its member names; nothing is loaded.

        Raises:
            ModelError: missing, truncated, or a checkpoint of weights without code.
            MissingExtra: torch is not installed.
        """
        del trust_pickle  # neither form is unpickled as code
        file = existing_file(ref.target).absolute()
        if file.suffix.lower() in EXPORTED:
            whole_zip(file, "version", "model.json", "archive_format")
        else:
            _demand_script(file)
        demand_packages("torch", "torch")
        loader = LoaderSpec(loader=str(LOADERS / "torch.py"), target=str(file))
        return Subject(
            ref=ref,
            kind=self.name,
            variant=Variant(name="production", loader=loader, size_bytes=file.stat().st_size),
            default_input=InputKind.TENSORS,
            files=(str(file),),
        )


def _demand_script(file: Path) -> None:
    """Refuse a checkpoint: weights in a pickle have no forward()."""
    if not head_of(file).startswith(PICKLE):
        whole_zip(file, "data.pkl")
        with zipfile.ZipFile(file) as archive:
            if any(name.endswith(CONSTANTS) for name in archive.namelist()):
                return
    message = f"{file} is a pickled checkpoint, not a TorchScript archive"
    hint = "save it by torch.export.save(...) as .pt2, or name the module object: file.py:module"
    raise ModelError(message, hint=hint)
