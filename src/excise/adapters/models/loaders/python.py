"""Loads a Python handler: ``file.py:attribute`` or ``module:attribute``.

Self-contained: stdlib only, Python 3.8 syntax, imports nothing of excise.

The attribute is a function, or an object with any of ``preprocess(x)``, ``predict(x)``, ``postprocess(y)``, which are
chained in this order; a class is instantiated without arguments. When such an object is also callable, calling it is
what production runs; what it does beyond the chain is its shadow pipeline. A bare estimator, torch module or
ONNX Runtime session is handed to the loader file of its own kind.

Options:
    project: folder that is put on ``sys.path`` beside the file's own.
    replace_model: ``{"loader", "target", "options"}`` of what takes the place of ``handler.model``.
    input: ``records`` (default), ``frame`` or ``tensors``; what the handler is usually called with.
"""

import importlib
import importlib.util
import os
import sys
import zlib

STAGES = ("preprocess", "predict", "postprocess")
CALLS = ("predict_proba", "predict", "decision_function", "predict_log_proba", "transform", "run", "__call__")
"""Methods of an inner model that a replacement must offer when the original does."""


def load(target, options):
    """Import the handler, put its replacement model in where one is asked for, and wrap it."""
    handler = resolve(target, options)
    kind = bare_model_kind(handler)
    replacement = options.get("replace_model")
    if kind is not None:
        return load_file(replacement) if replacement else sibling(kind).wrap(handler, options)
    if replacement:
        replace_model(handler, replacement)
    return HandlerPredictor(handler, options)


def resolve(target, options):
    """The object that ``file.py:attribute`` or ``module:attribute`` names; a class is instantiated."""
    place, _, attribute = target.rpartition(":")
    if options.get("project"):
        put_on_path(options["project"])
    module = import_file(place) if place.endswith(".py") else import_module(place)
    found = module
    for name in attribute.split("."):
        if not hasattr(found, name):
            offered = ", ".join(n for n in sorted(vars(module)) if not n.startswith("_"))
            raise AttributeError("%s has no attribute %r; it has: %s" % (place, attribute, offered))
        found = getattr(found, name)
    return found() if isinstance(found, type) else found


def put_on_path(folder):
    """Make the modules of a folder importable, before all others."""
    folder = os.path.abspath(folder)
    if folder not in sys.path:
        sys.path.insert(0, folder)


def import_module(name):
    """Import a module the way production does: the working directory is on the path."""
    put_on_path(os.getcwd())
    return importlib.import_module(name)


def import_file(path):
    """Import a file under its own name, so that pickles that name its classes can be read.

    A name that another module holds already is not taken from it.
    """
    path = os.path.abspath(path)
    put_on_path(os.path.dirname(path))
    name = os.path.splitext(os.path.basename(path))[0]
    held = sys.modules.get(name)
    if held is not None:
        if os.path.abspath(getattr(held, "__file__", None) or "") == path:
            return held
        name = "_handler_%s_%x" % (name, zlib.crc32(path.encode("utf-8")))
    return import_path(name, path)


def import_path(name, path):
    """Execute a file as the module ``name``; a module that fails half-way is not kept."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def sibling(kind):
    """The loader file beside this one; by path, since its name is also a library's."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), kind + ".py")
    name = "_excise_loader_" + kind
    return sys.modules.get(name) or import_path(name, path)


def load_file(spec):
    """Load what another loader file describes."""
    path = os.path.abspath(spec["loader"])
    name = "_excise_loader_" + os.path.splitext(os.path.basename(path))[0]
    held = sys.modules.get(name)
    loader = held if held is not None and held.__file__ == path else import_path(name, path)
    return loader.load(spec["target"], dict(spec.get("options") or {}))


def bare_model_kind(thing):
    """``torch``, ``sklearn`` or ``onnx`` for a model that is no handler; looks only at libraries already imported."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(thing, torch.nn.Module) and not hasattr(thing, "predict"):
        return "torch"
    runtime = sys.modules.get("onnxruntime")
    if runtime is not None and isinstance(thing, runtime.InferenceSession):
        return "onnx"
    estimator = all(
        hasattr(type(thing), name) for name in ("fit", "predict", "get_params")
    )  # a proxy may answer for all
    return "sklearn" if estimator and "sklearn" in sys.modules else None


def replace_model(handler, spec):
    """Set ``handler.model`` to a model of the same interface."""
    if not hasattr(handler, "model"):
        raise TypeError("the handler has no attribute 'model' that could be replaced")
    original = handler.model
    predictor = load_file(spec)
    replacement = getattr(predictor, "model", None)
    if replacement is None:
        replacement = predictor
    if hasattr(replacement, "stand_in_for"):
        replacement = replacement.stand_in_for(original)
    lacking = [name for name in CALLS if offers(original, name) and not offers(replacement, name)]
    if lacking and not any(
        offers(original, n) and offers(replacement, n) for n in ("predict_proba", "run", "__call__")
    ):
        raise TypeError("the replacement lacks %s of handler.model" % ", ".join(lacking))
    try:
        handler.model = replacement
    except AttributeError as error:
        raise TypeError("handler.model cannot be set: %s" % error)


def offers(thing, name):
    """Whether a method can be called on an object."""
    return callable(getattr(thing, name, None))


class HandlerPredictor(object):
    """A handler behind the predictor's interface."""

    default_input = "records"

    def __init__(self, handler, options):
        self.handler = handler
        self.stages = [name for name in STAGES if offers(handler, name)]
        self.shadow = bool(self.stages) and callable(handler)
        if not self.stages and not callable(handler):
            raise TypeError(
                "%s is not callable and has none of preprocess, predict, postprocess" % type(handler).__name__
            )
        self.model = getattr(handler, "model", None)
        self.required = required_of(handler)
        self.thread_safe = bool(getattr(handler, "thread_safe", False))
        self.signature = dict(getattr(handler, "signature", None) or {"inputs": [], "outputs": [], "batch_axis": 0})
        self.default_input = options.get("input") or getattr(handler, "input", None) or "records"
        self._chain = [(name, getattr(handler, name)) for name in self.stages]
        self.predict = handler if callable(handler) else self._run_chain
        self._kept = None

    def _run_chain(self, batch):
        for _, stage in self._chain:
            batch = stage(batch)
        return batch

    def staged(self, batch, clock):
        """The declared chain and what is ``required``, and nothing else; ``clock(name)`` after each stage."""
        if not self._chain:
            output = self.predict(batch)
            clock("predict")
            return output
        if self.required and self.shadow:
            return self._staged_with_required(batch, clock)
        for name, stage in self._chain:
            batch = stage(batch)
            clock(name)
        return batch

    def _staged_with_required(self, batch, clock):
        if self._kept is None:
            self._kept = sibling("required").learn(self.handler, self.stages, self.required, batch)
        values = {"input": batch}
        for name, stage in self._chain:
            batch = stage(batch)
            values[name] = batch
            clock(name)
        for kept in self._kept:
            kept(values)
            clock(kept.name)
        return batch

    def close(self):
        """Let the handler free what it holds."""
        if offers(self.handler, "close"):
            self.handler.close()


def required_of(handler):
    """Functions outside the stages that must stay: name -> reason."""
    declared = getattr(handler, "required", None) or {}
    if callable(declared):
        return {}
    if isinstance(declared, str):
        declared = [declared]
    return dict(declared) if isinstance(declared, dict) else {name: "marked required" for name in declared}
