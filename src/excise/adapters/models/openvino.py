"""OpenVINO's intermediate representation: ``.xml``, with its weights in the ``.bin`` beside it."""

from __future__ import annotations

import re
from pathlib import Path

from excise.adapters.models.files import ModelFiles
from excise.adapters.models.inspection import truncated, what_it_is
from excise.core.errors import ModelError

NET = re.compile(rb"\s*(<\?xml[^>]*>\s*)?<net\s")
LAST_TAG = b"</net>"
CONSTANT = re.compile(rb'<data\b[^>]*\boffset="(\d+)"[^>]*\bsize="(\d+)"')
"""Where a layer's weights are in the ``.bin``, in bytes."""


class OpenVINOModels(ModelFiles):
    """``.xml`` files with a ``.bin`` of the same name."""

    name = "openvino"
    suffixes = (".xml",)
    packages = ("openvino",)

    def check(self, path: Path, *, trusted: bool) -> None:
        """Hold the graph's first and last tag against truncation, and the weights against the offsets that it names."""
        del trusted  # a graph of operators and numbers
        graph = path.read_bytes()
        if not NET.match(graph):
            message = f"{path} is no OpenVINO model: its first tag is not <net> ({what_it_is(graph[:64])})"
            raise ModelError(message, hint="name a file that openvino.save_model() wrote")
        if not graph.rstrip().endswith(LAST_TAG):
            raise truncated(path, "a graph without its last tag")
        ends = [int(offset) + int(size) for offset, size in CONSTANT.findall(graph)]
        _demand_weights(path, max(ends, default=0))

    def files(self, path: Path) -> tuple[Path, ...]:
        """The graph and its weights."""
        return tuple(file for file in (path, path.with_suffix(".bin")) if file.exists())


def _demand_weights(path: Path, needed: int) -> None:
    weights = path.with_suffix(".bin")
    if needed and not weights.exists():
        message = f"{path} has no weights: there is no {weights.name} beside it"
        raise ModelError(message, hint="copy both files; openvino.save_model() writes them together")
    if needed and weights.stat().st_size < needed:
        raise truncated(weights, f"{path.name} names weights up to byte {needed}")
