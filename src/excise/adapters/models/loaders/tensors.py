"""Rows as the tensors that a server's model declares, and a server's tensors as answers a row.

Self-contained: stdlib and numpy, Python 3.8 syntax. Source: Open Inference Protocol, version 2.
"""

import struct

import numpy as np

DTYPES = {
    "BOOL": "?", "UINT8": "u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "INT8": "i1", "INT16": "<i2",
    "INT32": "<i4", "INT64": "<i8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip
BYTES = "BYTES"
LENGTH = struct.Struct("<I")
"""Before each element of a tensor of texts."""


class Tensor(object):
    """A named tensor: ``datatype`` as the protocol calls it, ``values`` a numpy array."""

    __slots__ = ("name", "datatype", "values")

    def __init__(self, name, datatype, values):
        self.name = name
        self.datatype = datatype
        self.values = values

    @property
    def shape(self):
        """Lengths of its axes."""
        return list(self.values.shape)

    def listed(self):
        """Its values in one flat list, as JSON takes them; NaN stays NaN."""
        return self.values.ravel().tolist()

    def raw(self):
        """Its bytes, row by row, little-endian."""
        if self.datatype == BYTES:
            cells = [as_bytes(cell) for cell in self.values.ravel().tolist()]
            return b"".join(LENGTH.pack(len(cell)) + cell for cell in cells)
        return np.ascontiguousarray(self.values).tobytes()


def as_bytes(cell):
    """A cell of a tensor of texts, as bytes."""
    if isinstance(cell, bytes):
        return cell
    return ("" if cell is None else str(cell)).encode("utf-8")


def tensors_of(rows, inputs):
    """The tensors of these rows, as a model declares its inputs; a model that declares none gets one matrix.

    Args:
        rows: one dict each.
        inputs: ``{"name", "datatype", "shape"}`` of each input; -1 on an axis of any length.
    Raises:
        KeyError: an input that is no column, unless it is the only one and takes all columns as a matrix.
    """
    columns = list(rows[0])
    if not inputs:
        return [matrix("input-0", "FP64", rows)]
    lacking = [spec["name"] for spec in inputs if spec["name"] not in columns]
    if not lacking:
        return [column(spec, [row[spec["name"]] for row in rows]) for spec in inputs]
    if len(inputs) == 1:
        return [matrix(inputs[0]["name"], inputs[0]["datatype"], rows, inputs[0].get("shape"))]
    raise KeyError(
        "missing column %s; the model takes %s, and the rows have: %s"
        % (lacking[0], ", ".join(spec["name"] for spec in inputs), ", ".join(map(str, columns)))
    )


def column(spec, cells):
    """One input from one column; a scalar a row becomes a row of one where the model asks for two axes."""
    values = array(cells, spec["datatype"])
    axes = [int(length) for length in spec.get("shape") or ()]
    if values.ndim == 1 and len(axes) > 1:
        values = values.reshape([len(cells)] + [1] * (len(axes) - 1))
    return Tensor(spec["name"], spec["datatype"], values)


def matrix(name, datatype, rows, shape=None):
    """All columns side by side as one input; in the shape that the model asks for, where they fit it.

    Raises:
        KeyError: rows of other columns than the first.
    """
    names = list(rows[0])
    values = array([[row[name] for name in names] for row in rows], datatype)
    inner = [int(length) for length in (shape or ())[1:]]
    if len(inner) > 1 and values.ndim == 2 and inner.count(-1) == 0 and int(np.prod(inner)) == values.shape[1]:
        values = values.reshape([len(rows)] + inner)
    if len(inner) == 0 and shape and values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    return Tensor(name, datatype, values)


def array(cells, datatype):
    """Cells as an array of this datatype; a null is NaN, an empty text, or an error where there is neither.

    Raises:
        TypeError: the datatype is not known, or a cell is of another type.
    """
    if datatype == BYTES:
        return np.array([list(cell) if isinstance(cell, (list, tuple)) else cell for cell in cells], dtype=object)
    if datatype not in DTYPES:
        raise TypeError("no tensors of datatype %s; there are: %s" % (datatype, ", ".join(list(DTYPES) + [BYTES])))
    if datatype.startswith("FP"):
        return np.array(cells, dtype="<f8").astype(DTYPES[datatype])
    return np.array(cells).astype(DTYPES[datatype], casting="unsafe" if datatype == "BOOL" else "same_kind")


def from_raw(data, datatype, shape):
    """The array in a tensor's bytes.

    Raises:
        ValueError: more bytes or fewer than the shape says.
    """
    if datatype == BYTES:
        return np.array(elements(data), dtype=object).reshape(shape)
    return np.frombuffer(data, dtype=DTYPES[datatype]).reshape(shape)


def elements(data):
    """The texts in the bytes of a tensor of texts."""
    found, place = [], 0
    while place < len(data):
        (size,) = LENGTH.unpack_from(data, place)
        place += LENGTH.size
        found.append(bytes(data[place : place + size]).decode("utf-8", "replace"))
        place += size
    return found


def answers_of(tensors, rows):
    """Answers a row, by the names of the outputs; one row may be all there is of a tensor without rows.

    Args:
        tensors: (name, array) of each output.
        rows: how many there are.
    Returns:
        None where a tensor has another number of rows.
    """
    names, lists = [name for name, _ in tensors], [single(values).tolist() for _, values in tensors]
    if tensors and all(values.ndim and values.shape[0] == rows for _, values in tensors):
        return [dict(zip(names, parts)) for parts in zip(*lists)]
    return [dict(zip(names, lists))] if tensors and rows == 1 else None


def single(values):
    """The tensor, with a value in the place of a row of one."""
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def signature_of(metadata):
    """A model's metadata as a predictor's signature."""
    return {
        "inputs": [described(spec) for spec in metadata.get("inputs") or ()],
        "outputs": [described(spec) for spec in metadata.get("outputs") or ()],
        "batch_axis": 0,
    }


def described(spec):
    """One tensor of the metadata, in the signature's words."""
    datatype = spec["datatype"]
    shape = [int(length) if int(length) >= 0 else None for length in spec.get("shape") or (-1,)]
    dtype = "str" if datatype == BYTES else np.dtype(DTYPES[datatype]).name if datatype in DTYPES else "object"
    return {"name": spec["name"], "dtype": dtype, "shape": shape}
