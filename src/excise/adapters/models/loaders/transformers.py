"""Loads a transformers folder: texts in, logits or mean-pooled embeddings out. Nothing is downloaded.

Self-contained with the file beside it: numpy, torch and transformers only, Python 3.8 syntax.

Options:
    threads: intra-op threads; 0 or absent leaves it to torch.
    column: where the text is, ``text`` unless said.
"""

import os
import runpy
import types

os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"  # read when the library is imported

import torch
import transformers

shared = types.SimpleNamespace(
    **runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "onestage.py"))
)


def load(target, options):
    """Read the folder."""
    if options.get("threads"):
        torch.set_num_threads(int(options["threads"]))
    config = transformers.AutoConfig.from_pretrained(target, local_files_only=True)
    named = (config.architectures or ["AutoModel"])[0]
    model = getattr(transformers, named).from_pretrained(target, local_files_only=True)
    return TextPredictor(
        model.eval(), transformers.AutoTokenizer.from_pretrained(target, local_files_only=True), options
    )


class TextPredictor(shared.OneStage):
    """A tokenizer and a model behind the predictor's interface; the tokenizer's settings are not for two threads."""

    thread_safe = False
    stages = ["preprocess", "predict", "postprocess"]
    default_input = "records"

    def __init__(self, model, tokenizer, options):
        self.column = options.get("column") or "text"
        self.tokenizer = tokenizer
        classes = model.config.num_labels if hasattr(model, "classifier") or hasattr(model, "score") else None
        output = {"name": "logits", "dtype": "float32", "shape": [None, classes]} if classes else {
            "name": "embedding", "dtype": "float32", "shape": [None, model.config.hidden_size]
        }  # fmt: skip
        shared.OneStage.__init__(self, model, [{"name": self.column, "dtype": "str", "shape": [None]}], [output])

    def predict(self, batch):
        """Answer a list of dicts, a frame or a dict of arrays, of which one column is text."""
        return self.staged(batch, shared.ignore)

    def staged(self, batch, clock):
        """Texts to tokens, tokens through the model, one row for each text."""
        texts = shared.texts_of(batch, self.column)
        tokens = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        clock("preprocess")
        with torch.inference_mode():
            output = self.model(**tokens)
            clock("predict")
            logits = getattr(output, "logits", None)
            answer = pooled(output.last_hidden_state, tokens["attention_mask"]) if logits is None else logits
        answer = answer.float().numpy()
        clock("postprocess")
        return answer


def pooled(states, mask):
    """The mean over a text's own tokens."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1)
