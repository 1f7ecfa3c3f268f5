"""GGUF language models, run by llama.cpp: text in, text out."""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from excise.adapters.models.files import ModelFiles
from excise.adapters.models.inspection import GGUF, head_of, truncated, wrong_type
from excise.core.errors import ModelError
from excise.core.predictor import InputKind

VERSIONS = (2, 3)
PART = re.compile(r"(?P<stem>.+)-\d{5}-of-(?P<count>\d{5})\.gguf")
CHAT_TEMPLATE = b"tokenizer.chat_template"
METADATA_BYTES = 64 << 20
"""Within which the metadata of every model lies."""
ALIGNMENT = b"general.alignment"
STRING, ARRAY = 8, 9
WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a value, by the type that its metadata states."""
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66),
    17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136),
    24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54),
    35: (256, 66), 39: (32, 17),
}  # fmt: skip
"""Weights of a block and its bytes, by tensor type (ggml's ``type_traits``)."""


class GGUFModels(ModelFiles):
    """``.gguf`` files, whole or in parts."""

    name = "gguf"
    suffixes = (".gguf",)
    packages = ("xllamacpp",)

    def check(self, path: Path, *, trusted: bool) -> None:
        """Hold the tensors that the header states against the file's size: llama.cpp would map what is not there."""
        del trusted  # numbers and words
        for part in self.files(path):
            _demand_tensors(part)

    def files(self, path: Path) -> tuple[Path, ...]:
        """The file, or all parts of the model that it is one of."""
        match = PART.fullmatch(path.name)
        if match is None:
            return (path,)
        count = int(match["count"])
        parts = [path.with_name(f"{match['stem']}-{number:05}-of-{count:05}.gguf") for number in range(1, count + 1)]
        if missing := [part.name for part in parts if not part.exists()]:
            raise ModelError(f"{path} is one of {count} parts, and {missing[0]} is missing", hint="copy all parts")
        return tuple(parts)

    def form(self, path: Path) -> InputKind:
        """Records with a text each."""
        del path
        return InputKind.RECORDS

    def options(self, path: Path, *, trusted: bool) -> dict[str, Any]:
        """One thread, and a conversation where the model was made for one."""
        del trusted
        with path.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return {"threads": 1, "chat": data.find(CHAT_TEMPLATE, 0, METADATA_BYTES) >= 0}


def _demand_tensors(path: Path) -> None:
    head = head_of(path)
    if not head.startswith(GGUF):
        raise wrong_type(path, head)
    with path.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            header = Header(path, data)
            needed = max(header.ends(), default=0)
        except struct.error:
            raise truncated(path, "its header is longer than the file") from None
        if needed > len(data):
            raise truncated(path, f"its header states tensors up to byte {needed}")


class Header:
    """What stands before the tensors, read once from the front.

    Raises:
        ModelError: of a version that is not known.
        struct.error: the file ends within it.
    Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
    """

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self.data = data
        self.at = len(GGUF)
        version, self.tensors, pairs = self.take("<IQQ")
        if version not in VERSIONS:
            message = f"{path} is GGUF of version {version}, and {VERSIONS[-1]} is the newest known"
            raise ModelError(message, hint="convert the model with a llama.cpp that writes version 3")
        self.alignment = 32
        for _ in range(pairs):
            self.pair()

    def ends(self) -> Iterator[int]:
        """Where each tensor ends in the file."""
        sizes = [self.tensor() for _ in range(self.tensors)]
        start = -(-self.at // self.alignment) * self.alignment
        yield from (start + offset + size for offset, size in sizes)

    def pair(self) -> None:
        """One key with its value, of which the alignment is kept."""
        key = self.text()
        (kind,) = self.take("<I")
        if key == ALIGNMENT:
            (self.alignment,) = self.take("<I")
        else:
            self.skip(kind)

    def tensor(self) -> tuple[int, int]:
        """Offset and bytes of one tensor; those of an unknown type count as nothing."""
        self.text()
        (rank,) = self.take("<I")
        weights = 1
        for extent in self.take(f"<{rank}Q"):
            weights *= extent
        kind, offset = self.take("<IQ")
        block, width = BLOCKS.get(kind, (1, 0))
        return offset, weights // block * width

    def skip(self, kind: int) -> None:
        """Pass over a value."""
        if kind == STRING:
            self.text()
        elif kind == ARRAY:
            inner, count = self.take("<IQ")
            if inner in WIDTHS:
                self.at += count * WIDTHS[inner]
            else:
                for _ in range(count):
                    self.skip(inner)
        else:
            self.at += WIDTHS.get(kind, len(self.data))

    def text(self) -> bytes:
        """A string behind its length."""
        (length,) = self.take("<Q")
        self.at += length
        return self.data[self.at - length : self.at]

    def take(self, form: str) -> tuple[Any, ...]:
        """Numbers in a ``struct`` format."""
        found = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return found
