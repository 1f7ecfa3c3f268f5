"""Messages of the Open Inference Protocol's gRPC service, written and read by hand: protobuf's wire format is small.

Self-contained: stdlib and numpy, Python 3.8 syntax.

Source: Open Inference Protocol, version 2, ``open_inference_grpc.proto``; protobuf.dev/programming-guides/encoding.
"""

import struct

import numpy as np

from _excise_loader_tensors import BYTES, DTYPES, from_raw  # endpoint.py has loaded them under this name

VARINT, FIXED64, TEXT, FIXED32 = 0, 1, 2, 5
CONTENTS = {
    "BOOL": 1, "INT8": 2, "INT16": 2, "INT32": 2, "INT64": 3, "UINT8": 4, "UINT16": 4, "UINT32": 4, "UINT64": 5,
    "FP32": 6, "FP64": 7, BYTES: 8,
}  # fmt: skip
"""Field of InferTensorContents that holds the values of a datatype."""
FIXED = {6: "<f4", 7: "<f8"}


def varint(value):
    """A whole number, seven bits a byte; negative ones as 64 bits."""
    value &= (1 << 64) - 1
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)


def field(number, data):
    """A field of bytes, a text or a message."""
    data = data.encode("utf-8") if isinstance(data, str) else data
    return varint(number << 3 | TEXT) + varint(len(data)) + data


def name_request(model, version):
    """ModelMetadataRequest."""
    return field(1, model) + (field(2, version) if version else b"")


def infer_request(model, version, tensors):
    """ModelInferRequest, with the tensors as raw bytes."""
    inputs = [
        field(1, t.name) + field(2, t.datatype) + field(3, b"".join(varint(length) for length in t.shape))
        for t in tensors
    ]
    parts = [field(5, one) for one in inputs] + [field(7, t.raw()) for t in tensors]
    return name_request(model, version) + b"".join(parts)


def metadata(data):
    """ModelMetadataResponse, as the REST API gives it."""
    told = fields(data)
    return {
        side: [spec(fields(one)) for one in told.get(number, ())] for side, number in (("inputs", 4), ("outputs", 5))
    }


def outputs(data):
    """(name, array) of every output of a ModelInferResponse.

    Raises:
        ValueError, KeyError, struct.error: the message is none, or a tensor does not fit its shape.
    """
    told = fields(data)
    raw = told.get(6, ())
    found = []
    for index, one in enumerate(told.get(5, ())):
        tensor = fields(one)
        named = spec(tensor)
        values = from_raw(raw[index], named["datatype"], named["shape"]) if raw else listed(tensor, named)
        found.append((named["name"], values))
    return found


def spec(tensor):
    """Name, datatype and shape of a tensor."""
    name, datatype = (tensor[number][0].decode("utf-8") for number in (1, 2))
    return {"name": name, "datatype": datatype, "shape": whole_numbers(tensor.get(3, ()))}


def listed(tensor, named):
    """The array of a tensor whose values stand in the message."""
    number = CONTENTS[named["datatype"]]
    values = fields(tensor[5][0]).get(number, ()) if 5 in tensor else ()
    if number == CONTENTS[BYTES]:
        return np.array([value.decode("utf-8", "replace") for value in values], dtype=object).reshape(named["shape"])
    if number in FIXED:
        flat = np.frombuffer(b"".join(values), dtype=FIXED[number])
    else:
        flat = np.array(whole_numbers(values))
    return flat.astype(DTYPES[named["datatype"]]).reshape(named["shape"])


def whole_numbers(values):
    """Signed whole numbers of a repeated field, packed or not."""
    found = []
    for value in values:
        found += [value] if isinstance(value, int) else packed(value)
    return [value - (1 << 64) if value >> 63 else value for value in found]


def packed(data):
    """The whole numbers that stand one after another in a packed field."""
    found, place = [], 0
    while place < len(data):
        value, place = read_varint(data, place)
        found.append(value)
    return found


def fields(data):
    """The fields of a message, number -> values in order: bytes, or a whole number.

    Raises:
        ValueError: it is cut off, or no message.
    """
    found, place = {}, 0
    while place < len(data):
        key, place = read_varint(data, place)
        kind = key & 7
        if kind == VARINT:
            value, place = read_varint(data, place)
        else:
            size = {FIXED64: 8, FIXED32: 4}.get(kind)
            if kind == TEXT:
                size, place = read_varint(data, place)
            if size is None or place + size > len(data):
                raise ValueError("no message at byte %d" % place)
            value, place = bytes(data[place : place + size]), place + size
        found.setdefault(key >> 3, []).append(value)
    return found


def read_varint(data, place):
    """A whole number and the place behind it."""
    value, shift = 0, 0
    while True:
        if place >= len(data) or shift > 63:
            raise ValueError("no number at byte %d" % place)
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
