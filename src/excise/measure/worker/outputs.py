"""What a model answered, as one array per named output with the rows in front.

Self-contained: stdlib and numpy, Python 3.8.
"""

import numpy as np


def by_name(answer, size):
    """One call's answer for ``size`` rows."""
    answer = to_arrays(answer)
    if isinstance(answer, dict):
        return {str(name): column(value, size) for name, value in answer.items()}
    if (
        isinstance(answer, (list, tuple))
        and len(answer) == size
        and size
        and any(isinstance(row, dict) for row in answer)
        and all(row is None or isinstance(row, dict) for row in answer)
    ):
        rows = [row or {} for row in answer]
        names = list(dict.fromkeys(name for row in rows for name in row))
        return {str(name): objects([to_arrays(row.get(name)) for row in rows]) for name in names}
    if isinstance(answer, (list, tuple)) and answer and all(isinstance(part, np.ndarray) for part in answer):
        return {str(index): column(part, size) for index, part in enumerate(answer)}
    return {"": column(answer, size)}


def to_arrays(value):
    """Tensors and frames of any library, as numpy; the rest as it is."""
    if hasattr(value, "detach"):
        return value.detach().cpu().numpy()
    if hasattr(value, "columns") and hasattr(value, "to_numpy"):
        return {str(name): value[name].to_numpy() for name in value.columns}
    if hasattr(value, "to_numpy"):
        return value.to_numpy()
    if hasattr(value, "numpy") and not isinstance(value, np.ndarray):
        return value.numpy()
    return value


def column(value, size):
    """``value`` with ``size`` rows in front."""
    value = to_arrays(value)
    if isinstance(value, np.ndarray) and value.ndim and value.shape[0] == size:
        return value
    if isinstance(value, (list, tuple)) and len(value) == size:
        return objects([to_arrays(item) for item in value])
    if size == 1:
        return objects([value])
    raise TypeError("an answer of %s for %d rows" % (type(value).__name__, size))


def objects(items):
    """A typed array where the items are alike, else an array of objects."""
    if items and all(isinstance(item, (bool, int, float, np.generic)) for item in items):
        made = np.array(items)
        if made.dtype.kind in "biuf":
            return made
    shapes = {item.shape for item in items if isinstance(item, np.ndarray)}
    if items and len(shapes) == 1 and all(isinstance(item, np.ndarray) for item in items):
        return np.stack(items)
    if items and all(numbers(item) for item in items) and len({len(item) for item in items}) == 1:
        return np.array(items)
    made = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):
        made[index] = item
    return made


def numbers(item):
    return isinstance(item, (list, tuple)) and bool(item) and all(isinstance(part, (int, float)) for part in item)


def names_of(answers):
    """Names of the outputs; that of calls which answered nothing counts where no call answered more."""
    names = dict.fromkeys(name for answer in answers for name in answer)
    empty = all(value is None for answer in answers for value in answer.get("", ()))
    return [name for name in names if name or len(names) == 1 or not empty]


def joined(answers, sizes):
    """Several calls' answers one after another, of so many rows each; None where a call did not give an output."""
    made = {}
    for name in names_of(answers):
        parts = [answer.get(name) for answer in answers]
        parts = [objects([None] * size) if part is None else part for part, size in zip(parts, sizes)]
        if any(part.dtype == object for part in parts) or len({part.shape[1:] for part in parts}) > 1:
            made[name] = objects([item for part in parts for item in part])
        else:
            made[name] = np.concatenate(parts)
    return made
