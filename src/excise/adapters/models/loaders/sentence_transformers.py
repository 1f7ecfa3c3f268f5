"""Loads a sentence-transformers folder: texts in, embeddings out. Nothing is downloaded.

Self-contained with the file beside it: numpy, torch and sentence-transformers only, Python 3.8 syntax.

Options:
    threads: intra-op threads; 0 or absent leaves it to torch.
    column: where the text is, ``text`` unless said.
"""

import os
import runpy
import types

os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"  # read when the library is imported

import sentence_transformers
import torch

shared = types.SimpleNamespace(
    **runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "onestage.py"))
)


def load(target, options):
    """Read the folder."""
    if options.get("threads"):
        torch.set_num_threads(int(options["threads"]))
    return EncoderPredictor(
        sentence_transformers.SentenceTransformer(target, device="cpu", local_files_only=True), options
    )


class EncoderPredictor(shared.OneStage):
    """An encoder behind the predictor's interface; its tokenizer's settings are not for two threads."""

    thread_safe = False
    default_input = "records"

    def __init__(self, encoder, options):
        self.column = options.get("column") or "text"
        width = int(encoder.encode(["a"], show_progress_bar=False).shape[1])
        output = {"name": "embedding", "dtype": "float32", "shape": [None, width]}
        shared.OneStage.__init__(self, encoder, [{"name": self.column, "dtype": "str", "shape": [None]}], [output])

    def predict(self, batch):
        """Answer a list of dicts, a frame or a dict of arrays, of which one column is text."""
        return self.model.encode(shared.texts_of(batch, self.column), show_progress_bar=False)
