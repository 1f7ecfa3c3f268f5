"""CatBoost models, as ``save_model`` writes them: ``.cbm``."""

from __future__ import annotations

from pathlib import Path

from excise.adapters.models.files import ModelFiles
from excise.adapters.models.inspection import head_of, truncated, wrong_type

MAGIC = b"CBM1"
HEADER_BYTES = 8
"""The magic, and the length of what follows as 32 bits, lowest byte first."""


class CatBoostModels(ModelFiles):
    """``.cbm`` files."""

    name = "catboost"
    suffixes = (".cbm",)
    packages = ("catboost",)

    def check(self, path: Path, *, trusted: bool) -> None:
        """Hold the length that the header states against the file's."""
        del trusted  # a model is numbers
        head = head_of(path)
        if not head.startswith(MAGIC):
            raise wrong_type(path, head)
        stated = int.from_bytes(head[len(MAGIC) : HEADER_BYTES], "little")
        if HEADER_BYTES + stated > path.stat().st_size:
            raise truncated(path, f"its header states {stated} bytes")
