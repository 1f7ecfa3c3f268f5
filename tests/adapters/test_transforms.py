import ast
import sys

import numpy as np
import pytest

from excise.adapters.models import find
from excise.adapters.transforms import SCRIPTS, installed
from excise.core.predictor import InputKind, Transform
from excise.core.refs import ModelRef
from excise.frontier import CATALOGUE, Prepared, Rejected, Sample, prepare_all, propose
from excise.measure.process import Worker
from excise.tables import read

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")


def made_of(text, frame, folder, names, *, kind=None, load=None, batches=()):
    """Variants and rejections by transform, and the largest difference of each variant's answers."""
    subject = find(ModelRef.parse(str(text)), trust_pickle=True)
    chosen = [p.transform for p in propose(subject, installed(), only=names) if p.applies]
    sample = Sample(read(frame), kind or subject.default_input, tuple(range(40)))
    results = prepare_all(
        subject, chosen, open_worker=lambda: Worker(sys.executable), sample=sample, out_dir=folder, budget_s=90
    )
    found = {transform.name: result for transform, result in zip(chosen, results, strict=True)}
    production = load(subject.variant.loader)
    moved = {
        name: max(
            np.abs(np.asarray(production.predict(b)) - np.asarray(load(r.variant.loader).predict(b))).max()
            for b in batches
        )
        for name, r in found.items()
        if isinstance(r, Prepared)
    }
    return found, moved


def test_boosting_in_a_file_becomes_onnx_with_equal_answers(models, cancer, tmp_path, load):
    batches = [{"": cancer.array}, cancer.frame]
    found, moved = made_of(models / "boosting.skops", cancer.frame, tmp_path, ["onnx"], load=load, batches=batches)
    assert moved["onnx"] <= 1e-6
    assert found["onnx"].variant.lineage == ("onnx",)
    assert found["onnx"].variant.size_bytes > 0
    assert any("float32" in note for note in found["onnx"].notes)


@pytest.mark.parametrize("name", ["booster.ubj", "booster.lgb", "booster.cbm", "named.ubj", "named.lgb", "named.cbm"])
def test_a_booster_becomes_onnx_with_equal_answers(models, cancer, tmp_path, load, name):
    batches = [cancer.frame, cancer.frame[cancer.frame.columns[::-1]]] if "named" in name else [{"": cancer.array}]
    found, moved = made_of(models / name, cancer.frame, tmp_path, ["onnx"], load=load, batches=batches)
    assert moved["onnx"] <= 1e-6, found


def test_histogram_boosting_becomes_onnx(models, cancer, tmp_path, load):
    _, moved = made_of(
        models / "histogram.skops", cancer.frame, tmp_path, ["onnx"], load=load, batches=[{"": cancer.array}]
    )
    assert moved["onnx"] <= 1e-6


def test_a_pipeline_with_text_becomes_onnx(models, mixed, tmp_path, load):
    columns = {name: mixed.frame[name].to_numpy() for name in mixed.frame}
    _, moved = made_of(
        models / "pipeline.skops",
        mixed.frame,
        tmp_path,
        ["onnx"],
        kind=InputKind.FRAME,
        load=load,
        batches=[mixed.frame, columns],
    )
    assert moved["onnx"] <= 1e-6


def test_the_model_inside_a_handler_is_replaced_and_the_rest_stays(models, cancer, tmp_path, load):
    rows = cancer.frame[:50].to_dict("records")
    found, moved = made_of(
        f"{models}/serve.py:Handler",
        cancer.frame,
        tmp_path,
        ["onnx", "onnx_int8", "onnx_fused"],
        load=load,
        batches=[rows],
    )
    assert moved["onnx"] <= 1e-6
    variant = load(found["onnx"].variant.loader)
    assert type(variant.handler).__name__ == "Handler"
    assert list(variant.model.feature_names_in_) == list(cancer.frame.columns)
    assert "nothing to quantize" in found["onnx_int8"].reason
    assert "no attention" in found["onnx_fused"].reason
    assert not any(path.name.startswith(".") for path in tmp_path.iterdir())


def test_a_handler_that_does_not_call_its_model_is_rejected(models, cancer, tmp_path, load):
    (models / "idle.py").write_text(
        "class Idle:\n    model = object()\n    def predict(self, rows): return [1.0] * len(rows)\n"
    )
    found, _ = made_of(f"{models}/idle.py:Idle", cancer.frame, tmp_path, ["onnx"], load=load, batches=[[{}]])
    assert "without calling" in found["onnx"].reason


def test_a_module_becomes_onnx_and_int8(models, cancer, tmp_path, load):
    pytest.importorskip("torch")
    names = ["onnx", "onnx_int8", "onnx_int8_channel", "onnx_fused"]
    scaled = (cancer.frame - cancer.frame.mean()) / cancer.frame.std()
    batches = [{"": scaled.to_numpy()}]
    found, moved = made_of(models / "mlp.pt", scaled, tmp_path, names, load=load, batches=batches)
    assert moved["onnx"] <= 1e-6
    assert 1e-6 < moved["onnx_int8"] < 0.05
    assert 1e-6 < moved["onnx_int8_channel"] < 0.05
    assert found["onnx_int8"].variant.size_bytes < found["onnx"].variant.size_bytes
    assert isinstance(found["onnx_fused"], Rejected)


def test_an_onnx_file_is_optimized_ahead_of_time(models, cancer, tmp_path, load):
    pytest.importorskip("torch")
    names = ["graph", "one_thread"]
    found, moved = made_of(models / "mlp.onnx", cancer.frame, tmp_path, names, load=load, batches=[{"": cancer.array}])
    assert moved["graph"] <= 1e-6
    assert moved["one_thread"] == 0
    assert found["one_thread"].variant.variables["OMP_NUM_THREADS"] == "1"


def test_what_is_registered_is_what_the_catalogue_counts():
    assert {transform.name for transform in installed()} == set(CATALOGUE.transforms)
    assert all(isinstance(transform, Transform) for transform in installed())


@pytest.mark.parametrize("file", sorted(SCRIPTS.glob("*.py")), ids=lambda file: file.name)
def test_scripts_are_self_contained_python_3_8(file):
    tree = ast.parse(file.read_text(), feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not any(name and name.startswith("excise") for name in imported)
