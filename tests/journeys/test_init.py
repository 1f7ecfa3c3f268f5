"""``excise init && excise audit`` needs no flag on the folders that people have."""

import shutil
from importlib.util import find_spec

import pytest
import skops.io
from sklearn.linear_model import LinearRegression

pytestmark = pytest.mark.timeout(170)

SERVICE = """
import skops.io
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

model = skops.io.load("model.skops")


async def predict(request):
    row = await request.json()
    return JSONResponse({"y": float(model.predict([[row["a"], row["b"]]])[0])})


app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
"""


@pytest.fixture
def small(folder):
    """One row set and a model of it, with nothing else in the folder."""
    for name in ("handlers.py", "reference.csv", "numbers.csv"):
        (folder / name).unlink()
    rows = [(index % 50, (7 * index) % 30) for index in range(200)]
    (folder / "current.csv").write_text("\n".join(["a,b,y", *(f"{a},{b},{a + 2 * b}" for a, b in rows)]) + "\n")
    skops.io.dump(LinearRegression().fit(rows, [a + 2 * b for a, b in rows]), folder / "model.skops")
    return folder


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
    (small / "model.skops").unlink()
    (small / "serve.py").write_text("def handler(rows):\n    return [row['a'] + 2 * row['b'] for row in rows]\n")
    assert "found model: serve.py:handler" in audited(excise)


def test_on_a_model_file_and_a_table(excise, small):
    assert "found model: model.skops" in audited(excise)


@pytest.mark.skipif(find_spec("starlette") is None, reason="Starlette is not installed")
def test_on_a_model_a_table_and_an_application(excise, small):
    (small / "service.py").write_text(SERVICE)
    told = audited(excise)
    assert "found model: asgi:service:app" in told
    assert "found request: POST /predict" in told
    shutil.rmtree(small / "__pycache__", ignore_errors=True)
