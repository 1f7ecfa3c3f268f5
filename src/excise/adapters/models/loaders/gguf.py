"""Loads a GGUF language model into llama.cpp: texts in, texts out, greedily and of bounded length.

Self-contained with the file beside it: numpy and xllamacpp only, Python 3.8 syntax. llama.cpp comes as its server, which
listens on 127.0.0.1 at a port of the system's choice; calls go past it.

Options:
    threads: 1 unless said.
    tokens: to generate, 32 unless said. context: room for prompt and answer together, 2048 tokens unless said.
    chat: whether a text is a message of a conversation; else the model writes on from it.
    column: where the text is, ``text`` unless said.
"""

import os
import runpy
import types

import xllamacpp

shared = types.SimpleNamespace(
    **runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "onestage.py"))
)

SILENT = -1


def load(target, options):
    """Read the file."""
    threads = int(options.get("threads") or 1)
    params = xllamacpp.CommonParams()
    params.model.path = target
    params.hostnames, params.port, params.offline, params.ui = ["127.0.0.1"], 0, True, False
    params.n_ctx, params.n_parallel = int(options.get("context") or 2048), 1
    params.n_gpu_layers, params.warmup, params.verbosity = 0, False, SILENT
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    return GenerationPredictor(xllamacpp.Server(params), options)


class GenerationPredictor(shared.OneStage):
    """A language model behind the predictor's interface; it answers one text after the other."""

    default_input = "records"

    def __init__(self, server, options):
        self.column = options.get("column") or "text"
        self._how = {"n_predict": int(options.get("tokens") or 32), "temperature": 0, "cache_prompt": False}
        self._write = self._reply if options.get("chat") else self._continue
        text = {"dtype": "str", "shape": [None]}
        shared.OneStage.__init__(self, server, [dict(text, name=self.column)], [dict(text, name="text")])

    def predict(self, batch):
        """Answer a list of dicts, a frame or a dict of arrays, of which one column is text."""
        return [self._write(text) for text in shared.texts_of(batch, self.column)]

    def _continue(self, text):
        return chosen(self.model.handle_completions(dict(self._how, prompt=text)))["text"]

    def _reply(self, text):
        messages = [{"role": "user", "content": text}]
        return chosen(self.model.handle_chat_completions(dict(self._how, messages=messages)))["message"]["content"]


def chosen(answer):
    """The one choice of an answer.

    Raises:
        ValueError: llama.cpp refused the text, for instance since it is longer than the context.
    """
    if "error" in answer:
        raise ValueError(answer["error"]["message"])
    return answer["choices"][0]
