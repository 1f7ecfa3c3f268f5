"""Protocol buffers, seen by their outermost fields: enough to tell a whole file from one that was cut."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from excise.adapters.models.inspection import head_of, truncated, wrong_type

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""Wire types."""


def outer_fields(file: Path) -> set[int]:
    """Numbers of the outermost fields, which must end with the file.

    Raises:
        ModelError: one ends behind the file's end, or it is no protocol buffer.
    """
    size, fields = file.stat().st_size, set()
    with file.open("rb") as opened:
        while opened.tell() < size:
            key = _varint(opened)
            width = _width(key & 7, opened)
            if width is None:
                raise wrong_type(file, head_of(file))
            if opened.tell() + width > size:
                left = size - opened.tell()
                raise truncated(file, f"a field of {width} bytes begins {left} bytes before its end")
            opened.seek(width, 1)
            fields.add(key >> 3)
    return fields


def _width(wire: int, opened: BinaryIO) -> int | None:
    """How many bytes a field's value takes; None for a wire type that nobody writes any more."""
    if wire == VARINT:
        _varint(opened)
        return 0
    if wire == LENGTH:
        return _varint(opened)
    return {FIXED64: 8, FIXED32: 4}.get(wire)


def _varint(opened: BinaryIO) -> int:
    """A number of seven bits a byte; what ends before its last byte counts as it stands."""
    value, shift = 0, 0
    while byte := opened.read(1):
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:  # noqa: PLR2004  the continuation bit
            break
        shift += 7
    return value
