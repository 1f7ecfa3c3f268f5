"""The Open Inference Protocol over HTTP: rows become the tensors that the model's metadata declares.

Self-contained: stdlib and numpy, Python 3.8 syntax. All rows of a call are one request. With ``oip-binary`` tensors
travel as bytes behind the JSON (``Inference-Header-Content-Length``), both ways.

Source: Open Inference Protocol, version 2, REST; and its extension for binary tensor data.
"""

import json
import struct

import numpy as np

from _excise_loader_requests import to_json  # endpoint.py has loaded them under these names
from _excise_loader_response import Failed, one_line
from _excise_loader_tensors import BYTES, DTYPES, answers_of, from_raw, signature_of, tensors_of

BINARY = "oip-binary"
HEADER_LENGTH = "Inference-Header-Content-Length"


def protocol(kind, plain):
    """Calls of rows, over the connection of the plain protocol."""
    return OpenInference(plain, kind == BINARY)


class OpenInference(object):
    """A model behind ``/v2/models/NAME/infer``; its metadata is asked for once."""

    def __init__(self, plain, binary):
        self.plain = plain
        self.binary = binary
        self.given = plain.template.get("body")
        self.inputs = []
        self.signature = plain.signature
        if not self.given:
            metadata = metadata_of(plain, plain.template["path"].partition("?")[0].rpartition("/")[0])
            self.inputs = metadata.get("inputs") or []
            self.signature = signature_of(metadata)

    def calls(self, rows):
        """One call of all rows; a template with a body of its own decides by its fields."""
        if self.given:
            return self.plain.calls(rows, self)
        body, headers = (encoded_binary if self.binary else encoded)(tensors_of(rows, self.inputs))
        return [self.plain.one_call(rows, body, headers, self)]

    def exchange(self, call):
        """Send a call; its response and the whole body."""
        return self.plain.exchange(call)

    def read(self, call, answered, body, meters):
        """Each row's outputs by their names."""
        length = answered.headers.get(HEADER_LENGTH.lower())
        value, rest = (self.plain.value(answered, body), b"") if length is None else halves(body, length)
        answers = answers_of(outputs_of(value, rest), call.rows)
        if answers is None:
            raise Failed("no answer a row", one_line(body))
        return answers

    def close(self):
        """Close the connection."""
        self.plain.close()


def metadata_of(plain, path):
    """What the server says of the model.

    Raises:
        LookupError: it does not know the model, or does not answer.
    """
    try:
        metadata = plain.ask("GET", path)
    except Failed as failed:
        raise LookupError("the server tells nothing of %s: %s" % (path, failed))
    if not isinstance(metadata, dict):
        raise LookupError("the server tells nothing of %s: no JSON object" % path)
    return metadata


def encoded(tensors):
    """Body and headers of a request in JSON."""
    inputs = [dict(specified(tensor), data=tensor.listed()) for tensor in tensors]
    return to_json({"inputs": inputs}).encode("utf-8"), [("Content-Type", "application/json")]


def encoded_binary(tensors):
    """Body and headers of a request whose tensors are bytes."""
    parts = [tensor.raw() for tensor in tensors]
    inputs = [
        dict(specified(tensor), parameters={"binary_data_size": len(part)}) for tensor, part in zip(tensors, parts)
    ]
    head = to_json({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode("utf-8")
    headers = [("Content-Type", "application/octet-stream"), (HEADER_LENGTH, str(len(head)))]
    return head + b"".join(parts), headers


def specified(tensor):
    """What is said of a tensor beside its data."""
    return {"name": tensor.name, "shape": tensor.shape, "datatype": tensor.datatype}


def outputs_of(value, rest):
    """(name, array) of every output; tensors that came as bytes lie in ``rest``, one after another.

    Raises:
        Failed: outputs are missing, or do not fit their shapes.
    """
    found, place = [], 0
    try:
        for output in value["outputs"]:
            size = (output.get("parameters") or {}).get("binary_data_size")
            if size is None:
                values = from_listed(output)
            else:
                values = from_raw(rest[place : place + size], output["datatype"], output["shape"])
                place += size
            found.append((output["name"], values))
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError, struct.error) as error:
        raise Failed("malformed outputs", "%s: %s" % (type(error).__name__, error))
    return found


def from_listed(output):
    """The array of an output in JSON, flat or nested."""
    dtype = object if output["datatype"] == BYTES else DTYPES[output["datatype"]]
    return np.array(output["data"], dtype=dtype).reshape(output["shape"])


def halves(body, length):
    """The JSON of an answer, and the tensors' bytes behind it.

    Raises:
        Failed: they are not told apart.
    """
    try:
        size = int(length)
        return json.loads(body[:size].decode("utf-8")), body[size:]
    except ValueError:
        raise Failed("malformed JSON", one_line(body))
