"""Graphs of TensorFlow Lite and OpenVINO: the same logistic regression, written with each library's own builder."""

import shutil

import flatbuffers
import numpy as np
import openvino
import pytest
from ai_edge_litert import schema_py_generated as schema
from openvino import opset13
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from excise.adapters.models import find
from excise.adapters.models.conformance import check_predictor, check_worker, same
from excise.core.errors import ModelError
from excise.core.refs import ModelRef
from excise.tables import read

ROWS = 6
BFLOAT16 = 0.02
"""What OpenVINO rounds to on a CPU that has it, unless it is told otherwise."""
GRAPHS = ["regression.tflite", "regression.xml"]


def described(path):
    return find(ModelRef.parse(str(path)))


def tensor(name, shape, buffer, *, kind=schema.TensorType.FLOAT32, scale=None):
    made = schema.TensorT()
    made.name, made.buffer, made.type = name.encode(), buffer, kind
    made.shape, made.shapeSignature = [max(n, 1) for n in shape], list(shape)
    if scale is not None:
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = [scale], [3]
    return made


def operator(index, inputs, outputs):
    made = schema.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = index, inputs, outputs
    return made


def flatbuffer(codes, tensors, operators, inputs, outputs, *buffers):
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, operators, inputs, outputs
    model = schema.ModelT()
    model.version, model.subgraphs, model.operatorCodes, model.buffers = 3, [graph], [], [schema.BufferT()]
    for code in codes:
        model.operatorCodes.append(schema.OperatorCodeT())
        model.operatorCodes[-1].builtinCode = model.operatorCodes[-1].deprecatedBuiltinCode = code
        model.operatorCodes[-1].version = 1
    for weights in buffers:
        model.buffers.append(schema.BufferT())
        model.buffers[-1].data = np.frombuffer(weights.astype("<f4").tobytes(), np.uint8)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def lite(weights, bias, rows=-1):
    connected = operator(0, [0, 1, 2], [3])
    connected.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    connected.builtinOptions = schema.FullyConnectedOptionsT()
    tensors = [
        tensor("x", (rows, 30), 0),
        tensor("weights", (1, 30), 1),
        tensor("bias", (1,), 2),
        tensor("sum", (rows, 1), 0),
        tensor("probability", (rows, 1), 0),
    ]
    codes = [schema.BuiltinOperator.FULLY_CONNECTED, schema.BuiltinOperator.LOGISTIC]
    return flatbuffer(codes, tensors, [connected, operator(1, [3], [4])], [0], [4], weights, bias)


def representation(weights, bias, path):
    x = opset13.parameter([-1, 30], openvino.Type.f32, name="x")
    total = opset13.matmul(x, opset13.constant(weights.T.astype(np.float32)), transpose_a=False, transpose_b=False)
    answer = opset13.sigmoid(opset13.add(total, opset13.constant(bias.astype(np.float32))))
    answer.output(0).set_names({"probability"})
    openvino.save_model(openvino.Model([answer], [x]), path, compress_to_fp16=False)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory, cancer):
    folder = tmp_path_factory.mktemp("graphs")
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(cancer.array, cancer.labels)
    scaler, regression = fitted[0], fitted[1]
    weights = regression.coef_ / scaler.scale_
    bias = regression.intercept_ - weights @ scaler.mean_
    (folder / "regression.tflite").write_bytes(lite(weights, bias))
    (folder / "one_row.tflite").write_bytes(lite(weights, bias, rows=1))
    representation(weights, bias, folder / "regression.xml")
    np.save(folder / "expected.npy", fitted.predict_proba(cancer.array)[:, 1:])
    return folder


@pytest.mark.parametrize("name", [*GRAPHS, "one_row.tflite"])
def test_a_graph_keeps_the_contract_and_answers_as_the_model_it_was_made_of(graphs, cancer, load, name):
    predictor = load(described(graphs / name).variant.loader)
    check_predictor(
        predictor,
        batches=[{"": cancer.array[i : i + 1]} for i in range(ROWS)],
        whole={"": cancer.array[:ROWS]},
        broken={"a wrong shape": {"": cancer.array[:2, :3]}, "a wrong dtype": {"": np.array([["x"] * 30])}},
    )
    assert same(predictor.predict({"": cancer.array}), np.load(graphs / "expected.npy"), BFLOAT16)
    assert predictor.signature["inputs"] == [{"name": "x", "dtype": "float32", "shape": [None, 30]}]
    assert predictor.signature["outputs"] == [{"name": "probability", "dtype": "float32", "shape": [None, 1]}]


@pytest.mark.parametrize("name", GRAPHS)
def test_answers_in_process_and_in_a_worker_are_equal_bytes(graphs, cancer, load, name):
    subject = described(graphs / name)
    spec = subject.variant.loader
    check_worker(load(spec), spec, read(cancer.frame[:ROWS]), kind=subject.default_input)


def test_numbers_that_stand_for_floats_are_given_and_answered_as_floats(load, tmp_path):
    tensors = [
        tensor("x", (-1, 2), 0, kind=schema.TensorType.INT8, scale=0.5),
        tensor("float", (-1, 2), 0),
        tensor("y", (-1, 2), 0, kind=schema.TensorType.INT8, scale=0.25),
    ]
    codes = [schema.BuiltinOperator.DEQUANTIZE, schema.BuiltinOperator.QUANTIZE]
    chain = [operator(0, [0], [1]), operator(1, [1], [2])]
    (tmp_path / "int8.tflite").write_bytes(flatbuffer(codes, tensors, chain, [0], [2]))
    predictor = load(described(tmp_path / "int8.tflite").variant.loader)
    given = np.array([[1.0, -2.5], [3.2, 100.0]])
    assert predictor.predict({"": given}).tolist() == [[1.0, -2.5], [3.0, 31.0]]


def test_openvino_files_are_the_graph_and_its_weights(graphs):
    subject = described(graphs / "regression.xml")
    names = [graphs / "regression.xml", graphs / "regression.bin"]
    assert subject.files == tuple(map(str, names))
    assert subject.variant.size_bytes == sum(name.stat().st_size for name in names)


def test_a_graph_without_its_weights_is_refused(graphs, tmp_path):
    shutil.copy(graphs / "regression.xml", tmp_path)
    with pytest.raises(ModelError, match=r"there is no regression\.bin beside it"):
        described(tmp_path / "regression.xml")
    (tmp_path / "regression.bin").write_bytes((graphs / "regression.bin").read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"regression\.bin is truncated"):
        described(tmp_path / "regression.xml")


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("share", [0.1, 0.4, 0.8, 0.99])
def test_a_graph_that_was_cut_anywhere_is_refused(graphs, tmp_path, name, share):
    shutil.copy(graphs / "regression.bin", tmp_path)
    data = (graphs / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelError, match="truncated"):
        described(tmp_path / name)


@pytest.mark.parametrize(("name", "says"), [("x.tflite", "it is text"), ("x.xml", "no OpenVINO model")])
def test_a_file_that_is_no_graph_is_refused(tmp_path, name, says):
    (tmp_path / name).write_text("<html><body>404</body></html>")
    with pytest.raises(ModelError, match=says):
        described(tmp_path / name)
