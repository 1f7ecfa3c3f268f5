"""What a model is really asked: its calls are recorded while production's own code runs on a sample.

Self-contained with the files beside it: numpy only, Python 3.8 syntax.
"""

import importlib.util
import os
import sys

import numpy as np

METHODS = ("predict_proba", "predict", "decision_function", "predict_log_proba", "transform", "run", "__call__")
BOOSTERS = (("xgboost", "Booster"), ("lightgbm", "Booster"), ("catboost", "CatBoost"))
"""Library and type."""
KEPT = {}
"""The last capture of this process: several transforms of one model ask the same."""


def reject(reason):
    """Give up this variant."""
    key = "_excise_script_rejection"
    if key not in sys.modules:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rejection.py")
        spec = importlib.util.spec_from_file_location(key, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[key] = module
    sys.modules[key].reject(reason)


class Calls(object):
    """The model, what kind it is, and every call: ``(method, args, kwargs, output)``.

    Attributes:
        kind: ``estimator``, ``booster``, ``module`` or ``session``.
        names: columns that the estimator's predictor orders a batch by; None inside a handler.
        program: the exported program behind a module, None without.
    """

    def __init__(self, model, records, names=None, program=None):
        self.model = model
        self.kind = kind_of(model)
        self.type_name = type(model).__name__
        self.records = records
        self.names = names
        self.program = program
        self.methods = sorted({method for method, _, _, _ in records})

    def of(self, method):
        """Inputs and outputs of one method's calls: ``[(args, kwargs, output)]``."""
        return [(args, kwargs, output) for name, args, kwargs, output in self.records if name == method]


def kind_of(model):
    """What the model is, judged by the libraries that are already imported."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(model, torch.nn.Module):
        return "module"
    runtime = sys.modules.get("onnxruntime")
    if runtime is not None and isinstance(model, runtime.InferenceSession):
        return "session"
    if (type(model).__module__.partition(".")[0], type(model).__name__) in BOOSTERS:
        return "booster"
    if callable(getattr(model, "fit", None)) and callable(getattr(model, "predict", None)):
        return "estimator"
    reject("%s is none of: scikit-learn estimator, booster, torch module, ONNX Runtime session" % type(model).__name__)


def capture(predictor, batches):
    """Record the model's calls while the predictor answers the batches."""
    if getattr(predictor, "model", None) is None:
        reject("the handler has no attribute 'model'; name a lean model with --lean")
    if not batches:
        reject("there are no sample rows to export with")
    if getattr(predictor, "handler", None) is not None:
        return from_handler(predictor, batches)
    model = predictor.model
    kind = kind_of(model)
    if kind == "estimator":
        return from_estimator(predictor, batches)
    if kind == "booster":
        return from_booster(predictor, batches)
    records = []
    for batch in batches:
        if kind == "session":
            feeds = predictor.feeds(batch)
            records.append(("run", (predictor.outputs, feeds), {}, model.run(predictor.outputs, feeds)))
        else:
            records.append(("__call__", tuple(predictor.tensors(batch)), {}, raw_answer(predictor, batch)))
    return Calls(model, records, program=getattr(predictor, "program", None))


def raw_answer(predictor, batch):
    """What the module itself returns, before it is turned into arrays."""
    import torch

    with torch.no_grad():
        return predictor.model(*predictor.tensors(batch))


def from_estimator(predictor, batches):
    """Calls of a bare estimator: the frame or array that the predictor hands to it."""
    records = []
    original = predictor._answer

    def answer(X):
        output = original(X)
        records.append((predictor.method, (X,), {}, output))
        return output

    predictor._answer = answer
    try:
        for batch in batches:
            predictor.predict(batch)
    finally:
        predictor._answer = original
    return Calls(predictor.model, records, names=predictor.names)


def from_booster(predictor, batches):
    """Calls of a booster: the matrix in its own order of columns, which are known by the names that were given."""
    first = batches[0]
    given = list(first.columns) if hasattr(first, "iloc") else list(first[0] if type(first) is list else first)
    rows = predictor.frame if predictor.text else predictor.matrix
    records = [("predict", (rows(batch),), {}, predictor.predict(batch)) for batch in batches]
    return Calls(predictor.model, records, names=predictor.chosen(given) if predictor.names and given != [""] else None)


def from_handler(predictor, batches):
    """Calls of a handler's inner model, seen through a stand-in."""
    handler, records = predictor.handler, []
    original = handler.model
    handler.model = Recorder(original, records)
    try:
        for batch in batches:
            predictor.predict(batch)
    finally:
        handler.model = original
    if not records:
        reject("the handler answered without calling its attribute 'model'")
    return Calls(original, records)


class Recorder(object):
    """A stand-in that writes down every call and passes everything else on."""

    def __init__(self, model, records):
        self._recorded_model = model
        self._records = records

    def __getattr__(self, name):
        found = getattr(self._recorded_model, name)
        return self._watched(name, found) if name in METHODS else found

    def __call__(self, *args, **kwargs):
        return self._watched("__call__", self._recorded_model)(*args, **kwargs)

    def __getitem__(self, key):
        return self._recorded_model[key]

    def _watched(self, name, function):
        def watched(*args, **kwargs):
            output = function(*args, **kwargs)
            self._records.append((name, args, kwargs, output))
            return output

        return watched


def stack(parts):
    """Frames or arrays of several calls as one."""
    if hasattr(parts[0], "iloc"):
        import pandas

        return pandas.concat(parts, ignore_index=True)
    return np.concatenate([np.asarray(part) for part in parts])
