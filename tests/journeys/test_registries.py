"""A model that a registry keeps is audited as one that lies in the folder."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

LOG = """
import mlflow, mlflow.sklearn, numpy, pandas
from sklearn.ensemble import GradientBoostingRegressor

random = numpy.random.default_rng(0)
frame = pandas.DataFrame(random.normal(size=(400, 3)), columns=["hour", "distance", "wind"])
delay = 3 * frame.wind + frame.hour
model = GradientBoostingRegressor(n_estimators=30).fit(frame, delay)
frame.assign(delay=delay).to_parquet("cur.parquet")
with mlflow.start_run():
    mlflow.sklearn.log_model(model, name="model", pip_requirements=[], registered_model_name="flights",
                             skops_trusted_types=["sklearn.tree._tree.Tree"], signature=None)
mlflow.MlflowClient().set_registered_model_alias("flights", "champion", "1")
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(find_spec("mlflow") is None, reason="MLflow is not installed")
def test_the_champion_of_a_registry_is_audited_by_its_name(excise, folder):
    there = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db", "MLFLOW_DISABLE_TELEMETRY": "true"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", LOG], cwd=folder, env=os.environ | there, check=True)
    audit = ("audit", "mlflow:models:/flights@champion", "--current", "cur.parquet", "--target", "delay")
    done = excise(*audit, "--budget", "6s", "--force", "--json", timeout=200, **there)
    assert done.code in {0, 3}, done.err
    assert done.document["model"]["name"] == "flights"
    assert done.document["model"]["origin"].startswith("models:/flights/1 in sqlite:")
    assert done.document["model"]["kind"] == "sklearn"
    lost = excise("audit", "mlflow:models:/flights@rival", "--current", "cur.parquet", **there)
    assert (lost.code, lost.out) == (2, "")
    assert lost.err.splitlines()[-1] == "Hint: there are: champion"
    made = excise("release", "create", "mlflow:models:/flights/1", "--name", "flights", **there)
    assert made.code == 0, made.err
    assert "flights@1 created" in made.out
