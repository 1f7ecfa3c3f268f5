"""ONNX files, run by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

from excise.adapters.models.files import ModelFiles
from excise.adapters.models.inspection import ONNX_FIRST_FIELD, head_of, truncated, wrong_type
from excise.core.errors import ModelError

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""Wire types of protocol buffers."""
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
    """Walk the outermost fields of the protocol buffer: they must end with the file, and one must be the graph."""
    head = head_of(file)
    if not head.startswith(ONNX_FIRST_FIELD):
        raise wrong_type(file, head)
    size, fields = file.stat().st_size, set()
    with file.open("rb") as opened:
        while opened.tell() < size:
            key = _varint(opened.read)
            width = _width(key & 7, opened.read)
            if width is None:
                raise wrong_type(file, head)
            if opened.tell() + width > size:
                left = size - opened.tell()
                raise truncated(file, f"a field of {width} bytes begins {left} bytes before its end")
            opened.seek(width, 1)
            fields.add(key >> 3)
    if GRAPH_FIELD not in fields:
        raise ModelError(f"{file} holds no graph", hint="copy or download it again, or export the model again")


def _width(wire: int, read: object) -> int | None:
    """How many bytes a field's value takes; None for a wire type that ONNX has not."""
    if wire == VARINT:
        _varint(read)
        return 0
    if wire == LENGTH:
        return _varint(read)
    return {FIXED64: 8, FIXED32: 4}.get(wire)


def _varint(read: object) -> int:
    """A number of seven bits a byte; what ends before its last byte counts as it stands."""
    value, shift = 0, 0
    while byte := read(1):  # type: ignore[operator]
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:  # noqa: PLR2004  the continuation bit
            break
        shift += 7
    return value
