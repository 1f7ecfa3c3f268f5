"""Rows as production hands them over: records, a frame, or tensors, made fresh for every call.

Self-contained: stdlib and numpy (pandas when frames are asked for), Python 3.8.
"""

import copy

import numpy as np


class Rows:
    """The columns of one sample, ready to be cut into calls.

    ``ids`` are the rows' numbers at their source; ``prepare`` is what a predictor makes of a call before the clock runs.
    """

    def __init__(self, columns, kind, names, ids, prepare=None):
        self.ids = ids
        self.prepare = prepare
        self.columns = columns
        self.kind = kind
        self.names = names
        self.count = len(columns[0]["values"]) if columns else 0
        self.nested = any(column["kind"] in ("nested", "mixed") for column in columns)
        self._whole = getattr(self, "_make_" + kind)()

    def call(self, indices):
        """The input of one call; the callee may change it without touching later calls."""
        cut = getattr(self, "_cut_" + self.kind)(indices)
        return self.prepare(cut) if self.prepare else cut

    def _make_records(self):
        names = [column["name"] for column in self.columns]
        return [dict(zip(names, row)) for row in zip(*[plain(column) for column in self.columns])]

    def _cut_records(self, indices):
        if self.nested:
            return [copy.deepcopy(self._whole[index]) for index in indices]
        return [dict(self._whole[index]) for index in indices]

    def _make_frame(self):
        import pandas as pd

        return pd.DataFrame({column["name"]: series(pd, column) for column in self.columns})

    def _cut_frame(self, indices):
        return self._whole.iloc[indices].reset_index(drop=True)

    def _make_tensors(self):
        by_name = {column["name"]: tensor(column) for column in self.columns}
        if self.names and all(name in by_name for name in self.names):
            return {name: by_name[name] for name in self.names}
        lacking = [name for name in self.names if name not in by_name]
        if 0 < len(lacking) < len(self.names) and len(by_name) < len(self.names):
            raise KeyError("missing column%s %s" % ("s" if len(lacking) > 1 else "", ", ".join(lacking)))
        wrong = [column["name"] for column in self.columns if by_name[column["name"]].dtype.kind not in "biuf"]
        if wrong:
            raise TypeError("columns %s are no numbers, and the model takes one numeric tensor" % ", ".join(wrong))
        wide = [array if array.ndim == 2 else array[:, None] for array in by_name.values()]
        return {"": np.hstack(wide).astype(np.float64, copy=False)}

    def _cut_tensors(self, indices):
        return {name: array[indices] for name, array in self._whole.items()}


def plain(column):
    """Plain Python values of one column, None for null."""
    values = column["values"]
    if values.dtype.kind == "M":
        values = values.astype("datetime64[us]").astype(object)
    cells = values.tolist()
    nulls = column["nulls"]
    if nulls is None:
        return cells
    return [None if missing else cell for cell, missing in zip(cells, nulls.tolist())]


def tensor(column):
    """One array of one column; a number with nulls becomes a float with NaN."""
    values, nulls = column["values"], column["nulls"]
    if values.dtype.kind == "O" and column["kind"] == "nested":
        return np.array([np.asarray(cell) for cell in values.tolist()])
    if nulls is not None and nulls.any() and values.dtype.kind in "biuf":
        values = values.astype(np.float64)
        values[nulls] = np.nan
    return values


def series(pd, column):
    """One pandas column with the dtype that it had at the source."""
    values, nulls, dtype = column["values"], column["nulls"], column["dtype"]
    missing = nulls is not None and bool(nulls.any())
    if column["kind"] in ("text", "mixed", "nested") or values.dtype.kind == "O":
        made = pd.Series(plain(column), dtype=object)
        return made.astype("category") if dtype == "category" else _text(made, column["kind"], dtype)
    made = pd.Series(values)
    if dtype in ("int8", "int16", "uint8", "uint16", "uint32", "uint64", "int32", "float32") and not missing:
        made = made.astype(dtype)
    if missing:
        made = made.where(~pd.Series(nulls))
    return made


def _text(made, kind, dtype):
    if kind == "text" and dtype in ("string", "str"):
        return made.astype(dtype)
    return made
