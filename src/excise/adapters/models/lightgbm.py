"""LightGBM boosters, as ``save_model`` writes them: text."""

from __future__ import annotations

import re
from pathlib import Path

from excise.adapters.models.files import ModelFiles
from excise.adapters.models.inspection import head_of, truncated, wrong_type
from excise.core.errors import ModelError
from excise.core.predictor import InputKind

FIRST_LINE = (b"tree\n", b"tree\r\n")
FORMAT = re.compile(rb"^version=v(\d+)\r?$", re.MULTILINE)
KNOWN_FORMAT = 4
"""What LightGBM 4 writes. It reads a later one as if it were its own."""
SIZES = re.compile(rb"^tree_sizes=([\d ]+)\r?$", re.MULTILINE)
FIRST_TREE, AFTER_TREES, AFTER_ALL = b"Tree=0", b"end of trees", b"end of parameters"
UNNAMED = b"\nfeature_names=Column_0 "


class LightGBMModels(ModelFiles):
    """Text models under ``.lgb``, and under ``.txt`` and ``.model`` where the first line says so."""

    name = "lightgbm"
    suffixes = (".lgb",)
    shared = (".txt", ".model")
    starts = FIRST_LINE
    packages = ("lightgbm",)

    def check(self, path: Path, *, trusted: bool) -> None:
        """Measure the trees against the sizes that the header states: the library crashes on a text that was cut."""
        del trusted  # a booster is numbers
        if not head_of(path).startswith(FIRST_LINE):
            raise wrong_type(path, head_of(path))
        text = path.read_bytes()
        _demand_format(path, text)
        sizes = SIZES.search(text)
        start, end = text.find(FIRST_TREE), text.find(AFTER_TREES)
        if sizes is None or min(start, end) < 0 or sum(map(int, sizes[1].split())) != end - start:
            raise truncated(path, "its trees are not as long as its header says")
        if AFTER_ALL not in text[end:] or not text.endswith(b"\n"):
            raise truncated(path, "a booster without the end of its parameters")

    def form(self, path: Path) -> InputKind:
        """A frame where the columns have names, since the file spells them with underscores for blanks."""
        with path.open("rb") as opened:
            return InputKind.TENSORS if UNNAMED in opened.read(1 << 16) else InputKind.FRAME


def _demand_format(path: Path, text: bytes) -> None:
    found = FORMAT.search(text)
    if found and int(found[1]) > KNOWN_FORMAT:
        message = f"{path} was saved in format v{found[1].decode()}, newer than v{KNOWN_FORMAT} of LightGBM 4"
        raise ModelError(message, hint="save it with the LightGBM that production runs, of version 4 or before")
