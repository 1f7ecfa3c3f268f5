"""Loads a scikit-learn estimator or pipeline: ``.skops``, ``.joblib``, ``.pkl``.

Self-contained with the file beside it: numpy, scikit-learn and (for ``.skops``) skops, pandas only where a frame is needed; Python 3.8 syntax.

Options:
    method: ``predict_proba`` or ``predict`` (default: ``predict_proba`` where the estimator has it).
    trusted: names of types that a ``.skops`` file may hold beside those that skops and we know, or ``"*"`` for all.
"""

import os
import runpy
import types

import numpy as np

shared = types.SimpleNamespace(
    **runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "onestage.py"))
)

PICKLES = (".joblib", ".pkl", ".pickle")
KNOWN = (
    "sklearn.tree._tree.",
    "sklearn._loss.",
    "sklearn.ensemble._hist_gradient_boosting.",
    "sklearn.neighbors._",
    "sklearn.metrics._dist_metrics.",
)
"""Compiled parts of scikit-learn's own estimators: their state is arrays and numbers, no code; skops lists them as unknown."""


def load(target, options):
    """Read the file and wrap what is in it."""
    return wrap(read(target, options), options)


def wrap(estimator, options):
    """A predictor around an estimator that is there already."""
    return EstimatorPredictor(estimator, options)


def read(path, options):
    """The object in a file.

    Raises:
        TypeError: a ``.skops`` file holds types that nobody trusted.
        ValueError: the suffix is none of ours.
    """
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".skops":
        return read_skops(path, options.get("trusted") or [])
    if suffix in PICKLES:
        import joblib

        return joblib.load(path)
    raise ValueError("%s is none of .skops, %s" % (path, ", ".join(PICKLES)))


def read_skops(path, trusted):
    """The object in a ``.skops`` file, unless it holds types that were not trusted."""
    import skops.io

    unknown = sorted(skops.io.get_untrusted_types(file=path))
    refused = [name for name in unknown if trusted != "*" and name not in trusted and not name.startswith(KNOWN)]
    if refused:
        raise TypeError("%s holds types that are not trusted: %s" % (os.path.basename(path), ", ".join(refused)))
    return skops.io.load(path, trusted=unknown)


def names_of(estimator):
    """Names of the columns that it was fitted with, None when it was fitted on an array."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None and hasattr(estimator, "steps"):
        names = getattr(estimator.steps[0][1], "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def width_of(estimator):
    """How many columns it was fitted with, None where it does not say."""
    width = getattr(estimator, "n_features_in_", None)
    if width is None and hasattr(estimator, "steps"):
        width = getattr(estimator.steps[0][1], "n_features_in_", None)
    return None if width is None else int(width)


def text_columns(estimator):
    """Names of the columns whose fitted categories are text; looked for in every ColumnTransformer's encoders."""
    found = set()
    for step in [estimator] + [step for _, step in getattr(estimator, "steps", [])]:
        for _, transformer, columns in getattr(step, "transformers_", []):
            last = transformer.steps[-1][1] if hasattr(transformer, "steps") else transformer
            categories = getattr(last, "categories_", None)
            if categories is not None and not isinstance(columns, (str, slice)):
                found.update(str(c) for c, known in zip(columns, categories) if np.asarray(known).dtype.kind in "OUS")
    return found


class EstimatorPredictor(shared.Tabular):
    """An estimator behind the predictor's interface; a frame where it was fitted on one, else arrays as they are."""

    def __init__(self, estimator, options):
        method = options.get("method") or ("predict_proba" if hasattr(estimator, "predict_proba") else "predict")
        if not callable(getattr(estimator, method, None)):
            raise TypeError("%s has no %s()" % (type(estimator).__name__, method))
        output = {"name": method, "dtype": output_dtype(estimator, method), "shape": output_shape(estimator, method)}
        names, width, text = names_of(estimator), width_of(estimator), text_columns(estimator)
        shared.Tabular.__init__(self, estimator, names, width, None, [output], text)
        self.default_input = "frame" if self.names else "tensors"
        self.method = method
        self._answer = getattr(estimator, method)

    def predict(self, batch):
        """Answer a frame, a list of dicts, a 2-D array, or a dict of arrays."""
        return self._answer(self.frame(batch) if self.names else self.matrix(batch))


def output_dtype(estimator, method):
    """Of labels as they are, else of floats."""
    classes = getattr(estimator, "classes_", None)
    if method != "predict" or classes is None or isinstance(classes, list):
        return "float64"
    return "str" if np.asarray(classes).dtype.kind in "OUS" else str(np.asarray(classes).dtype)


def output_shape(estimator, method):
    """A column per class where there are classes."""
    classes = getattr(estimator, "classes_", None)
    plain = method == "predict" or classes is None or isinstance(classes, list)
    return [None] if plain else [None, len(classes)]
