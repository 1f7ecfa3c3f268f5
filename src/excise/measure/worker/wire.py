"""Frames between a worker and the process that measures: typed arrays, and type-tagged JSON for the rest.

Self-contained: stdlib and numpy, Python 3.8. Both ends load this one file.

A frame is ``!II`` (header bytes, number of buffers), one ``!Q`` length per buffer, the header as JSON in UTF-8, then
the buffers. In the header, what JSON cannot say is an object with the single key ``~`` and a tag.
"""

import base64
import datetime
import decimal
import json
import struct
import uuid

import numpy as np

MAX_HEADER = 1 << 30
HEAD = struct.Struct("!II")
LENGTH = struct.Struct("!Q")
SIMPLE = (str, int, float, bool, type(None))


class BadFrame(Exception):
    """The bytes are no frame of ours."""


def encode(value):
    """All bytes of one frame, as a list of buffers to be written in order."""
    buffers = []
    header = json.dumps(_tag(value, buffers), separators=(",", ":")).encode()
    lengths = b"".join(LENGTH.pack(len(buffer)) for buffer in buffers)
    return [HEAD.pack(len(header), len(buffers)) + lengths + header] + buffers


def decode(read):
    """One value, from ``read(n) -> exactly n bytes``."""
    header_size, count = HEAD.unpack(read(HEAD.size))
    if header_size > MAX_HEADER:
        raise BadFrame("a header of %d bytes" % header_size)
    sizes = [LENGTH.unpack(read(LENGTH.size))[0] for _ in range(count)]
    header = read(header_size)
    buffers = [read(size) for size in sizes]
    try:
        return _untag(json.loads(header.decode()), buffers)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise BadFrame(str(error)) from error


def roundtrip(value):
    """What the other end gets when this end sends ``value``."""
    data = b"".join(bytes(part) for part in encode(value))
    position = [0]

    def read(size):
        start = position[0]
        position[0] = start + size
        return data[start : start + size]

    return decode(read)


def _tag(value, buffers):
    if isinstance(value, SIMPLE) and type(value) in SIMPLE:
        return value
    if isinstance(value, np.ndarray):
        return _tag_array(value, buffers)
    if isinstance(value, np.generic):
        return {"~": "scalar", "v": _tag_array(np.asarray(value), buffers)}
    if isinstance(value, dict):
        if all(type(key) is str for key in value) and "~" not in value:
            return {key: _tag(item, buffers) for key, item in value.items()}
        return {"~": "dict", "v": [[_tag(key, buffers), _tag(item, buffers)] for key, item in value.items()]}
    if isinstance(value, list):
        return [_tag(item, buffers) for item in value]
    if isinstance(value, (tuple, set, frozenset)):
        name = "tuple" if isinstance(value, tuple) else type(value).__name__
        items = list(value) if isinstance(value, tuple) else sorted(value, key=repr)
        return {"~": name, "v": [_tag(item, buffers) for item in items]}
    return _tag_rest(value)


def _tag_rest(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"~": "bytes", "v": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, datetime.datetime):
        return {"~": "datetime", "v": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"~": "date", "v": value.isoformat()}
    if isinstance(value, datetime.time):
        return {"~": "time", "v": value.isoformat()}
    if isinstance(value, datetime.timedelta):
        return {"~": "timedelta", "v": [value.days, value.seconds, value.microseconds]}
    if isinstance(value, decimal.Decimal):
        return {"~": "decimal", "v": str(value)}
    if isinstance(value, uuid.UUID):
        return {"~": "uuid", "v": str(value)}
    if isinstance(value, complex):
        return {"~": "complex", "v": [value.real, value.imag]}
    for plain in (str, bool, int, float):  # subclasses: enums, numpy strings
        if isinstance(value, plain):
            return plain(value)
    return {"~": "repr", "v": repr(value)[:1000], "type": type(value).__name__}


def _tag_array(array, buffers):
    if array.dtype.kind == "O":
        return {
            "~": "objects",
            "shape": list(array.shape),
            "v": [_tag(item, buffers) for item in array.ravel().tolist()],
        }
    if array.dtype.kind not in "biufcSUmM":
        return {"~": "repr", "v": repr(array)[:1000], "type": str(array.dtype)}
    data = np.ascontiguousarray(array)
    buffers.append(data.tobytes())
    return {"~": "array", "dtype": data.dtype.str, "shape": list(array.shape), "b": len(buffers) - 1}


def _untag(value, buffers):
    if isinstance(value, list):
        return [_untag(item, buffers) for item in value]
    if not isinstance(value, dict):
        return value
    if "~" not in value:
        return {key: _untag(item, buffers) for key, item in value.items()}
    return _UNTAG[value["~"]](value, buffers)


def _objects(value, buffers):
    array = np.empty(len(value["v"]), dtype=object)
    for index, item in enumerate(value["v"]):
        array[index] = _untag(item, buffers)
    return array.reshape(value["shape"])


def _array(value, buffers):
    flat = np.frombuffer(buffers[value["b"]], dtype=np.dtype(value["dtype"]))
    return flat.reshape(value["shape"]).copy()


_UNTAG = {
    "array": _array,
    "objects": _objects,
    "scalar": lambda value, buffers: _untag(value["v"], buffers)[()],
    "dict": lambda value, buffers: {_untag(key, buffers): _untag(item, buffers) for key, item in value["v"]},
    "tuple": lambda value, buffers: tuple(_untag(item, buffers) for item in value["v"]),
    "set": lambda value, buffers: {_untag(item, buffers) for item in value["v"]},
    "frozenset": lambda value, buffers: frozenset(_untag(item, buffers) for item in value["v"]),
    "bytes": lambda value, _: base64.b64decode(value["v"]),
    "datetime": lambda value, _: datetime.datetime.fromisoformat(value["v"]),
    "date": lambda value, _: datetime.date.fromisoformat(value["v"]),
    "time": lambda value, _: datetime.time.fromisoformat(value["v"]),
    "timedelta": lambda value, _: datetime.timedelta(*value["v"]),
    "decimal": lambda value, _: decimal.Decimal(value["v"]),
    "uuid": lambda value, _: uuid.UUID(value["v"]),
    "complex": lambda value, _: complex(*value["v"]),
    "repr": lambda value, _: "<%s %s>" % (value["type"], value["v"]),
}
