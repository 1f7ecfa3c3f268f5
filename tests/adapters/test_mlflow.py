"""``mlflow:`` leads to registered models and artifacts of runs; a folder with ``MLmodel`` is a model."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec

import pytest

from excise.adapters.models import find, installed
from excise.adapters.registries.conformance import check_registry
from excise.adapters.registries.mlflow import Mlflow, demand_reach
from excise.api.subjects import open_model
from excise.core.errors import InputError, InvalidRef, MissingExtra, ModelError, NotFound, UntrustedPickle
from excise.core.predictor import InputKind
from excise.core.refs import ModelRef
from excise.core.registry import Terms

needs_mlflow = pytest.mark.skipif(find_spec("mlflow") is None, reason="MLflow is not installed")
needs_yaml = pytest.mark.skipif(find_spec("yaml") is None, reason="PyYAML comes with MLflow")

LOG = """
import json, sys
import mlflow, mlflow.sklearn, mlflow.pyfunc
from mlflow.models import infer_signature
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.pipeline import make_pipeline

frame, labels = load_breast_cancer(return_X_y=True, as_frame=True)
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, labels)


class Doubling(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return 2 * model_input["mean radius"]


signature = infer_signature(frame, model.predict(frame))
client = mlflow.MlflowClient()
mlflow.set_experiment(experiment_id=client.create_experiment("flights", artifact_location=sys.argv[2]))
with mlflow.start_run() as run:
    for form in ("skops", "cloudpickle"):
        mlflow.sklearn.log_model(model, name="model", serialization_format=form, signature=signature,
                                 pip_requirements=[], registered_model_name="flights")
    mlflow.pyfunc.log_model(name="double", python_model=Doubling(), pip_requirements=[],
                            signature=infer_signature(frame, labels), registered_model_name="double")
    mlflow.log_artifact(sys.argv[1], "files")
client.set_registered_model_alias("flights", "champion", "1")
print(json.dumps(run.info.run_id))
"""
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "PYTHONWARNINGS": "ignore"}


@pytest.fixture(scope="module")
def tracking(tmp_path_factory, models):
    """A tracking database with two versions of a model, one pyfunc model and one plain file; (URI, run)."""
    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder}/mlflow.db"
    done = subprocess.run(
        [sys.executable, "-c", LOG, models / "boosting.skops", (folder / "artifacts").as_uri()],
        env=os.environ | QUIET | {"MLFLOW_TRACKING_URI": uri},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return uri, json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def store(tracking, monkeypatch):
    """The same, named by the environment; the run's identifier."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking[0])
    return tracking[1]


@needs_mlflow
@pytest.mark.slow
def test_it_keeps_the_contract(store, tmp_path):
    missing = ["mlflow:models:/flights@rival", "mlflow:models:/lost/1", f"mlflow:runs:/{store}/lost", "mlflow:flights"]
    ref = ModelRef.parse("mlflow:models:/flights@champion")
    assert "brings the model here" in check_registry(Mlflow(), ref, tmp_path / "kept", missing=missing)


@needs_mlflow
@pytest.mark.slow
def test_an_alias_leads_to_its_version_and_the_file_of_its_flavor(store, tmp_path, load, cancer):
    told = []
    opened = open_model("mlflow:models:/flights@champion", trust_pickle=False, project=tmp_path, tell=told.append)
    assert opened.subject.kind == "sklearn"
    assert opened.subject.ref.name == "flights"
    assert opened.subject.files[0].endswith("/model.skops")
    assert opened.origin.startswith("models:/flights/1 in sqlite:")
    assert told == [f"fetching flights 1, {told[0].rpartition(' MB')[0].rpartition(', ')[2]} MB"]
    assert load(opened.subject.variant.loader).predict(cancer.frame[:2]).shape == (2, 2)


@needs_mlflow
@pytest.mark.slow
def test_a_version_that_is_a_pickle_needs_trust(store, tmp_path):
    with pytest.raises(UntrustedPickle, match=r"model\.pkl is a pickle"):
        open_model("mlflow:models:/flights/2", trust_pickle=False, project=tmp_path)
    assert open_model("mlflow:models:/flights/latest", trust_pickle=True, project=tmp_path).subject.kind == "sklearn"


@needs_mlflow
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_another_flavor_is_loaded_by_pyfunc_as_mlflow_does(store, tmp_path, load, cancer):
    with pytest.raises(UntrustedPickle, match=r"mlflow\.pyfunc"):
        open_model("mlflow:models:/double/1", trust_pickle=False, project=tmp_path)
    subject = open_model("mlflow:models:/double/1", trust_pickle=True, project=tmp_path).subject
    assert (subject.kind, subject.default_input) == ("mlflow", InputKind.FRAME)
    predictor = load(subject.variant.loader)
    assert predictor.signature["inputs"][0] == {"name": "mean radius", "dtype": "float64", "shape": [None]}
    expected = 2 * cancer.frame["mean radius"][:3].to_numpy()
    assert list(predictor.predict(cancer.frame[:3])) == list(expected)
    assert list(predictor.predict(cancer.frame[:3].to_dict("records"))) == list(expected)
    assert list(predictor.predict({name: cancer.frame[name][:3].to_numpy() for name in cancer.frame})) == list(expected)


@needs_mlflow
@pytest.mark.slow
@pytest.mark.parametrize("path", ["files", "files/boosting.skops"])
def test_a_file_logged_by_a_run_is_a_model_as_it_stands(store, tmp_path, path):
    opened = open_model(f"mlflow:runs:/{store}/{path}", trust_pickle=False, project=tmp_path)
    assert opened.subject.files[0].endswith("boosting.skops")


@needs_mlflow
@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("mlflow:models:/flights@rival", "no alias 'rival'", "there are: champion"),
        ("mlflow:models:/flights/9", "no version '9'", "there are: 1, 2"),
        ("mlflow:models:/fligths/1", "no registered model 'fligths'", "there are: double, flights"),
        ("mlflow:runs:/0000/model", "no run 0000", "mlflow runs search"),
    ],
)
def test_what_is_not_there_names_what_is(store, tmp_path, text, said, hint):
    with pytest.raises(NotFound, match=said) as caught:
        Mlflow().fetch(ModelRef.parse(text), Terms(folder=tmp_path))
    assert caught.value.hint.startswith(hint)


@needs_mlflow
@pytest.mark.slow
def test_a_store_that_does_not_exist_is_not_made(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(NotFound, match=r"no MLflow store .*none\.db"):
        Mlflow().fetch(ModelRef.parse("mlflow:models:/flights/1"), Terms(folder=tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def server(tracking, tmp_path):
    """A real tracking server on loopback, in front of the same database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["server", "--host", "127.0.0.1", "--port", str(port), "--backend-store-uri", tracking[0], "--workers", "1"]
    quiet = QUIET | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (tmp_path / "server.log").open("wb") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words, "--default-artifact-root", str(tmp_path)],
            env=os.environ | quiet, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    yield wait_for(f"http://127.0.0.1:{port}", running)
    os.killpg(running.pid, signal.SIGTERM)
    running.wait()


def wait_for(url, running):
    for _ in range(400):
        try:
            urllib.request.urlopen(f"{url}/health", timeout=2).close()
        except OSError:
            assert running.poll() is None
            time.sleep(0.2)
        else:
            return url
    pytest.fail("the server did not start")


@needs_mlflow
@pytest.mark.slow
def test_a_server_is_asked_as_mlflow_asks_it_and_a_version_is_downloaded_once(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    told = []
    terms = Terms(folder=tmp_path / "kept", tell=told.append)
    found = [Mlflow().fetch(ModelRef.parse("mlflow:models:/flights@champion"), terms) for _ in range(2)]
    assert found[0] == found[1]
    assert len(told) == 1
    with pytest.raises(InputError, match="--offline forbids it"):
        Mlflow().fetch(ModelRef.parse("mlflow:models:/flights@champion"), Terms(folder=tmp_path, offline=True))


def test_a_server_that_is_down_is_named_in_seconds(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    started = time.monotonic()
    with pytest.raises(InputError, match=r"cannot reach MLflow at 127\.0\.0\.1:9: .*refused"):
        Mlflow().fetch(ModelRef.parse("mlflow:models:/flights/1"), Terms(folder=tmp_path))
    assert time.monotonic() - started < 5


def test_a_server_behind_a_proxy_is_left_to_mlflow(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    demand_reach("mlflow.invalid", 80)


def test_what_is_no_uri_of_mlflow_is_refused(tmp_path):
    with pytest.raises(InvalidRef, match="names nothing in MLflow"):
        Mlflow().fetch(ModelRef.parse("mlflow:flights@champion"), Terms(folder=tmp_path))


def test_without_mlflow_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("excise.adapters.models.inspection.find_spec", lambda _name: None)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(MissingExtra) as caught:
        Mlflow().fetch(ModelRef.parse("mlflow:models:/flights/1"), Terms(folder=tmp_path))
    assert caught.value.hint == "pip install 'excise[mlflow]'"


@needs_yaml
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("flavors: {sklearn: {pickled_model: ../boosting.skops}}\n", "outside its folder"),
        ("flavors: {spark: {model_data: sparkml}}\n", "no pyfunc flavor, only spark"),
        ("flavors: 3\n", "describes no model"),
        ("{", "describes no model"),
        ("- a\n", "describes no model"),
    ],
)
def test_a_description_that_leads_nowhere_is_refused(tmp_path, models, content, said):
    (tmp_path / "boosting.skops").write_bytes((models / "boosting.skops").read_bytes())
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "MLmodel").write_text(content)
    assert [adapter.name for adapter in installed() if adapter.matches(ModelRef.parse(str(folder)))] == ["mlflow"]
    with pytest.raises(ModelError, match=said):
        find(ModelRef.parse(str(folder)), trust_pickle=True)
