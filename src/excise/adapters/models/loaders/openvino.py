"""Loads an OpenVINO model: ``.xml`` with its ``.bin``, on the CPU.

Self-contained with the file beside it: numpy and openvino only, Python 3.8 syntax.

Options:
    threads: of an inference; 0 or absent leaves it to the runtime.
    precision: ``f32``, ``bf16`` or ``f16``; absent leaves it to the runtime, which rounds where the CPU is faster so.
"""

import os
import runpy
import threading
import types

import numpy as np
import openvino

shared = types.SimpleNamespace(
    **runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "onestage.py"))
)


def load(target, options):
    """Read the graph and compile it for low latency."""
    settings = {"PERFORMANCE_HINT": "LATENCY"}
    if options.get("threads"):
        settings["INFERENCE_NUM_THREADS"] = int(options["threads"])
    if options.get("precision"):
        settings["INFERENCE_PRECISION_HINT"] = options["precision"]
    return CompiledPredictor(openvino.Core().compile_model(target, "CPU", settings))


def spec_of(port, default):
    """Name, dtype and shape of an input or output; None on free axes."""
    names = sorted(port.get_names())
    shape = [None if axis.is_dynamic else axis.get_length() for axis in port.get_partial_shape()]
    return {
        "name": names[0] if names else default,
        "dtype": np.dtype(port.get_element_type().to_dtype()).name,
        "shape": shape,
    }


class CompiledPredictor(shared.NamedTensors):
    """A compiled model behind the predictor's interface; each thread has a request of its own."""

    def __init__(self, compiled):
        inputs = [spec_of(port, "input_%d" % index) for index, port in enumerate(compiled.inputs)]
        outputs = [spec_of(port, str(index)) for index, port in enumerate(compiled.outputs)]
        shared.NamedTensors.__init__(self, compiled, inputs, outputs)
        self._names = [spec["name"] for spec in outputs]
        self._own = threading.local()

    def predict(self, batch):
        """Answer a dict of arrays, a frame, a 2-D array or a list of dicts; one output as an array, more as a dict."""
        feeds = self.feeds(batch)
        given = {index: feeds[name] for index, (name, _, _) in enumerate(self.inputs)}
        found = list(self.request().infer(given, share_inputs=True).values())
        return found[0] if len(found) == 1 else dict(zip(self._names, found))

    def request(self):
        """This thread's request."""
        if not hasattr(self._own, "request"):
            self._own.request = self.model.create_infer_request()
        return self._own.request
