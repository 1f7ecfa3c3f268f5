"""``.safetensors`` files, seen by their headers: weights by name, and no model around them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from excise.adapters.models.inspection import truncated, wrong_type

SUFFIX = ".safetensors"
LENGTH_BYTES = 8
"""The header's length, lowest byte first; then the header, in JSON; then the weights."""
METADATA = "__metadata__"


def whole_weights(file: Path) -> None:
    """Hold the header's length and the offsets that it states against the file's size.

    Raises:
        ModelError: truncated, or of another type.
    """
    size = file.stat().st_size
    with file.open("rb") as opened:
        head = opened.read(LENGTH_BYTES)
        length = int.from_bytes(head, "little")
        begin = opened.read(1)
        if begin and begin != b"{":
            raise wrong_type(file, head + begin)
        if LENGTH_BYTES + length > size:
            raise truncated(file, f"its first bytes state a header of {length} bytes")
        header = msgspec.json.decode(begin + opened.read(length - 1))
    end = max((tensor["data_offsets"][1] for name, tensor in header.items() if name != METADATA), default=0)
    if LENGTH_BYTES + length + end > size:
        raise truncated(file, f"its header states {end} bytes of weights")
