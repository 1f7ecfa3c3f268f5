"""What the predictors of model files share: they are pipelines of one stage, and take rows in any form.

Self-contained: stdlib and numpy (pandas where a frame is needed), Python 3.8 syntax. No loader: loaders run it by path.
"""

import numpy as np


def missing(names, given, what="column"):
    """The error that names what was not given."""
    lacking = [name for name in names if name not in given]
    return KeyError("missing %s%s %s" % (what, "s" if len(lacking) > 1 else "", ", ".join(lacking)))


def columns_of(batch):
    """A frame, a list of dicts, a dict of arrays or an array as columns by name; an array's name is empty."""
    if type(batch) is dict:
        return batch
    if hasattr(batch, "iloc"):
        return {str(name): batch[name].to_numpy() for name in batch.columns}
    if type(batch) is list and batch and type(batch[0]) is dict:
        names = list(batch[0])
        for row in batch:
            if not all(name in row for name in names):
                raise missing(names, row)
        return {name: np.asarray([row[name] for row in batch]) for name in names}
    return {"": np.asarray(batch)}


def numbers(array, dtype, name=""):
    """An array in another dtype, None leaves it alone; null becomes NaN, text is refused even where it reads as a number."""
    if dtype is None:
        return array
    array = np.asarray(array)
    if array.dtype.kind in "US" or (array.dtype.kind == "O" and any(isinstance(cell, str) for cell in array.flat)):
        raise TypeError("%s holds text, the model takes numbers" % ("column %s" % name if name else "the input"))
    return np.ascontiguousarray(array, dtype)


def cast(array, dtype, name):
    """An array in the dtype of the input ``name``; one that has it is passed as it is."""
    array = np.asarray(array)
    if dtype is np.object_:
        return array.astype(str).astype(object) if array.dtype.kind != "O" else array
    if array.dtype.kind == "O" or array.dtype != dtype:
        try:
            return array.astype(dtype)
        except (TypeError, ValueError) as error:
            raise TypeError("input %r cannot be cast to %s: %s" % (name, np.dtype(dtype).name, error))
    return np.ascontiguousarray(array)


def shaped(array, dtype, rank, name):
    """The same, with a trailing axis of one where the model wants a column."""
    array = cast(array, dtype, name)
    return array.reshape(-1, 1) if rank == 2 and array.ndim == 1 else array


def texts_of(batch, name):
    """The texts of a batch: of the column ``name``, else of the only column that holds text."""
    columns = columns_of(batch)
    if name not in columns:
        found = [key for key, cells in columns.items() if len(cells) and isinstance(np.ravel(cells)[0], str)]
        if len(found) != 1:
            raise KeyError("missing column %s, and not one column alone holds text: %s" % (name, ", ".join(columns)))
        name = found[0]
    cells = np.ravel(columns[name]).tolist()
    wrong = next((cell for cell in cells if not isinstance(cell, str)), None)
    if wrong is not None or None in cells:
        raise TypeError("column %s holds %r where the model takes text" % (name, wrong))
    return cells


def ignore(_stage):
    """A clock that nobody reads."""


class OneStage(object):
    """A pipeline of one stage; ``model`` is what the library loaded, ``signature`` and ``predict`` come from below."""

    thread_safe = True
    stages = ["predict"]
    shadow = False
    default_input = "tensors"
    model = None

    def __init__(self, model, inputs, outputs):
        self.model = model
        self.required = {}
        self.signature = {"inputs": inputs, "outputs": outputs, "batch_axis": 0}

    def staged(self, batch, clock):
        """The same call, timed as one stage."""
        output = self.predict(batch)
        clock("predict")
        return output

    def close(self):
        """Drop the model, which frees what it holds."""
        self.model = None


class Tabular(OneStage):
    """A model of one row of columns, which have names or not.

    Args:
        names: of the columns, in the model's order; None where it was fitted on an array.
        width: how many columns.
        dtype: of the matrix that the model takes; None where it takes any.
        text: names of the columns that it takes as text; such a model takes a frame.
    """

    def __init__(self, model, names, width, dtype, outputs, text=()):
        self.names = names
        self.width = width
        self.dtype = dtype
        self.text = frozenset(text)
        kinds = {name: "str" if name in self.text else np.dtype(dtype).name for name in names or ()}
        named = [{"name": name, "dtype": kind, "shape": [None]} for name, kind in kinds.items()]
        OneStage.__init__(
            self, model, named or [{"name": "X", "dtype": np.dtype(dtype).name, "shape": [None, width]}], outputs
        )

    def categorical(self, batch):
        """The batch as a frame whose columns of text are pandas' categories."""
        frame = self.frame(batch)
        plain = [name for name in self.text if frame[name].dtype != "category"]
        return frame.astype(dict.fromkeys(plain, "category")) if plain else frame

    def matrix(self, batch):
        """The batch as one matrix in the model's order."""
        if hasattr(batch, "iloc"):
            return numbers(self.frame(batch).to_numpy(), self.dtype)
        columns = columns_of(batch)
        first = next(iter(columns.values()))
        if len(columns) == 1 and np.ndim(first) == 2:
            self.demand_width(first)
            return numbers(first, self.dtype)
        chosen = [numbers(columns[name], self.dtype, name) for name in self.chosen(columns)]
        return np.column_stack(chosen)

    def frame(self, batch):
        """The batch as a frame in the model's order."""
        import pandas

        if hasattr(batch, "iloc"):
            return batch if list(batch.columns) == self.names else batch[self.chosen(batch.columns)]
        return pandas.DataFrame(self.columns(batch))

    def columns(self, batch):
        """The batch as columns by the model's names, in its order."""
        columns = columns_of(batch)
        first = next(iter(columns.values()))
        if len(columns) == 1 and np.ndim(first) == 2:
            self.demand_width(first)
            return {name: first[:, index] for index, name in enumerate(self.names)}
        return {name: np.reshape(columns[name], -1) for name in self.chosen(columns)}

    def chosen(self, given):
        """The model's columns by their given names; all there are where it has no names."""
        names = list(given) if self.names is None else self.names
        if not all(name in given for name in names):
            raise missing(names, given)
        if self.width is not None and len(names) != self.width:
            raise ValueError("%d columns given, %d needed" % (len(names), self.width))
        return names

    def demand_width(self, array):
        """Refuse a matrix of another width."""
        if self.width is not None and np.shape(array)[1] != self.width:
            raise ValueError("%d columns given, %d needed" % (np.shape(array)[1], self.width))


class NamedTensors(OneStage):
    """A model of tensors with names, dtypes and shapes, as graphs have them."""

    def __init__(self, model, inputs, outputs):
        OneStage.__init__(self, model, inputs, outputs)
        self.inputs = [(spec["name"], dtype_of(spec["dtype"]), len(spec["shape"])) for spec in inputs]

    def feeds(self, batch):
        """The model's inputs by name, in its own dtypes and ranks."""
        columns = columns_of(batch)
        if len(columns) == 1:
            (array,) = columns.values()
            return self._from_matrix(array) if np.ndim(array) >= 2 else self._from_columns(columns)
        return self._from_columns(columns)

    def _from_matrix(self, array):
        if len(self.inputs) == 1:
            name, dtype, _ = self.inputs[0]
            return {name: cast(array, dtype, name)}
        if np.shape(array)[1] != len(self.inputs):
            raise ValueError("%d columns given, the model has %d inputs" % (np.shape(array)[1], len(self.inputs)))
        return {name: shaped(array[:, i], dtype, rank, name) for i, (name, dtype, rank) in enumerate(self.inputs)}

    def _from_columns(self, columns):
        if len(self.inputs) == 1 and self.inputs[0][0] not in columns:
            name, dtype, rank = self.inputs[0]
            arrays = [cast(array, dtype, key) for key, array in columns.items()]
            return {name: np.column_stack(arrays) if rank == 2 else arrays[0]}
        names = [name for name, _, _ in self.inputs]
        if not all(name in columns for name in names):
            raise missing(names, columns, "input")
        return {name: shaped(columns[name], dtype, rank, name) for name, dtype, rank in self.inputs}

    def fitting(self, batch):
        """The same, refused where a shape is not the model's: not every library looks."""
        feeds = self.feeds(batch)
        for spec in self.signature["inputs"]:
            given = np.shape(feeds[spec["name"]])
            if len(given) != len(spec["shape"]) or any(n not in (None, m) for n, m in zip(spec["shape"], given)):
                raise ValueError("input %r has the shape %s, the model takes %s" % (spec["name"], given, spec["shape"]))
        return feeds


def dtype_of(name):
    """numpy's dtype of a signature's; what it does not know is float32."""
    return {"str": np.object_, "object": np.float32}.get(name) or np.dtype(name).type
