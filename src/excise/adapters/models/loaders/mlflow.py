"""Loads a folder with ``MLmodel`` by ``mlflow.pyfunc``, as MLflow's own server does.

Self-contained: stdlib, numpy, MLflow and the pandas that it needs; Python 3.8 syntax. The target is ``MLmodel`` itself.
"""

import os

import numpy as np

DTYPES = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "string": "str",
    "binary": "bytes",
    "datetime": "datetime64[ns]",
}
"""MLflow's column types as numpy names them."""


def load(target, options):
    """Load the model; nothing is reported to anybody."""
    os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true")
    import mlflow.pyfunc

    return PyfuncPredictor(mlflow.pyfunc.load_model(os.path.dirname(os.path.abspath(target))))


class PyfuncPredictor(object):
    """An MLflow model behind the predictor's interface."""

    thread_safe = False
    stages = ["predict"]
    shadow = False

    def __init__(self, model):
        schema = model.metadata.get_input_schema()
        self._matrix = schema is not None and schema.is_tensor_spec() and not schema.has_input_names()
        self._arrays = schema is not None and schema.is_tensor_spec() and schema.has_input_names()
        self.default_input = "tensors" if self._matrix or self._arrays else "frame"
        self.required = {}
        self.signature = {
            "inputs": specs_of(schema),
            "outputs": specs_of(model.metadata.get_output_schema()),
            "batch_axis": 0,
        }
        self._predict = model.predict

    def predict(self, batch):
        """Answer a frame, a list of dicts, or a dict of arrays."""
        if type(batch) is dict and len(batch) == 1 and (self._matrix or "" in batch):
            (batch,) = batch.values()
        elif type(batch) is dict and not self._arrays:
            batch = frame({name: np.asarray(array).reshape(-1) for name, array in batch.items()})
        elif type(batch) is list:
            batch = frame(batch)
        if self._matrix and hasattr(batch, "to_numpy"):
            batch = batch.to_numpy()
        return self._predict(batch)

    def staged(self, batch, clock):
        """The same call, timed as one stage."""
        output = self.predict(batch)
        clock("predict")
        return output

    def close(self):
        """Drop the model, which its method holds."""
        self._predict = None


def frame(rows):
    """A pandas frame of records or columns."""
    import pandas

    return pandas.DataFrame(rows)


def specs_of(schema):
    """Tensors of a schema; none where the model was logged without one."""
    if schema is None:
        return []
    return [spec_of(place, column) for place, column in enumerate(schema.inputs)]


def spec_of(place, column):
    """One column or tensor."""
    name = column.name or ("X" if place == 0 else "X%d" % place)
    if hasattr(column, "shape"):
        shape = [None if size == -1 else int(size) for size in column.shape]
        return {"name": str(name), "dtype": str(np.dtype(column.type)), "shape": shape}
    kind = getattr(column.type, "name", str(column.type))
    return {"name": str(name), "dtype": DTYPES.get(kind, "object"), "shape": [None]}
