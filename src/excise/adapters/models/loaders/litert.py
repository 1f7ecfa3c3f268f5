"""Loads a TensorFlow Lite model into LiteRT: ``.tflite``.

Self-contained with the file beside it: numpy and ai-edge-litert only, Python 3.8 syntax.

Options:
    threads: of an inference; 0 or absent leaves it to the library.
"""

import os
import runpy
import types

import numpy as np
from ai_edge_litert.interpreter import Interpreter

shared = types.SimpleNamespace(
    **runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "onestage.py"))
)


def load(target, options):
    """Read the file."""
    return InterpreterPredictor(
        Interpreter(target, num_threads=int(options["threads"]) if options.get("threads") else None)
    )


def spec_of(detail):
    """Name, dtype and shape of a tensor; rows are free, and quantized numbers are given and answered as floats."""
    shape = [int(n) if n > 0 else None for n in detail["shape_signature"]]
    dtype = "float32" if quantized(detail) else np.dtype(detail["dtype"]).name
    return {"name": detail["name"], "dtype": dtype, "shape": [None] + shape[1:] if shape else shape}


def quantized(detail):
    """Whether a tensor holds integers that stand for floats."""
    return bool(detail["quantization"][0]) and np.dtype(detail["dtype"]).kind in "iu"


class InterpreterPredictor(shared.NamedTensors):
    """An interpreter behind the predictor's interface; it holds one call's tensors, so threads take turns."""

    thread_safe = False

    def __init__(self, interpreter):
        self._in, self._out = interpreter.get_input_details(), interpreter.get_output_details()
        self._free = all(len(d["shape_signature"]) and d["shape_signature"][0] < 0 for d in self._in)
        self._rows = None
        inputs, outputs = [spec_of(d) for d in self._in], [spec_of(d) for d in self._out]
        shared.NamedTensors.__init__(self, interpreter, inputs, outputs)
        self._names = [spec["name"] for spec in outputs]

    def predict(self, batch):
        """Answer a dict of arrays, a frame, a 2-D array or a list of dicts; one output as an array, more as a dict."""
        feeds = self.fitting(batch)
        given = [feeds[name] for name, _, _ in self.inputs]
        found = self.run(given) if self._free else self.one_by_one(given)
        return found[0] if len(found) == 1 else dict(zip(self._names, found))

    def one_by_one(self, given):
        """A graph of a fixed number of rows is called as often as it takes."""
        step = int(self._in[0]["shape"][0])
        parts = [self.run([array[at : at + step] for array in given]) for at in range(0, len(given[0]), step)]
        return [np.concatenate(part) for part in zip(*parts)]

    def run(self, given):
        """One invocation; tensors are laid out anew when the number of rows changes."""
        rows = len(given[0])
        if rows != self._rows:
            for detail, array in zip(self._in, given):
                if self._free:
                    self.model.resize_tensor_input(detail["index"], array.shape)
            self.model.allocate_tensors()
            self._rows = rows
        for detail, array in zip(self._in, given):
            self.model.set_tensor(detail["index"], encoded(array, detail))
        self.model.invoke()
        return [decoded(self.model.get_tensor(detail["index"]), detail) for detail in self._out]


def encoded(array, detail):
    """Floats as the integers that stand for them."""
    if not quantized(detail):
        return array
    scale, zero = detail["quantization"]
    limits = np.iinfo(detail["dtype"])
    return np.clip(np.rint(array / scale) + zero, limits.min, limits.max).astype(detail["dtype"])


def decoded(array, detail):
    """And back."""
    if not quantized(detail):
        return array
    scale, zero = detail["quantization"]
    return (array.astype(np.float32) - np.float32(zero)) * np.float32(scale)
