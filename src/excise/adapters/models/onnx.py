"""ONNX files, run by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from excise.adapters.models import LOADERS
from excise.adapters.models.inspection import ONNX_FIRST_FIELD, demand_packages, existing_file, head_of, wrong_type
from excise.core.errors import ModelError
from excise.core.predictor import InputKind, LoaderSpec, Subject, Variant
from excise.core.refs import ModelRef, RefKind

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""Wire types of protocol buffers."""
GRAPH_FIELD = 7
"""``ModelProto.graph``."""


class OnnxModels:
    """``.onnx`` files."""

    name = "onnx"
    suffixes: ClassVar[tuple[str, ...]] = (".onnx",)

    def matches(self, ref: ModelRef) -> bool:
        """Whether the path ends in ``.onnx``."""
        return ref.kind is RefKind.PATH and Path(ref.target).suffix.lower() in self.suffixes

    def describe(self, ref: ModelRef, *, trust_pickle: bool = False) -> Subject:
        """Describe the file by its outermost fields; no graph is read.

        Raises:
            ModelError: missing, truncated, or no ONNX model.
            MissingExtra: onnxruntime is not installed.
        """
        del trust_pickle  # an ONNX file holds no code
        file = existing_file(ref.target).absolute()
        _demand_model(file)
        demand_packages("onnx", "onnxruntime")
        loader = LoaderSpec(loader=str(LOADERS / "onnx.py"), target=str(file))
        beside = sorted(
            p for p in (file.with_name(file.name + ".data"), file.with_name(file.stem + ".data")) if p.exists()
        )
        files = (file, *beside)
        return Subject(
            ref=ref,
            kind=self.name,
            variant=Variant(name="production", loader=loader, size_bytes=sum(f.stat().st_size for f in files)),
            default_input=InputKind.TENSORS,
            files=tuple(map(str, files)),
        )


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
                message = (
                    f"{file} is truncated: a field of {width} bytes begins {size - opened.tell()} bytes before its end"
                )
                raise ModelError(message, hint="copy or download it again")
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
