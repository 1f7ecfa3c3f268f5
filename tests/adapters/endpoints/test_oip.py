"""Tensors of the Open Inference Protocol, held against numpy's and protobuf's own reading of the bytes."""

import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from servers import running

pytest.importorskip("grpc")

ROWS = [
    {"id": 1, "area": 1.5, "name": "ä"},
    {"id": -2, "area": None, "name": None},
    {"id": 3, "area": 0.25, "name": "c"},
]
INPUTS = [
    {"name": "id", "datatype": "INT32", "shape": [-1]},
    {"name": "area", "datatype": "FP64", "shape": [-1, 1]},
    {"name": "name", "datatype": "BYTES", "shape": [-1, 1]},
]
INFER = "/v2/models/m/versions/2/infer"


def replying(metadata, reply):
    """A server of one model; ``reply(body, headers)`` gives status, body and headers of an answer."""

    def tell(handler, _body):
        handler.reply(200, json.dumps(metadata))

    def infer(handler, body):
        status, data, headers = reply(body, handler.headers)
        handler.reply(status, data, **headers)

    return running({"/v2/models/m/versions/2": tell, INFER: infer, "/v2/models/m/infer": infer, "/v2/models/m": tell})


def outputs(*listed, status=200):
    return lambda _body, _headers: (status, json.dumps({"outputs": listed}), {})


def output(name, datatype, shape, data):
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


def test_all_rows_of_a_call_are_one_request_of_named_tensors(ask):
    reply = outputs(
        output("y", "FP32", [3, 2], [1, 2, 3, 4, 5, 6]),
        output("z", "BYTES", [3, 1], ["a", "b", "c"]),
        output("n", "INT64", [3], [[7], [8], [9]]),
    )
    with replying({"name": "m", "inputs": INPUTS, "outputs": []}, reply) as server:
        answers = ask(server.url, f"POST {INFER}", headers=[["X-Key", "k"]]).predict(ROWS)
        assert answers[0] == {"y": [1.0, 2.0], "z": "a", "n": 7}
        assert answers[2] == {"y": [5.0, 6.0], "z": "c", "n": 9}
        assert [headers["X-Key"] for _, _, headers, _ in server.seen] == ["k", "k"]
        assert json.loads(server.seen[-1][3]) == {
            "inputs": [
                {"name": "id", "shape": [3], "datatype": "INT32", "data": [1, -2, 3]},
                {"name": "area", "shape": [3, 1], "datatype": "FP64", "data": [1.5, None, 0.25]},
                {"name": "name", "shape": [3, 1], "datatype": "BYTES", "data": ["ä", None, "c"]},
            ]
        }


def test_the_only_input_takes_all_columns_in_its_own_shape(ask):
    metadata = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2, 2]}]}
    with replying(metadata, outputs(output("y", "FP32", [1], [0.5]))) as server:
        predictor = ask(server.url, "POST /v2/models/m/infer")
        assert predictor.predict([{"a": 1, "b": 2, "c": 3, "d": 4}]) == [{"y": 0.5}]
        (tensor,) = json.loads(server.seen[-1][3])["inputs"]
        assert (tensor["shape"], tensor["data"]) == ([1, 2, 2], [1.0, 2.0, 3.0, 4.0])
        assert predictor.signature["inputs"] == [{"name": "x", "dtype": "float32", "shape": [None, 2, 2]}]
        with pytest.raises(ValueError, match="could not convert"):
            predictor.predict([{"a": "seven", "b": 2, "c": 3, "d": 4}])


@pytest.mark.parametrize(
    ("reply", "name"),
    [
        (outputs(output("y", "FP32", [2], [1, 2])), "no answer a row"),
        (outputs(output("y", "FP32", [3], [1, 2])), "malformed outputs"),
        (outputs({"name": "y"}), "malformed outputs"),
        (outputs(), "no answer a row"),
        (outputs(status=400), "400 Bad Request"),
        (lambda _b, _h: (200, "[]", {}), "malformed outputs"),
        (lambda _b, _h: (200, "{}{", {"Inference-Header-Content-Length": "3"}), "malformed JSON"),
        (lambda _b, _h: (200, "{}", {"Inference-Header-Content-Length": "x"}), "malformed JSON"),
    ],
)
def test_answers_that_do_not_fit_are_counted(ask, reply, name):
    with replying({"inputs": INPUTS}, reply) as server:
        predictor = ask(server.url, f"POST {INFER}")
        assert predictor.predict(ROWS) == [None] * 3
        assert predictor.failures() == {name: 1}


def test_binary_tensors_are_bytes_behind_the_json_both_ways(ask):
    def reply(body, headers):
        length = int(headers["Inference-Header-Content-Length"])
        head, data = json.loads(body[:length]), body[length:]
        sizes = [one["parameters"]["binary_data_size"] for one in head["inputs"]]
        ids, areas, names = np.split(np.frombuffer(data, "u1"), np.cumsum(sizes)[:-1])
        assert np.frombuffer(ids.tobytes(), "<i4").tolist() == [1, -2, 3]
        assert np.isnan(np.frombuffer(areas.tobytes(), "<f8")[1])
        assert names.tobytes() == b"\2\0\0\0\xc3\xa4\0\0\0\0\1\0\0\0c"
        assert head["parameters"] == {"binary_data_output": True}
        listed = dict(output("s", "INT8", [3], [1, 2, 3]))
        raw = {"name": "y", "datatype": "FP16", "shape": [3, 1], "parameters": {"binary_data_size": 6}}
        text = {"name": "t", "datatype": "BYTES", "shape": [3], "parameters": {"binary_data_size": len(names)}}
        told = json.dumps({"outputs": [raw, listed, text]}).encode()
        halves = np.array([0.5, 1.5, -2], "<f2").tobytes()
        return 200, told + halves + names.tobytes(), {"Inference-Header-Content-Length": str(len(told))}

    with replying({"inputs": INPUTS}, reply) as server:
        predictor = ask(server.url, f"POST {INFER}", protocol="oip-binary")
        answers = predictor.predict(ROWS)
        assert predictor.failures() == {}, predictor.last_failure
        assert answers == [
            {"y": 0.5, "s": 1, "t": "ä"}, {"y": 1.5, "s": 2, "t": ""}, {"y": -2.0, "s": 3, "t": "c"},
        ]  # fmt: skip


TENSOR = [("name", 1, "string"), ("datatype", 2, "string"), ("shape", 3, "int64*")]
CONTENTS = [("bool_contents", 1, "bool*"), ("int_contents", 2, "int32*"), ("int64_contents", 3, "int64*"),
            ("uint_contents", 4, "uint32*"), ("uint64_contents", 5, "uint64*"), ("fp32_contents", 6, "float*"),
            ("fp64_contents", 7, "double*"), ("bytes_contents", 8, "bytes*")]  # fmt: skip
MESSAGES = {
    "Metadata": TENSOR,
    "MetadataRequest": [("name", 1, "string"), ("version", 2, "string")],
    "MetadataResponse": [("name", 1, "string"), ("inputs", 4, "Metadata*"), ("outputs", 5, "Metadata*")],
    "Contents": CONTENTS,
    "Tensor": [*TENSOR, ("contents", 5, "Contents")],
    "InferRequest": [("model_name", 1, "string"), ("model_version", 2, "string"), ("inputs", 5, "Tensor*"),
                     ("raw_input_contents", 7, "bytes*")],
    "InferResponse": [("model_name", 1, "string"), ("outputs", 5, "Tensor*"), ("raw_output_contents", 6, "bytes*")],
}  # fmt: skip


@pytest.fixture(scope="module")
def protobuf():
    """The protocol's messages, as protobuf itself writes and reads them."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="oip.proto", package="oip", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            plain = kind.rstrip("*")
            made = message.field.add(name=field, number=number, label=3 if kind.endswith("*") else 1)
            if plain in MESSAGES:
                made.type, made.type_name = 11, f".oip.{plain}"
            else:
                made.type = getattr(made, f"TYPE_{plain.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = {name: pool.FindMessageTypeByName(f"oip.{name}") for name in MESSAGES}
    return SimpleNamespace(**{name: message_factory.GetMessageClass(one) for name, one in found.items()})


@pytest.fixture
def serving(protobuf):
    """A gRPC server on protobuf's messages, whose answer is what the test sets."""
    import grpc

    state = SimpleNamespace(asked=None, answer=None)

    def tell(data, context):
        asked = protobuf.MetadataRequest.FromString(data)
        if asked.name != "m":
            context.abort(grpc.StatusCode.NOT_FOUND, f"no model {asked.name}")
        inputs = [protobuf.Metadata(**spec) for spec in INPUTS]
        return protobuf.MetadataResponse(name="m", inputs=inputs).SerializeToString()

    def infer(data, context):
        state.asked = protobuf.InferRequest.FromString(data)
        state.headers = dict(context.invocation_metadata())
        return state.answer(context)

    methods = {"ModelMetadata": tell, "ModelInfer": infer}
    handlers = {name: grpc.unary_unary_rpc_method_handler(method) for name, method in methods.items()}
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("inference.GRPCInferenceService", handlers)])
    state.url = f"grpc://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield state
    server.stop(None).wait()


def test_grpc_messages_are_those_of_protobuf(serving, protobuf, ask):
    serving.answer = lambda _context: protobuf.InferResponse(
        outputs=[
            protobuf.Tensor(name="y", datatype="FP32", shape=[3, 1]),
            protobuf.Tensor(name="t", datatype="BYTES", shape=[3]),
        ],
        raw_output_contents=[np.array([1, 2, 3], "<f4").tobytes(), b"\1\0\0\0a\0\0\0\0\2\0\0\0\xc3\xa4"],
    ).SerializeToString()
    predictor = ask(f"{serving.url}/m/versions/2", headers=[["Authorization", "Bearer t"]])
    assert predictor.predict(ROWS) == [{"y": 1.0, "t": "a"}, {"y": 2.0, "t": ""}, {"y": 3.0, "t": "ä"}]
    asked = serving.asked
    assert (asked.model_name, asked.model_version) == ("m", "2")
    assert [(one.name, one.datatype, list(one.shape)) for one in asked.inputs] == [
        ("id", "INT32", [3]), ("area", "FP64", [3, 1]), ("name", "BYTES", [3, 1]),
    ]  # fmt: skip
    assert np.frombuffer(asked.raw_input_contents[0], "<i4").tolist() == [1, -2, 3]
    assert serving.headers["authorization"] == "Bearer t"


@pytest.mark.parametrize(
    "told",
    [
        ("BOOL", "bool_contents", [True, False, True]),
        ("INT8", "int_contents", [-7, 0, 7]),
        ("INT64", "int64_contents", [-(1 << 60), 0, 1 << 60]),
        ("UINT32", "uint_contents", [0, 1, 1 << 31]),
        ("UINT64", "uint64_contents", [0, 1, (1 << 64) - 1]),
        ("FP32", "fp32_contents", [0.5, -1.5, 2.0]),
        ("FP64", "fp64_contents", [0.1, -1e300, 2.0]),
        ("BYTES", "bytes_contents", [b"a", b"", "ä".encode()]),
    ],
)
def test_contents_of_every_datatype_are_read(serving, protobuf, ask, told):
    datatype, field, values = told
    contents = protobuf.Contents(**{field: values})
    tensor = protobuf.Tensor(name="y", datatype=datatype, shape=[3], contents=contents)
    serving.answer = lambda _context: protobuf.InferResponse(outputs=[tensor]).SerializeToString()
    answers = ask(f"{serving.url}/m").predict(ROWS)
    assert [row["y"] for row in answers] == [value.decode() if datatype == "BYTES" else value for value in values]


def test_grpc_failures_are_counted_by_their_status(serving, ask):
    import grpc

    serving.answer = lambda context: context.abort(grpc.StatusCode.INTERNAL, "out of\nmemory")
    predictor = ask(f"{serving.url}/m")
    assert predictor.predict(ROWS) == [None] * 3
    assert predictor.failures() == {"gRPC INTERNAL": 1}
    assert predictor.last_failure == "gRPC INTERNAL: out of memory"
    serving.answer = lambda _context: b"\x12\xff"
    assert predictor.predict(ROWS) == [None] * 3
    assert predictor.failures() == {"malformed outputs": 1}
    with pytest.raises(LookupError, match="tells nothing of other: gRPC NOT_FOUND: no model other"):
        ask(f"{serving.url}/other")


def test_a_grpc_server_that_is_too_slow_is_a_timeout(serving, ask):
    import time

    serving.answer = lambda _context: time.sleep(0.5) or b""
    predictor = ask(f"{serving.url}/m")
    predictor.protocol.timeout_s = 0.1
    assert predictor.predict(ROWS) == [None] * 3
    assert predictor.failures() == {"timeout": 1}
