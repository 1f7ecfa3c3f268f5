"""Folders of the sentence-transformers library: texts in, embeddings out."""

from __future__ import annotations

from pathlib import Path

from excise.adapters.models.files import ModelFiles
from excise.adapters.models.transformers import MODULES, demand_weights, read_json
from excise.core.errors import UntrustedPickle
from excise.core.predictor import InputKind

OWN = "sentence_transformers."


class SentenceTransformersModels(ModelFiles):
    """Folders with a ``modules.json``, as ``SentenceTransformer.save`` writes them."""

    name = "sentence_transformers"
    extra = "transformers"
    members = (MODULES,)
    packages = ("sentence_transformers", "torch")

    def check(self, path: Path, *, trusted: bool) -> None:
        """Look for weights that are whole, and for modules whose code lies in the folder."""
        demand_weights(path, trusted=trusted)
        foreign = [module["type"] for module in read_json(path / MODULES) if not module["type"].startswith(OWN)]
        if foreign and not trusted:
            message = f"{path} brings code of its own: loading it runs {foreign[0]}"
            raise UntrustedPickle(message, hint="if you know who made it, add --trust-pickle")

    def form(self, path: Path) -> InputKind:
        """Records with a text each."""
        del path
        return InputKind.RECORDS
