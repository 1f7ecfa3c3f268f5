"""The Open Inference Protocol over gRPC: ``grpc://host:port/model[/versions/V]``, in clear text.

Self-contained: stdlib, numpy and grpcio, Python 3.8 syntax. All rows of a call are one request, tensors are raw bytes.
"""

import os
import struct
from urllib.parse import unquote, urlsplit

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # it reads this when it is imported
import grpc

import _excise_loader_messages as messages  # endpoint.py has loaded them under these names
from _excise_loader_response import MAX_ANSWER, Failed, one_line
from _excise_loader_tensors import answers_of, signature_of, tensors_of

SERVICE = "/inference.GRPCInferenceService/"
OPTIONS = (
    ("grpc.max_receive_message_length", MAX_ANSWER),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_http_proxy", 0),
)
NAMES = {"DEADLINE_EXCEEDED": "timeout"}


class Call(object):
    """One request, encoded, and the number of rows that it answers."""

    __slots__ = ("protocol", "data", "rows")

    def __init__(self, protocol, data, rows):
        self.protocol = protocol
        self.data = data
        self.rows = rows


class Grpc(object):
    """A model behind gRPC; its metadata is asked for once."""

    def __init__(self, url, timeout_s, headers=()):
        parts = urlsplit(url)
        names = [unquote(part) for part in parts.path.strip("/").split("/")]
        self.model, self.version = names[0], names[2] if len(names) == 3 else ""
        self.timeout_s = timeout_s
        self.headers = [(name.lower(), value) for name, value in headers]
        self.channel = grpc.insecure_channel(parts.netloc, options=OPTIONS)
        self.infer = self.channel.unary_unary(SERVICE + "ModelInfer")
        metadata = self.metadata()
        self.inputs = metadata["inputs"]
        self.signature = signature_of(metadata)

    def metadata(self):
        """What the server says of the model.

        Raises:
            LookupError: it does not know the model, or does not answer.
        """
        ask = self.channel.unary_unary(SERVICE + "ModelMetadata")
        try:
            told = self.asked(ask, messages.name_request(self.model, self.version))
            return messages.metadata(told)
        except (Failed, LookupError, TypeError, ValueError) as error:
            self.channel.close()
            raise LookupError("the server tells nothing of %s: %s" % (self.model, error))

    def calls(self, rows):
        """One call of all rows."""
        data = messages.infer_request(self.model, self.version, tensors_of(rows, self.inputs))
        return [Call(self, data, len(rows))]

    def exchange(self, call):
        """Send a call; the bytes of its answer."""
        return None, self.asked(self.infer, call.data)

    def read(self, call, answered, data, meters):
        """Each row's outputs by their names."""
        try:
            answers = answers_of(messages.outputs(data), call.rows)
        except (LookupError, OverflowError, TypeError, ValueError, struct.error) as error:
            raise Failed("malformed outputs", "%s: %s" % (type(error).__name__, error))
        if answers is None:
            raise Failed("no answer a row", "the outputs are not as long as the rows")
        return answers

    def asked(self, method, data):
        """The bytes that a method answers.

        Raises:
            Failed: by gRPC's status.
        """
        try:
            return method(data, timeout=self.timeout_s, metadata=self.headers)
        except grpc.RpcError as error:
            status = error.code().name
            raise Failed(NAMES.get(status, "gRPC " + status), one_line((error.details() or "").encode("utf-8")))

    def close(self):
        """Close the channel."""
        self.channel.close()
