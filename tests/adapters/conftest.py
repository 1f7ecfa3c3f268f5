"""Small real models of every kind, made once per test session."""

import warnings
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from types import SimpleNamespace

import catboost
import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

HANDLER = """
import json
import pathlib

import joblib
import pandas as pd

HERE = pathlib.Path(__file__).parent


def validate_again(rows):
    for row in rows:
        json.dumps(row)


def audit_log(rows, answers):
    assert len(rows) == len(answers)


class Handler:
    required = {"audit_log": "the regulator asks for it"}

    def __init__(self):
        self.model = joblib.load(HERE / "boosting.joblib")

    def preprocess(self, rows):
        return pd.DataFrame(rows)[list(self.model.feature_names_in_)]

    def predict(self, frame):
        return self.model.predict_proba(frame)

    def postprocess(self, probabilities):
        return [float(p) for p in probabilities[:, 1]]

    def __call__(self, rows):
        validate_again(rows)
        answers = self.postprocess(self.predict(self.preprocess(rows)))
        audit_log(rows, answers)
        return answers


def double(rows):
    return [2 * row["mean radius"] for row in rows]


class Bare:
    pass


broken = Bare()
"""


@pytest.fixture(scope="session")
def cancer():
    """scikit-learn's breast cancer data as a frame and labels."""
    frame, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    return SimpleNamespace(frame=frame, labels=labels.to_numpy(), array=frame.to_numpy())


@pytest.fixture(scope="session")
def mixed():
    """A frame with text, integers and nulls, and labels that depend on all of them."""
    random = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "carrier": random.choice(["AA", "DL", "UA"], 400),
            "distance": random.normal(500, 100, 400),
            "hour": random.integers(0, 24, 400),
            "temp": np.where(random.random(400) < 0.1, np.nan, random.normal(size=400)),
        }
    )
    labels = (frame.distance + 60 * (frame.carrier == "AA") + 10 * frame.hour > 640).to_numpy().astype(int)
    return SimpleNamespace(frame=frame, labels=labels)


@pytest.fixture(scope="session")
def models(tmp_path_factory, cancer, mixed):
    """Folder with one file per kind of model."""
    folder = tmp_path_factory.mktemp("models")
    save_estimators(folder, cancer, mixed)
    save_boosters(folder, cancer)
    if find_spec("torch"):  # the extra that is too large for every checkout
        save_modules(folder)
    (folder / "serve.py").write_text(HANDLER)
    return folder


def save_estimators(folder, cancer, mixed):
    boosting = GradientBoostingClassifier(n_estimators=30, random_state=0).fit(cancer.frame, cancer.labels)
    histogram = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(cancer.array, cancer.labels)
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["carrier"]),
        (make_pipeline(SimpleImputer(), StandardScaler()), ["distance", "hour", "temp"]),
    )
    pipeline = make_pipeline(columns, LogisticRegression()).fit(mixed.frame, mixed.labels)
    joblib.dump(boosting, folder / "boosting.joblib")
    skops.io.dump(boosting, folder / "boosting.skops")
    skops.io.dump(histogram, folder / "histogram.skops")
    skops.io.dump(pipeline, folder / "pipeline.skops")


def save_boosters(folder, cancer):
    """Fitted on arrays as ``booster.*``, on the frame as ``named.*``."""
    for stem, inputs in (("booster", cancer.array), ("named", cancer.frame)):
        forest = xgboost.train(
            {"objective": "binary:logistic", "max_depth": 3}, xgboost.DMatrix(inputs, cancer.labels), 20
        )
        forest.save_model(folder / f"{stem}.json")
        forest.save_model(folder / f"{stem}.ubj")
        leaves = lightgbm.Dataset(inputs, cancer.labels)
        lightgbm.train({"objective": "binary", "verbose": -1}, leaves, 20).save_model(folder / f"{stem}.lgb")
        oblivious = catboost.CatBoostClassifier(iterations=20, depth=3, verbose=0, allow_writing_files=False)
        oblivious.fit(inputs, cancer.labels).save_model(str(folder / f"{stem}.cbm"))


def save_modules(folder):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(30, 64), torch.nn.ReLU(), torch.nn.Linear(64, 2), torch.nn.Softmax(-1))
    module.eval()
    example = torch.randn(4, 30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exported = torch.export.export(module, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
        torch.export.save(exported, str(folder / "mlp.pt2"))
        torch.jit.trace(module, example).save(str(folder / "mlp.pt"))
        free = {"x": {0: "batch"}, "y": {0: "batch"}}
        torch.onnx.export(
            module, (example,), str(folder / "mlp.onnx"), dynamo=False, input_names=["x"], output_names=["y"],
            dynamic_axes=free, opset_version=17,
        )  # fmt: skip


@pytest.fixture
def load():
    """Loads a model as a worker would: by the subject's loader file."""

    def load_spec(spec):
        found = spec_from_file_location("_loader_under_test", spec.loader)
        module = module_from_spec(found)
        found.loader.exec_module(module)
        return module.load(spec.target, dict(spec.options))

    return load_spec
