"""PyTorch models in files: torch.export's ``.pt2``, TorchScript's ``.pt``, and ``.safetensors`` with its module."""

from __future__ import annotations

import zipfile
from pathlib import Path

from excise.adapters.models.files import ModelFiles
from excise.adapters.models.inspection import PICKLE, head_of, whole_zip
from excise.adapters.models.python import demand_attribute
from excise.adapters.models.transformers import CONFIG
from excise.adapters.models.weights import SUFFIX as WEIGHTS
from excise.adapters.models.weights import whole_weights
from excise.core.errors import ModelError

EXPORTED = (".pt2",)
SCRIPTED = (".pt", ".pth", ".ts", ".torchscript")
MODULE = "module"
"""What the Python file beside weights defines."""
CONSTANTS = "constants.pkl"
"""Member that TorchScript archives have and pickled checkpoints have not."""


class TorchModels(ModelFiles):
    """``.pt2`` and TorchScript files, weights with a module of the same name; a module object is a Python handler."""

    name = "torch"
    suffixes = (*EXPORTED, *SCRIPTED, WEIGHTS)
    packages = ("torch",)

    def check(self, path: Path, *, trusted: bool) -> None:
        """Look at the archive's names; a checkpoint of weights without code is refused."""
        del trusted  # none of the forms is unpickled as code
        if path.suffix.lower() in EXPORTED:
            whole_zip(path, "version", "model.json", "archive_format")
        elif path.suffix.lower() == WEIGHTS:
            whole_weights(path)
            _demand_module(path)
        else:
            _demand_script(path)

    def needs(self, path: Path) -> tuple[str, ...]:
        """torch, and what reads the weights."""
        return ("torch", "safetensors") if path.suffix.lower() == WEIGHTS else ("torch",)

    def files(self, path: Path) -> tuple[Path, ...]:
        """The file, and the module that its weights go into."""
        return (path, path.with_suffix(".py")) if path.suffix.lower() == WEIGHTS else (path,)


def _demand_module(weights: Path) -> None:
    """Refuse weights without the Python file beside them that defines ``module``."""
    beside = weights.with_suffix(".py")
    if beside.exists():
        demand_attribute(beside, MODULE)
    elif (weights.parent / CONFIG).exists():
        message = f"{weights} is one file of a model"
        raise ModelError(message, hint=f"name the folder: {weights.parent}")
    else:
        message = f"{weights} holds weights and no module"
        hint = f"put a {beside.name} beside it that defines {MODULE}, a torch.nn.Module or what makes one"
        raise ModelError(message, hint=hint)


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
