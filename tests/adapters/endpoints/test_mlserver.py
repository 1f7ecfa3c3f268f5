"""A real Open Inference Protocol server, MLServer with a scikit-learn model: REST, binary tensors and gRPC.

It lives in an environment of its own (``make test-all`` makes it), since its pins are not ours.
"""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from servers import wait_for

from excise.adapters.models.conformance import check_predictor

ENVIRONMENT = Path(os.environ.get("EXCISE_MLSERVER", Path(sys.prefix) / "mlserver"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ENVIRONMENT / "bin" / "mlserver").exists(), reason="make .venv/.oip"),
]

TRAIN = """
import joblib
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LinearRegression
rows, labels = load_breast_cancer(return_X_y=True)
joblib.dump(LinearRegression().fit(rows, labels), "model.joblib")
"""
COLUMNS = """
import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceResponse


class Columns(MLModel):
    async def load(self):
        return True

    async def predict(self, payload):
        found = {one.name: one for one in payload.inputs}
        area = NumpyCodec.decode_input(found["area"])
        names = StringCodec.decode_input(found["name"])
        flags = NumpyCodec.decode_input(found["flag"])
        outputs = [
            NumpyCodec.encode_output("double", (2 * area).astype(np.float32)),
            NumpyCodec.encode_output("count", np.array([len(name) for name in names], dtype=np.int64)),
            StringCodec.encode_output("upper", [name.upper() + "!" * int(flag) for name, flag in zip(names, flags)]),
        ]
        return InferenceResponse(model_name=self.name, outputs=outputs)
"""


def tensor(name, datatype, *shape):
    return {"name": name, "datatype": datatype, "shape": list(shape)}


MODELS = {
    "cancer": {
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib", "version": "v1"},
        "inputs": [tensor("rows", "FP64", -1, 30)],
        "outputs": [tensor("predict", "FP64", -1, 1)],
    },
    "plain": {"implementation": "mlserver_sklearn.SKLearnModel", "parameters": {"uri": "../cancer/model.joblib"}},
    "columns": {
        "implementation": "columns.Columns",
        "inputs": [tensor("area", "FP32", -1, 1), tensor("name", "BYTES", -1), tensor("flag", "BOOL", -1)],
        "outputs": [tensor("double", "FP32", -1, 1), tensor("count", "INT64", -1), tensor("upper", "BYTES", -1)],
    },
}


@pytest.fixture(scope="module")
def mlserver(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mlserver")
    for name, settings in MODELS.items():
        (folder / name).mkdir()
        (folder / name / "model-settings.json").write_text(json.dumps({"name": name, **settings}))
    (folder / "columns" / "columns.py").write_text(COLUMNS)
    subprocess.run([ENVIRONMENT / "bin" / "python", "-c", TRAIN], cwd=folder / "cancer", check=True)
    http, grpc, metrics = free_ports(3)
    settings = {"host": "127.0.0.1", "http_port": http, "grpc_port": grpc, "metrics_port": metrics}
    settings.update(parallel_workers=0, debug=False, metrics_endpoint=None)
    (folder / "settings.json").write_text(json.dumps(settings))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [ENVIRONMENT / "bin" / "mlserver", "start", folder], stdout=log, stderr=log, cwd=folder
        )
        try:
            wait_for(f"http://127.0.0.1:{http}/v2/health/ready", process, folder / "log")
            yield f"http://127.0.0.1:{http}", f"grpc://127.0.0.1:{grpc}"
        finally:
            process.terminate()
            process.wait(20)


def free_ports(count):
    with ExitStack() as opened:
        found = [opened.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in found]


@pytest.fixture(params=["rest", "grpc"])
def model(request, mlserver, ask):
    """Loads a model by its name, over either way."""

    def load_model(name):
        rest, grpc = mlserver
        return ask(f"{grpc}/{name}") if request.param == "grpc" else ask(rest, f"POST /v2/models/{name}/infer")

    return load_model


def test_a_model_of_one_input_takes_all_columns_as_a_matrix(model, cancer):
    predictor = model("cancer")
    rows = cancer.frame[:6].to_dict("records")
    check_predictor(predictor, batches=[[row] for row in rows], whole=rows)
    assert predictor.failures() == {}
    assert predictor.signature["inputs"] == [{"name": "rows", "dtype": "float64", "shape": [None, 30]}]
    answers = np.array([row["predict"] for row in predictor.predict(rows)]).ravel()
    assert np.abs(answers - cancer.labels[:6]).max() < 0.6


def test_columns_become_the_inputs_of_their_names(model):
    predictor = model("columns")
    rows = [{"id": 1, "area": 1.5, "name": "ä", "flag": True}, {"id": 2, "area": -2.0, "name": "bc", "flag": False}]
    answers = predictor.predict(rows)
    assert predictor.failures() == {}, predictor.last_failure
    assert answers == [{"double": 3.0, "count": 1, "upper": "Ä!"}, {"double": -4.0, "count": 2, "upper": "BC"}]
    with pytest.raises(KeyError, match="missing column name"):
        predictor.predict([{"area": 1.0, "flag": True}])


def test_a_model_without_metadata_gets_one_matrix(model, cancer):
    predictor = model("plain")
    rows = cancer.frame[:3].to_dict("records")
    assert len(predictor.predict(rows)) == 3
    assert predictor.failures() == {}


def test_what_the_server_refuses_is_counted(mlserver, ask):
    rest, grpc = mlserver
    binary = ask(rest, "POST /v2/models/cancer/infer", protocol="oip-binary")
    assert binary.predict([{"x": 1.0}]) == [None]
    assert [name[:4] for name in binary.failures()] == ["500 "]  # it has no binary tensors over HTTP
    wrong = ask(f"{grpc}/cancer")
    assert wrong.predict([{"x": 1.0}]) == [None]
    assert all(name.startswith("gRPC ") for name in wrong.failures())
    with pytest.raises(LookupError, match="tells nothing of /v2/models/nobody: 404 Not Found"):
        ask(rest, "POST /v2/models/nobody/infer")
    with pytest.raises(LookupError, match="tells nothing of nobody: gRPC "):
        ask(f"{grpc}/nobody")
