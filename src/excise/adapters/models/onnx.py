"""ONNX files, run by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

from excise.adapters.models.files import ModelFiles
from excise.adapters.models.inspection import ONNX_FIRST_FIELD, head_of, wrong_type
from excise.adapters.models.protobuf import outer_fields
from excise.core.errors import ModelError

GRAPH_FIELD = 7
"""``ModelProto.graph``."""


class OnnxModels(ModelFiles):
    """``.onnx`` files, with their external data beside them."""

    name = "onnx"
    suffixes = (".onnx",)
    packages = ("onnxruntime",)

    def check(self, path: Path, *, trusted: bool) -> None:
        """Look at the outermost fields; no graph is read."""
        del trusted  # an ONNX file holds no code
        _demand_model(path)

    def files(self, path: Path) -> tuple[Path, ...]:
        """The file, and its weights where they are kept apart."""
        beside = {path.with_name(path.name + ".data"), path.with_name(path.stem + ".data")}
        return (path, *sorted(file for file in beside if file.exists()))


def _demand_model(file: Path) -> None:
    """The outermost fields must end with the file, and one must be the graph."""
    head = head_of(file)
    if not head.startswith(ONNX_FIRST_FIELD):
        raise wrong_type(file, head)
    if GRAPH_FIELD not in outer_fields(file):
        raise ModelError(f"{file} holds no graph", hint="copy or download it again, or export the model again")
