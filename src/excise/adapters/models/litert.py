"""TensorFlow Lite models, run by LiteRT: ``.tflite``."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from excise.adapters.models.files import ModelFiles
from excise.adapters.models.inspection import head_of, truncated, wrong_type

IDENTIFIER = b"TFL3"
"""At bytes 4 to 8 of the flatbuffer."""
OPERATOR_CODES, SUBGRAPHS, BUFFERS = 1, 2, 4
"""Fields of the schema's Model. The first is written first, which is last in the file: flatbuffers grow downward."""
DATA = 0
"""Field of the schema's Buffer."""
Bytes = bytes | mmap.mmap


class LiteRTModels(ModelFiles):
    """``.tflite`` files."""

    name = "litert"
    suffixes = (".tflite",)
    packages = ("ai_edge_litert",)

    def check(self, path: Path, *, trusted: bool) -> None:
        """Follow the flatbuffer's outermost vectors: all of them must end with the file."""
        del trusted  # a graph of operators and numbers
        head = head_of(path)
        if head[4:8] != IDENTIFIER:
            raise wrong_type(path, head)
        with path.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                needed = max(_ends(data))
            except struct.error:
                raise truncated(path, "a part of it begins behind its end") from None
            if needed > len(data):
                raise truncated(path, f"its parts reach up to byte {needed}")


def _ends(data: Bytes) -> Iterator[int]:
    """Where the model's own tables and its weights end."""
    root = _number("<I", data, 0)
    yield from _extent(data, root)
    for field in (OPERATOR_CODES, SUBGRAPHS, BUFFERS):
        for table in _tables(data, root, field):
            yield from _extent(data, table)
            weights = _vector(data, table, DATA) if field == BUFFERS else None
            if weights is not None:
                yield weights + _number("<I", data, weights - 4)


def _extent(data: Bytes, table: int) -> Iterator[int]:
    """Ends of a table and of the vtable that describes it, whose first two numbers are both sizes."""
    vtable = table - _number("<i", data, table)
    yield vtable + _number("<H", data, vtable)
    yield table + _number("<H", data, vtable + 2)


def _tables(data: Bytes, table: int, field: int) -> Iterator[int]:
    """Positions of the tables in a field that is a vector of them."""
    start = _vector(data, table, field)
    if start is not None:
        for at in range(start, start + 4 * _number("<I", data, start - 4), 4):
            yield at + _number("<I", data, at)


def _vector(data: Bytes, table: int, field: int) -> int | None:
    """Where the elements of a field that is a vector begin, behind their count; None where it is absent."""
    vtable = table - _number("<i", data, table)
    entry = 4 + 2 * field
    offset = _number("<H", data, vtable + entry) if entry < _number("<H", data, vtable) else 0
    at = table + offset
    return at + _number("<I", data, at) + 4 if offset else None


def _number(form: str, data: Bytes, at: int) -> int:
    """One number in a ``struct`` format."""
    return int(struct.unpack_from(form, data, at)[0])
