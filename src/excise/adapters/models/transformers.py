"""Folders of the transformers library: a configuration, a tokenizer and weights; texts in, one answer a text out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from excise.adapters.models.files import ModelFiles
from excise.adapters.models.inspection import demand_trust
from excise.adapters.models.weights import SUFFIX, whole_weights
from excise.core.errors import ModelError
from excise.core.predictor import InputKind

CONFIG, MODULES, TOKENIZERS = "config.json", "modules.json", ("tokenizer.json", "tokenizer_config.json", "vocab.txt")
PICKLED = "pytorch_model*.bin"
ANSWERING = re.compile(r"\w*(?<!LMHead)(?<!DoubleHeads)Model|\w*ForSequenceClassification")
"""Architectures that answer once a text; the others answer token by token."""


class TransformersModels(ModelFiles):
    """Folders with a ``config.json``, as ``save_pretrained`` writes them."""

    name = "transformers"
    members = (CONFIG,)
    packages = ("torch", "transformers")

    def knows(self, path: Path) -> bool:
        """Whether it is such a folder, and no sentence encoder around one."""
        return super().knows(path) and not (path / MODULES).is_file()

    def check(self, path: Path, *, trusted: bool) -> None:
        """Look for a model that answers once a text, its tokenizer, and weights that are whole."""
        demand_weights(path, trusted=trusted)
        named = read_json(path / CONFIG).get("architectures") or ["Model"]
        if not ANSWERING.fullmatch(named[0]):
            message = f"{path} is a {named[0]}, which answers token by token"
            raise ModelError(message, hint="write a handler that makes one answer a text of it: file.py:handler")
        if not any((path / name).is_file() for name in TOKENIZERS):
            raise ModelError(f"{path} has no tokenizer", hint="save it beside the model: tokenizer.save_pretrained()")

    def form(self, path: Path) -> InputKind:
        """Records with a text each."""
        del path
        return InputKind.RECORDS


def demand_weights(folder: Path, *, trusted: bool) -> None:
    """Refuse a folder without weights, with truncated ones, or with nothing but pickles that nobody vouched for.

    Raises:
        ModelError, UntrustedPickle: as said.
    """
    safe, pickled = sorted(folder.rglob(f"*{SUFFIX}")), sorted(folder.rglob(PICKLED))
    for index in folder.glob("*.index.json"):
        missing = {folder / name for name in read_json(index)["weight_map"].values()} - {*safe, *pickled}
        if missing:
            raise ModelError(f"{folder} lacks {min(missing).name}, which {index.name} names", hint="copy all its files")
    for file in safe:
        whole_weights(file)
    if not safe and not pickled:
        message = f"{folder} has a {CONFIG} and no weights ({SUFFIX} or {PICKLED})"
        raise ModelError(message, hint="copy all its files; a model in ONNX is named by its .onnx file")
    if not safe:
        demand_trust(pickled[0], trusted=trusted, without=SUFFIX)


def read_json(file: Path) -> Any:
    """The content of a small file.

    Raises:
        ModelError: it is no JSON.
    """
    try:
        return msgspec.json.decode(file.read_bytes())
    except msgspec.DecodeError as error:
        raise ModelError(f"{file} is no JSON: {error}", hint="copy or download it again") from None
