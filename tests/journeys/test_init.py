"""``excise init && excise audit`` needs no flag on the folders that people have."""

import shutil
from importlib.util import find_spec

import pytest
from onnx import TensorProto, helper

pytestmark = pytest.mark.timeout(170)

SERVICE = """
import numpy as np
import onnxruntime
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

model = onnxruntime.InferenceSession("model.onnx")


async def predict(request):
    row = await request.json()
    (y,) = model.run(None, {"x": np.array([[row["a"], row["b"]]], dtype=np.float32)})
    return JSONResponse({"y": float(y[0, 0])})


app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
"""


@pytest.fixture
def small(folder):
    """One row set and a model of it, with nothing else in the folder."""
    for name in ("handlers.py", "reference.csv", "numbers.csv"):
        (folder / name).unlink()
    rows = [(index % 50, (7 * index) % 30) for index in range(200)]
    (folder / "current.csv").write_text("\n".join(["a,b,y", *(f"{a},{b},{a + 2 * b}" for a, b in rows)]) + "\n")
    (folder / "model.onnx").write_bytes(linear((1.0, 2.0)))
    return folder


def linear(weights):
    """An ONNX model that multiplies its inputs by these weights."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, k]) for name, k in (("x", 2), ("y", 1)))
    constant = helper.make_tensor("w", TensorProto.FLOAT, [2, 1], weights)
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "linear", [x], [y], [constant])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def audited(excise):
    looked = excise("init", "--check")
    assert looked.code in {0, 4}, looked.out + looked.err
    made = excise("init")
    assert made.code == 0, made.err
    done = excise("audit", EXCISE_AUDIT_BUDGET="5s", EXCISE_AUDIT_PREPARE_BUDGET="5s")
    if done.code == 3:  # a machine that is busy with other tests is told by the audit, not by init
        pytest.skip(done.err or "too noisy")
    assert done.code == 0, done.err
    return made.out


def test_on_a_handler_and_data(excise, small):
    (small / "model.onnx").unlink()
    (small / "serve.py").write_text("def handler(rows):\n    return [row['a'] + 2 * row['b'] for row in rows]\n")
    assert "found model: serve.py:handler" in audited(excise)


def test_on_a_model_file_and_a_table(excise, small):
    assert "found model: model.onnx" in audited(excise)


@pytest.mark.skipif(find_spec("starlette") is None, reason="Starlette is not installed")
def test_on_a_model_a_table_and_an_application(excise, small):
    (small / "service.py").write_text(SERVICE)
    told = audited(excise)
    assert "found model: asgi:service:app" in told
    assert "found request: POST /predict" in told
    shutil.rmtree(small / "__pycache__", ignore_errors=True)
