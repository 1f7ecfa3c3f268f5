"""PyTorch models in files: torch.export's ``.pt2`` and TorchScript's ``.pt``."""

from __future__ import annotations

import zipfile
from pathlib import Path

from excise.adapters.models.files import ModelFiles
from excise.adapters.models.inspection import PICKLE, head_of, whole_zip
from excise.core.errors import ModelError

EXPORTED = (".pt2",)
SCRIPTED = (".pt", ".pth", ".ts", ".torchscript")
CONSTANTS = "constants.pkl"
"""Member that TorchScript archives have and pickled checkpoints have not."""


class TorchModels(ModelFiles):
    """``.pt2`` and TorchScript files; a module object is a Python handler."""

    name = "torch"
    suffixes = (*EXPORTED, *SCRIPTED)
    packages = ("torch",)

    def check(self, path: Path, *, trusted: bool) -> None:
        """Look at the archive's names; a checkpoint of weights without code is refused."""
        del trusted  # neither form is unpickled as code
        if path.suffix.lower() in EXPORTED:
            whole_zip(path, "version", "model.json", "archive_format")
        else:
            _demand_script(path)


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
