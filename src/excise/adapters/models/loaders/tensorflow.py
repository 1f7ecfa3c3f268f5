"""Loads TensorFlow models: SavedModel folders, ``.keras`` and ``.h5``.

Self-contained with the file beside it: numpy and tensorflow only, Python 3.8 syntax.

Options:
    threads: of an operator and between operators; 0 or absent leaves it to the library.
    signature: of a SavedModel, ``serving_default`` unless said.
    trusted: whether code inside a Keras model may run.
"""

import os
import runpy
import types

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when the library is imported

import numpy as np
import tensorflow

shared = types.SimpleNamespace(
    **runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "onestage.py"))
)

DEFAULT = "serving_default"


def load(target, options):
    """Read the folder or the file."""
    if options.get("threads"):
        tensorflow.config.threading.set_intra_op_parallelism_threads(int(options["threads"]))
        tensorflow.config.threading.set_inter_op_parallelism_threads(int(options["threads"]))
    if os.path.isdir(target):
        return GraphPredictor(tensorflow.saved_model.load(target), options.get("signature") or DEFAULT)
    trusted = bool(options.get("trusted"))
    return KerasPredictor(tensorflow.keras.models.load_model(target, compile=False, safe_mode=not trusted))


def spec_of(name, tensor):
    """Name, dtype and shape of an input or output; None on free axes."""
    dtype = tensorflow.as_dtype(tensor.dtype)
    shape = [] if tensor.shape is None else [None if n is None else int(n) for n in tensor.shape]
    return {"name": name, "dtype": "str" if dtype == tensorflow.string else dtype.name, "shape": shape}


class GraphPredictor(shared.NamedTensors):
    """A signature of a SavedModel behind the predictor's interface."""

    def __init__(self, loaded, wanted):
        signatures = dict(loaded.signatures)
        if wanted not in signatures:
            raise KeyError("no signature %s; there are: %s" % (wanted, ", ".join(sorted(signatures)) or "none"))
        self._loaded = loaded  # owns the variables
        call = signatures[wanted]
        inputs = [spec_of(name, tensor) for name, tensor in sorted(call.structured_input_signature[1].items())]
        outputs = [spec_of(name, tensor) for name, tensor in sorted(call.structured_outputs.items())]
        shared.NamedTensors.__init__(self, call, inputs, outputs)
        self._names = [spec["name"] for spec in outputs]

    def predict(self, batch):
        """Answer a dict of arrays, a frame, a 2-D array or a list of dicts; one output as an array, more as a dict."""
        found = self.model(**{name: tensorflow.constant(array) for name, array in self.fitting(batch).items()})
        arrays = {name: found[name].numpy() for name in self._names}
        return arrays[self._names[0]] if len(arrays) == 1 else arrays

    def close(self):
        """Drop the graph and its variables."""
        self.model = self._loaded = None


class KerasPredictor(shared.NamedTensors):
    """A Keras model behind the predictor's interface, called as its compiled graph; the library builds that on demand."""

    thread_safe = False

    def __init__(self, model):
        if not getattr(model, "inputs", None):
            raise TypeError("the model was saved before it knew its inputs: call it once, then save it")
        inputs = [spec_of(tensor.name, tensor) for tensor in model.inputs]
        outputs = [spec_of(tensor.name, tensor) for tensor in model.outputs]
        shared.NamedTensors.__init__(self, model, inputs, outputs)
        self._names = [spec["name"] for spec in outputs]

    def predict(self, batch):
        """Answer a dict of arrays, a frame, a 2-D array or a list of dicts; one output as an array, more as a dict."""
        feeds = self.fitting(batch)
        given = [feeds[name] for name, _, _ in self.inputs]
        found = self.model.predict_on_batch(given[0] if len(given) == 1 else given)
        if isinstance(found, dict):
            return {str(name): np.asarray(array) for name, array in found.items()}
        return dict(zip(self._names, map(np.asarray, found))) if isinstance(found, list) else np.asarray(found)
