"""Loads a scikit-learn estimator or pipeline: ``.skops``, ``.joblib``, ``.pkl``.

Self-contained: numpy, scikit-learn and (for ``.skops``) skops, pandas only where a frame is needed; Python 3.8 syntax.

Options:
    method: ``predict_proba`` or ``predict`` (default: ``predict_proba`` where the estimator has it).
    trusted: names of types that a ``.skops`` file may hold beside those that skops and we know, or ``"*"`` for all.
"""

import os

import numpy as np

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


class EstimatorPredictor(object):
    """An estimator behind the predictor's interface."""

    thread_safe = True
    stages = ["predict"]
    shadow = False

    def __init__(self, estimator, options):
        method = options.get("method") or ("predict_proba" if hasattr(estimator, "predict_proba") else "predict")
        if not callable(getattr(estimator, method, None)):
            raise TypeError("%s has no %s()" % (type(estimator).__name__, method))
        self.model = estimator
        self.method = method
        self.names = names_of(estimator)
        self.width = width_of(estimator)
        self.required = {}
        self.default_input = "frame" if self.names else "tensors"
        self.signature = self._signature()
        self._answer = getattr(estimator, method)

    def _signature(self):
        if self.names:
            text = text_columns(self.model)
            inputs = [{"name": n, "dtype": "str" if n in text else "float64", "shape": [None]} for n in self.names]
        else:
            inputs = [{"name": "X", "dtype": "float64", "shape": [None, self.width]}]
        outputs = [{"name": self.method, "dtype": self._output_dtype(), "shape": self._output_shape()}]
        return {"inputs": inputs, "outputs": outputs, "batch_axis": 0}

    def _output_dtype(self):
        classes = getattr(self.model, "classes_", None)
        if self.method != "predict" or classes is None or isinstance(classes, list):
            return "float64"
        return "str" if np.asarray(classes).dtype.kind in "OUS" else str(np.asarray(classes).dtype)

    def _output_shape(self):
        classes = getattr(self.model, "classes_", None)
        if self.method == "predict" or classes is None or isinstance(classes, list):
            return [None]
        return [None, len(classes)]

    def predict(self, batch):
        """Answer a frame, a list of dicts, a 2-D array, or a dict of arrays."""
        if type(batch) is dict:
            batch = self._from_tensors(batch)
        elif type(batch) is list:
            batch = self._from_records(batch)
        elif hasattr(batch, "iloc"):
            batch = self._from_frame(batch)
        return self._answer(batch)

    def staged(self, batch, clock):
        """The same call, timed as one stage."""
        output = self.predict(batch)
        clock("predict")
        return output

    def _from_frame(self, frame):
        if not self.names:
            return frame.to_numpy()
        if list(frame.columns) == self.names:
            return frame
        self._demand(frame.columns)
        return frame[self.names]

    def _from_tensors(self, tensors):
        if len(tensors) == 1:
            (array,) = tensors.values()
            if np.ndim(array) == 2:
                return self._from_matrix(array)
        if not self.names:
            return np.column_stack(list(tensors.values()))
        self._demand(tensors)
        import pandas

        return pandas.DataFrame({name: np.reshape(tensors[name], -1) for name in self.names})

    def _from_matrix(self, array):
        if not self.names:
            return array
        if np.shape(array)[1] != len(self.names):
            raise ValueError("%d columns given, %d needed" % (np.shape(array)[1], len(self.names)))
        import pandas

        return pandas.DataFrame(array, columns=self.names)

    def _from_records(self, records):
        import pandas

        return self._from_frame(pandas.DataFrame.from_records(records))

    def _demand(self, given):
        missing = [name for name in self.names if name not in given]
        if missing:
            raise KeyError("missing column%s %s" % ("s" if len(missing) > 1 else "", ", ".join(missing)))

    def close(self):
        """Nothing is held."""
