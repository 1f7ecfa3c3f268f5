"""Loads an ONNX file that takes the place of an estimator, a torch module or a session inside a handler.

Self-contained: numpy and onnxruntime only (torch where the original was a module), Python 3.8 syntax.

It answers what the original answered, method by method, at the least overhead per call: names are looked up once, an
array of the right dtype is passed as it is. What it does not know (``feature_names_in_``, ``n_features_in_``, a
``named_steps``) it asks the original for.

Options:
    threads, level, spinning, light: as the onnx loader's.
    methods: method name -> output name, for an estimator (``{"predict_proba": "probabilities", "predict": "label"}``).
    columns: names of the columns that each have an input of their own; None for one 2-D input.
    inputs: names of the arguments, for a module. structure: ``tensor``, ``list``, or the keys of a mapping.
    answer: the method that ``predict`` of the loaded predictor calls; the first of ``methods`` unless said.
"""

import importlib.util
import os
import runpy
import sys
import types

import numpy as np

shared = types.SimpleNamespace(
    **runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "onestage.py"))
)


def load(target, options):
    """Open the file as what it stands in for."""
    onnx = sibling("onnx")
    session = onnx.open_session(target, options)
    if options.get("methods"):
        return EstimatorPredictor(Estimator(session, options), session, options)
    if options.get("structure") is not None:
        return ModulePredictor(Module(session, options), session, options)
    return onnx.load(target, options)


def sibling(kind):
    """The file beside this one, by path."""
    name = "_excise_loader_" + kind
    if name not in sys.modules:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), kind + ".py")
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[name] = module
    return sys.modules[name]


class StandIn(object):
    """What is not known here is asked of the original."""

    _original = None

    def stand_in_for(self, original):
        """Take the place of ``original``."""
        self._original = original
        return self

    def __getattr__(self, name):
        if name.startswith("__") or self.__dict__.get("_original") is None:
            raise AttributeError("%s has no %s" % (type(self).__name__, name))
        return getattr(self._original, name)


class Estimator(StandIn):
    """An estimator's methods over a session."""

    def __init__(self, session, options):
        self._run = session.run
        self._options = options
        self._columns = options.get("columns")
        onnx = sibling("onnx")
        self._inputs = [(i.name, onnx.DTYPES[i.type], len(i.shape)) for i in session.get_inputs()]
        self._name, self._dtype, _ = self._inputs[0]
        self._width = session.get_inputs()[0].shape[1] if not self._columns else None
        for method, output in options["methods"].items():
            setattr(self, method, self._method(output))

    def _method(self, output):
        run, name, dtype, wanted = self._run, self._name, self._dtype, [output]
        flat = bool(self._options.get("flat"))
        if self._columns:
            return lambda X: leveled(run(wanted, self._frame_feeds(X))[0], flat)
        width = self._width

        def answer(X):
            if type(X) is not np.ndarray:
                X = X.to_numpy() if hasattr(X, "to_numpy") else np.asarray(X)
            if X.ndim != 2:
                raise ValueError("Expected 2D array, got %dD array instead" % X.ndim)
            if X.shape[1] != width and isinstance(width, int):
                raise ValueError("X has %d features, but %d are expected" % (X.shape[1], width))
            feed = X if X.dtype == dtype and X.flags.c_contiguous else np.ascontiguousarray(X, dtype)
            output = run(wanted, {name: feed})[0]
            return output.reshape(-1) if flat else output

        return answer

    def _frame_feeds(self, frame):
        feeds = {}
        for column, (name, dtype, rank) in zip(self._columns, self._inputs):
            feeds[name] = shared.shaped(np.asarray(frame[column]), dtype, rank, column)
        return feeds


def leveled(output, flat):
    """A regressor's column as the vector that it was."""
    return output.reshape(-1) if flat else output


class EstimatorPredictor(shared.Tabular):
    """The stand-in estimator behind the predictor's interface."""

    def __init__(self, estimator, session, options):
        onnx = sibling("onnx")
        answer = options.get("answer") or next(iter(options["methods"]))
        wanted = options["methods"][answer]
        names = options.get("feature_names") or options.get("columns")
        outputs = [onnx.spec_of(o) for o in session.get_outputs() if o.name == wanted]
        shared.Tabular.__init__(self, estimator, names, None, None, outputs)
        self.signature["inputs"] = [onnx.spec_of(i) for i in session.get_inputs()]
        self.default_input = "frame" if self.names else "tensors"
        self._answer = getattr(estimator, answer)
        self._by_column = bool(options.get("columns"))

    def predict(self, batch):
        """Answer a frame, a list of dicts, a 2-D array, or a dict of arrays."""
        if self._by_column:
            batch = self.columns(batch)
        elif type(batch) is dict or type(batch) is list:
            batch = self.matrix(batch)
        elif self.names and hasattr(batch, "iloc") and list(batch.columns) != self.names:
            batch = batch[self.chosen(batch.columns)]
        return self._answer(batch)

    def close(self):
        """Drop the session, which its methods hold."""
        self.model = self._answer = None


class Answer(dict):
    """A mapping whose values are also attributes and, in order, items: as transformers' model outputs are."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name)

    def __getitem__(self, key):
        return tuple(self.values())[key] if isinstance(key, (int, slice)) else dict.__getitem__(self, key)

    def to_tuple(self):
        """The values in order."""
        return tuple(self.values())


class Module(StandIn):
    """A torch module's call over a session: tensors in, tensors out."""

    def __init__(self, session, options):
        import torch

        self._run = session.run
        self._from_numpy = torch.from_numpy
        onnx = sibling("onnx")
        self._inputs = [(i.name, onnx.DTYPES[i.type]) for i in session.get_inputs()]
        self._known = set(name for name, _ in self._inputs)
        self._names = list(options.get("inputs") or [name for name, _ in self._inputs])
        self._outputs = [o.name for o in session.get_outputs()]
        self._structure = options["structure"]

    def __call__(self, *args, **kwargs):
        given = dict(zip(self._names, args))
        given.update(kwargs)
        feeds = {name: self._array(given[name], dtype) for name, dtype in self._inputs}
        values = [self._from_numpy(value) for value in self._run(self._outputs, feeds)]
        if self._structure == "tensor":
            return values[0]
        return tuple(values) if self._structure == "list" else Answer(zip(self._structure, values))

    forward = __call__

    def _array(self, value, dtype):
        array = value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
        return np.ascontiguousarray(array, dtype)

    def eval(self):
        """It is in evaluation mode."""
        return self

    def to(self, *args, **kwargs):
        """It stays where it is."""
        return self


class ModulePredictor(shared.OneStage):
    """The stand-in module behind the predictor's interface."""

    def __init__(self, module, session, options):
        self._session = sibling("onnx").SessionPredictor(lambda **extra: session, {})
        shared.OneStage.__init__(self, module, self._session.signature["inputs"], self._session.signature["outputs"])
        self._structure = options["structure"]

    def predict(self, batch):
        """Answer a dict of arrays, or an array where there is one input; structured as the module answered."""
        output = self._session.predict(batch)
        values = list(output.values()) if isinstance(output, dict) else [output]
        if self._structure == "tensor":
            return values[0]
        return values if self._structure == "list" else dict(zip(self._structure, values))

    def close(self):
        """Drop the session."""
        self._session.close()
