"""TensorFlow Serving's REST API: ``/v1/models/NAME:predict``.

Self-contained: stdlib and numpy, Python 3.8 syntax. All rows of a call are one request in row format; what an instance
looks like is told by the model's metadata, and where the server has none, it is the row.

Source: https://www.tensorflow.org/tfx/serving/api_rest
"""

import json
import re

from _excise_loader_requests import by_row, plain  # endpoint.py has loaded them under these names
from _excise_loader_response import Failed, one_line
from _excise_loader_tensors import BYTES, signature_of, tensors_of

SIGNATURE = "serving_default"
DATATYPES = {"DT_FLOAT": "FP32", "DT_DOUBLE": "FP64", "DT_HALF": "FP16", "DT_STRING": BYTES, "DT_BOOL": "BOOL"}
WHOLE_NUMBERS = re.compile(r"DT_(U?INT(8|16|32|64))")


def protocol(_kind, over):
    """Calls of rows, over the connection of the plain protocol."""
    return Serving(over)


class Serving(object):
    """A model behind TensorFlow Serving; its metadata is asked for once."""

    def __init__(self, over):
        self.plain = over
        self.given = over.template.get("body")
        self.metadata = {} if self.given else metadata_of(over)
        self.signature = signature_of(self.metadata)

    def calls(self, rows):
        """One call of all rows; a template with a body of its own decides by its fields."""
        if self.given:
            return self.plain.calls(rows, self)
        body = json.dumps({"instances": self.instances(rows)}, default=plain)  # NaN is one of its literals
        return [self.plain.one_call(rows, body.encode("utf-8"), (), self)]

    def instances(self, rows):
        """The rows as the model's inputs, an object each, or a plain value where there is one input."""
        if not self.metadata.get("inputs"):
            return rows
        tensors = tensors_of(rows, self.metadata["inputs"])
        lists = [tensor.values.tolist() for tensor in tensors]
        if len(tensors) == 1:
            return lists[0]
        return [dict(zip([tensor.name for tensor in tensors], parts)) for parts in zip(*lists)]

    def exchange(self, call):
        """Send a call; its response and the whole body."""
        return self.plain.exchange(call)

    def read(self, call, answered, body, meters):
        """A call's predictions."""
        value = self.plain.value(answered, body)
        predictions = value.get("predictions", value.get("outputs")) if isinstance(value, dict) else None
        answers = None if predictions is None else by_row(predictions, call.rows)
        if answers is None:
            raise Failed("no answer a row", one_line(body))
        return answers

    def close(self):
        """Close the connection."""
        self.plain.close()


def metadata_of(over):
    """Inputs and outputs of the model, in the words of the Open Inference Protocol; nothing where nobody tells."""
    path = over.template["path"].partition("?")[0].rpartition(":")[0]
    try:
        told = over.ask("GET", path + "/metadata")["metadata"]["signature_def"]["signature_def"]
        signature = told.get(SIGNATURE) or next(iter(told.values()))
        return {side: [spec(*item) for item in signature[side].items()] for side in ("inputs", "outputs")}
    except (Failed, KeyError, TypeError, AttributeError, StopIteration):
        return {}


def spec(name, told):
    """One tensor of a signature."""
    dims = told["tensor_shape"].get("dim") or ()
    whole = WHOLE_NUMBERS.fullmatch(told["dtype"])
    datatype = whole.group(1) if whole else DATATYPES.get(told["dtype"], told["dtype"])
    return {"name": name, "datatype": datatype, "shape": [int(dim["size"]) for dim in dims]}
