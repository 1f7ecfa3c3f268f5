import ast
import os
import pickle
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import skops.io

from excise.adapters.models import LOADERS, find, installed
from excise.adapters.models.conformance import check_predictor, check_worker, same
from excise.core.errors import InvalidRef, Mismatch, ModelError, UntrustedPickle
from excise.core.predictor import InputKind, LoaderSpec, ModelAdapter
from excise.core.refs import ModelRef
from excise.tables import read

ESTIMATORS = ["boosting.joblib", "boosting.skops", "histogram.skops"]
MODULES = ["mlp.pt2", "mlp.pt", "mlp.onnx"] if find_spec("torch") else []
BOOSTERS = ["booster.json", "booster.ubj", "booster.lgb", "booster.cbm"]
FILES = ESTIMATORS + BOOSTERS + MODULES
ROWS = 6

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")


def described(path, **options):
    return find(ModelRef.parse(str(path)), trust_pickle=True, **options)


def matrices(array):
    return [{"": array[i : i + 1]} for i in range(ROWS)], {"": array[:ROWS]}


@pytest.mark.parametrize("name", FILES)
def test_a_model_file_keeps_the_contract(models, cancer, load, name):
    predictor = load(described(models / name).variant.loader)
    batches, whole = matrices(cancer.array)
    broken = {"a wrong shape": {"": cancer.array[:2, :3]}, "a wrong dtype": {"": np.array([["x"] * 30])}}
    passed = check_predictor(predictor, batches=batches, whole=whole, broken=broken)
    assert "threads" in passed
    assert "raises on a wrong shape" in passed


def test_a_frame_model_names_the_missing_column(models, cancer, load):
    predictor = load(described(models / "boosting.skops").variant.loader)
    batches = [cancer.frame[i : i + 1] for i in range(ROWS)]
    broken = {"a missing column": cancer.frame[:2].drop(columns="mean area")}
    check_predictor(predictor, batches=batches, whole=cancer.frame[:ROWS], broken=broken)
    with pytest.raises(KeyError, match="missing column mean area"):
        predictor.predict(broken["a missing column"])


def test_a_pipeline_with_text_answers_frames_records_and_tensors_alike(models, mixed, load):
    predictor = load(described(models / "pipeline.skops").variant.loader)
    frame = mixed.frame[:ROWS]
    assert predictor.default_input == InputKind.FRAME
    kinds = {spec["name"]: spec["dtype"] for spec in predictor.signature["inputs"]}
    assert kinds == {"carrier": "str", "distance": "float64", "hour": "float64", "temp": "float64"}
    check_predictor(predictor, batches=[frame[i : i + 1] for i in range(ROWS)], whole=frame)
    expected = predictor.predict(frame)
    assert same(expected, predictor.predict(frame.to_dict("records")))
    assert same(expected, predictor.predict({name: frame[name].to_numpy() for name in frame}))


def test_a_handler_keeps_the_contract(models, cancer, load):
    predictor = load(described(f"{models}/serve.py:Handler").variant.loader)
    rows = cancer.frame[:ROWS].to_dict("records")
    missing = [{key: value for key, value in row.items() if key != "mean area"} for row in rows]
    check_predictor(
        predictor,
        batches=[[row] for row in rows],
        whole=rows,
        broken={"a missing column": missing, "a wrong dtype": [dict(rows[0], **{"mean area": "big"})]},
    )
    assert predictor.stages == ["preprocess", "predict", "postprocess"]
    assert predictor.shadow
    assert predictor.model is predictor.handler.model


def test_what_is_required_runs_when_the_shadow_pipeline_is_dropped(models, cancer, load):
    predictor = load(described(f"{models}/serve.py:Handler").variant.loader)
    rows, ran = cancer.frame[:2].to_dict("records"), []
    module = sys.modules[type(predictor.handler).__module__]
    predictor.staged(rows, ran.append)
    assert ran == ["preprocess", "predict", "postprocess", "audit_log"]
    seen = []
    original, module.validate_again = module.validate_again, seen.append
    try:
        predictor.staged(rows, ran.append)
        assert seen == []
        predictor.predict(rows)
        assert seen == [rows]
    finally:
        module.validate_again = original


def test_a_plain_function_is_a_handler_without_stages(models, cancer, load):
    predictor = load(described(f"{models}/serve.py:double").variant.loader)
    rows = cancer.frame[:2].to_dict("records")
    assert predictor.stages == []
    assert not predictor.shadow
    assert predictor.predict(rows) == [2 * row["mean radius"] for row in rows]


def test_an_object_that_offers_nothing_is_refused(models, load):
    with pytest.raises(TypeError, match="none of preprocess, predict, postprocess"):
        load(described(f"{models}/serve.py:broken").variant.loader)


def test_a_handlers_model_can_be_replaced_by_one_of_the_same_interface(models, cancer, load):
    spec = described(f"{models}/serve.py:Handler").variant.loader
    inner = described(models / "histogram.skops").variant.loader
    replaced = {"loader": inner.loader, "target": inner.target, "options": {}}
    predictor = load(LoaderSpec(loader=spec.loader, target=spec.target, options={"replace_model": replaced}))
    assert type(predictor.model).__name__ == "HistGradientBoostingClassifier"


@pytest.mark.parametrize("name", FILES)
def test_answers_in_process_and_in_a_worker_are_equal_bytes(models, cancer, load, name):
    subject = described(models / name)
    spec = subject.variant.loader
    check_worker(load(spec), spec, read(cancer.frame[:ROWS]), kind=subject.default_input)


@pytest.mark.parametrize("name", MODULES[1:])
def test_profiles_name_operators_and_their_class_of_work(models, cancer, load, name):
    predictor = load(described(models / name).variant.loader)
    rows = predictor.profile_ops([{"": cancer.array[:ROWS]}] * 3)
    assert rows == sorted(rows, key=lambda row: -row["self_ms"])
    assert {row["class"] for row in rows} <= {
        "op_compute", "copies_casts", "host_device", "indexing", "framework", "logging_io",
    }  # fmt: skip
    assert any(row["class"] == "op_compute" and row["self_ms"] > 0 for row in rows)


class Plain:
    thread_safe = True

    def __init__(self):
        self.signature = {"inputs": [], "outputs": [], "batch_axis": 0}

    def close(self):
        pass


def test_conformance_sees_a_predictor_that_depends_on_its_batch():
    class Centering(Plain):
        def predict(self, batch):
            return batch - batch.mean(axis=0)

    rows = np.arange(6.0).reshape(3, 2)
    with pytest.raises(Mismatch, match="one by one differ"):
        check_predictor(Centering(), batches=[rows[i : i + 1] for i in range(3)], whole=rows)


def test_conformance_sees_a_predictor_that_answers_nonsense():
    class Yes(Plain):
        def predict(self, batch):
            return np.ones(len(batch))

    with pytest.raises(Mismatch, match="a wrong shape: answered"):
        check_predictor(Yes(), batches=[[1], [2]], whole=[1, 2], broken={"a wrong shape": [[]]})


def test_every_adapter_is_found_and_is_one():
    names = [adapter.name for adapter in installed()]
    assert names == sorted(names)
    ours = {"catboost", "endpoint", "lightgbm", "mlflow", "onnx", "python", "service", "sklearn", "torch", "xgboost"}
    assert ours <= set(names)
    assert all(isinstance(adapter, ModelAdapter) for adapter in installed())


def test_a_missing_file_names_the_nearest(models):
    with pytest.raises(ModelError) as caught:
        described(models / "boosting.skop")
    assert caught.value.hint == f"did you mean {models / 'boosting.skops'}?"


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_refused(models, tmp_path, name):
    cut = tmp_path / name
    data = (models / name).read_bytes()
    cut.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(ModelError, match="truncated"):
        described(cut)


@pytest.mark.parametrize("name", ["x.onnx", "x.joblib", "x.skops", "x.pt", "x.pt2"])
def test_a_file_of_another_type_is_refused_by_its_first_bytes(tmp_path, name):
    file = tmp_path / name
    file.write_text("a,b\n1,2\n")
    with pytest.raises(ModelError, match="it is text"):
        described(file)


def test_a_pickle_needs_trust_and_the_error_names_the_ways_without(models):
    with pytest.raises(UntrustedPickle) as caught:
        find(ModelRef.parse(str(models / "boosting.joblib")))
    assert "--trust-pickle" in caught.value.hint
    assert ".skops" in caught.value.hint


def test_a_checkpoint_of_weights_is_no_model(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"weight": torch.zeros(2)}, tmp_path / "weights.pt")
    with pytest.raises(ModelError, match="checkpoint"):
        described(tmp_path / "weights.pt")


def test_a_skops_file_with_an_unknown_type_is_named_when_loading(tmp_path, load):
    skops.io.dump({"opener": os.path.join}, tmp_path / "odd.skops")
    subject = find(ModelRef.parse(str(tmp_path / "odd.skops")))
    with pytest.raises(TypeError, match=r"not trusted: .*join"):
        load(subject.variant.loader)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("{models}/serve.py:Hander", ModelError, "did you mean"),
        ("{models}/serve.py", ModelError, "names no attribute"),
        ("nosuchmodule.there:handler", ModelError, "no module"),
        ("{models}/serve.h5", ModelError, "there is no file"),
        ("flights@1", InvalidRef, "release"),
    ],
)
def test_what_cannot_be_found_says_why(models, text, error, says):
    with pytest.raises(error) as caught:
        find(ModelRef.parse(text.format(models=models)))
    assert says in str(caught.value)


def test_an_unknown_suffix_lists_the_known_ones(tmp_path):
    (tmp_path / "model.weights").write_bytes(b"\x89HDF\r\n")
    with pytest.raises(ModelError) as caught:
        described(tmp_path / "model.weights")
    assert "HDF5" in caught.value.message
    assert ".onnx" in caught.value.hint


def test_a_pickle_under_another_suffix_is_recognized(tmp_path):
    (tmp_path / "model.onnx").write_bytes(pickle.dumps([1, 2, 3]))
    with pytest.raises(ModelError, match="pickle"):
        described(tmp_path / "model.onnx")


@pytest.mark.parametrize("file", sorted(LOADERS.glob("*.py")), ids=lambda file: file.name)
def test_loaders_are_self_contained_python_3_8(file):
    tree = ast.parse(file.read_text(), feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not any(name and name.startswith("excise") for name in imported)
