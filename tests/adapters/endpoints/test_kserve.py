"""A real server with binary tensors over HTTP: KServe's, in an environment of its own."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from servers import wait_for

ENVIRONMENT = Path(os.environ.get("EXCISE_KSERVE", Path(sys.prefix) / "kserve"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ENVIRONMENT / "bin" / "python").exists(), reason="make .venv/.oip"),
]

SERVER = """
import sys

import numpy as np
import uvicorn
from kserve import InferOutput, InferResponse, Model, ModelServer

plain = uvicorn.Config.__init__
uvicorn.Config.__init__ = lambda self, app, **given: plain(self, app, **{**given, "host": "127.0.0.1"})


class Twice(Model):
    def __init__(self):
        super().__init__("twice")
        self.ready = True

    def get_input_types(self):
        datatypes = {"area": "FP32", "half": "FP16", "name": "BYTES", "count": "INT64"}
        return [{"name": name, "datatype": datatype, "shape": [-1, 1]} for name, datatype in datatypes.items()]

    def get_output_types(self):
        return [{"name": "area", "datatype": "FP32", "shape": [-1, 1]}]

    def predict(self, payload, headers=None, response_headers=None):
        outputs = []
        for given in payload.inputs:
            values = given.as_numpy()
            twice = values if values.dtype == object else (2 * values).astype(values.dtype)
            output = InferOutput(name=given.name, shape=list(values.shape), datatype=given.datatype)
            output.set_data_from_numpy(twice, binary_data=payload.use_binary_outputs)
            outputs.append(output)
        return InferResponse(
            response_id="1", model_name=self.name, infer_outputs=outputs, use_binary_outputs=payload.use_binary_outputs
        )


ModelServer(http_port=int(sys.argv[1]), enable_grpc=False, enable_docs_url=False).start([Twice()])
"""
ROWS = [
    {"area": 1.5, "half": 0.25, "name": "ä", "count": 7},
    {"area": None, "half": -1.0, "name": "", "count": -(1 << 40)},
]


@pytest.fixture(scope="module")
def kserve(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kserve")
    (folder / "serve.py").write_text(SERVER)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (folder / "log").open("w") as log:
        command = [ENVIRONMENT / "bin" / "python", "serve.py", str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            wait_for(f"http://127.0.0.1:{port}/v2/health/ready", process, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def test_binary_tensors_go_both_ways(kserve, ask):
    predictor = ask(kserve, "POST /v2/models/twice/infer", protocol="oip-binary")
    first, second = predictor.predict(ROWS)
    assert predictor.failures() == {}, predictor.last_failure
    assert first == {"area": 3.0, "half": 0.5, "name": "ä", "count": 14}
    assert second["area"] != second["area"]  # NaN, which JSON cannot say
    assert second["count"] == -(1 << 41)


def test_what_json_cannot_carry_is_counted(kserve, ask):
    predictor = ask(kserve, "POST /v2/models/twice/infer")
    assert predictor.predict(ROWS[:1]) == [None]
    assert predictor.failures() == {"400 Bad Request": 1}
    assert "FP16" in predictor.last_failure
