import json
import shutil
import sys

import catboost
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.datasets import load_iris

from excise.adapters.models import find
from excise.adapters.models.conformance import check_predictor, check_worker, same
from excise.core.errors import CallFailed, ModelError
from excise.core.predictor import InputKind
from excise.core.refs import ModelRef
from excise.measure.process import Worker
from excise.tables import read

NAMED = ["named.json", "named.ubj", "named.lgb", "named.cbm"]
ROWS = 6


def described(path):
    return find(ModelRef.parse(str(path)))


@pytest.mark.parametrize("name", NAMED)
def test_frames_records_tensors_and_shuffled_columns_answer_alike(models, cancer, load, name):
    predictor = load(described(models / name).variant.loader)
    frame = cancer.frame[:ROWS]
    missing = frame.drop(columns="mean area")
    check_predictor(
        predictor,
        batches=[frame[i : i + 1] for i in range(ROWS)],
        whole=frame,
        broken={"a missing column": missing, "a wrong dtype": frame.astype(str)},
    )
    expected = predictor.predict(frame)
    for other in (frame[frame.columns[::-1]], frame.to_dict("records"), {n: frame[n].to_numpy() for n in frame}):
        assert same(expected, predictor.predict(other))
    for bad in (missing, missing.to_dict("records"), {n: missing[n].to_numpy() for n in missing}):
        with pytest.raises(KeyError, match=r"missing column mean.area"):
            predictor.predict(bad)


@pytest.mark.parametrize("name", NAMED)
def test_a_worker_finds_columns_by_name_and_names_the_one_that_is_missing(models, cancer, load, name):
    subject = described(models / name)
    spec, kind = subject.variant.loader, subject.default_input
    shuffled = cancer.frame[:ROWS][cancer.frame.columns[::-1]]
    check_worker(load(spec), spec, read(shuffled), kind=kind)
    with Worker(sys.executable) as worker:
        worker.load(spec)
        with pytest.raises(CallFailed, match=r"missing column mean.area"):  # noqa: PT012  tensors fail when they are made
            worker.data(read(shuffled.drop(columns="mean area")), kind=kind)
            worker.outputs("current", range(ROWS), batch=ROWS, shadow=True, seconds=10)


def test_the_answer_is_the_librarys_own_probability(models, cancer, load):
    row = {"": cancer.array[:ROWS]}
    native = {
        "booster.json": xgboost.Booster(model_file=models / "booster.json").predict(
            xgboost.DMatrix(cancer.array[:ROWS])
        ),
        "booster.lgb": lightgbm.Booster(model_file=models / "booster.lgb").predict(cancer.array[:ROWS]),
        "booster.cbm": catboost.CatBoostClassifier()
        .load_model(str(models / "booster.cbm"))
        .predict_proba(cancer.array[:ROWS].astype(np.float32)),
    }
    for name, expected in native.items():
        assert same(load(described(models / name).variant.loader).predict(row), expected)


def test_a_booster_that_was_stopped_early_answers_with_its_best_trees(cancer, load, tmp_path):
    stopped = xgboost.XGBClassifier(n_estimators=60, learning_rate=1.0, early_stopping_rounds=3)
    stopped.fit(
        cancer.array[:300], cancer.labels[:300], eval_set=[(cancer.array[300:], cancer.labels[300:])], verbose=0
    )
    stopped.save_model(tmp_path / "stopped.ubj")
    assert stopped.best_iteration < stopped.get_booster().num_boosted_rounds() - 1
    answer = load(described(tmp_path / "stopped.ubj").variant.loader).predict({"": cancer.array})
    assert same(answer, stopped.predict_proba(cancer.array)[:, 1])


def test_several_classes_answer_one_column_each_as_the_signature_says(load, tmp_path):
    inputs, labels = load_iris(return_X_y=True)
    xgboost.XGBClassifier(n_estimators=5).fit(inputs, labels).save_model(tmp_path / "iris.ubj")
    lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(inputs, labels).booster_.save_model(tmp_path / "iris.lgb")
    catboost.CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False).fit(inputs, labels).save_model(
        str(tmp_path / "iris.cbm")
    )
    for name in ("iris.ubj", "iris.lgb", "iris.cbm"):
        predictor = load(described(tmp_path / name).variant.loader)
        answer = predictor.predict({"": inputs})
        assert answer.shape == (150, 3)
        assert (answer.argmax(axis=1) == labels).mean() > 0.9
        assert predictor.signature["outputs"][0]["shape"] == [None, 3]
        assert predictor.signature["outputs"][0]["dtype"] == answer.dtype.name


def test_a_linear_booster_and_a_loss_of_logarithms_answer_values(cancer, load, tmp_path):
    area = cancer.frame["mean area"].to_numpy()
    rest = cancer.frame.drop(columns="mean area").to_numpy()
    linear = xgboost.train({"booster": "gblinear"}, xgboost.DMatrix(rest, area), 30)
    linear.save_model(tmp_path / "linear.json")
    poisson = catboost.CatBoostRegressor(iterations=20, loss_function="Poisson", verbose=0, allow_writing_files=False)
    poisson.fit(rest, area).save_model(str(tmp_path / "poisson.cbm"))
    native = {"linear.json": linear.predict(xgboost.DMatrix(rest)), "poisson.cbm": poisson.predict(rest)}
    for name, expected in native.items():
        assert same(load(described(tmp_path / name).variant.loader).predict({"": rest}), expected, 1e-6)


@pytest.fixture
def categorical(mixed, tmp_path):
    frame = mixed.frame.astype({"carrier": "category"})
    xgboost.train(
        {"objective": "binary:logistic"}, xgboost.DMatrix(frame, mixed.labels, enable_categorical=True), 10
    ).save_model(tmp_path / "text.ubj")
    lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(frame, mixed.labels), 10).save_model(
        tmp_path / "text.lgb"
    )
    catboost.CatBoostClassifier(iterations=10, cat_features=["carrier"], verbose=0, allow_writing_files=False).fit(
        mixed.frame, mixed.labels
    ).save_model(str(tmp_path / "text.cbm"))
    return tmp_path


@pytest.mark.parametrize("name", ["text.ubj", "text.lgb", "text.cbm"])
def test_a_column_of_text_keeps_its_categories_whatever_the_batch_holds(categorical, mixed, load, name):
    subject = described(categorical / name)
    predictor = load(subject.variant.loader)
    frame = mixed.frame[:ROWS]
    kinds = {spec["name"]: spec["dtype"] for spec in predictor.signature["inputs"]}
    assert kinds["carrier"] == "str"
    assert len(set(frame["carrier"])) > 1
    check_predictor(predictor, batches=[frame[i : i + 1] for i in range(ROWS)], whole=frame)
    moved = predictor.predict(frame.assign(carrier="AA")) - predictor.predict(frame.assign(carrier="UA"))
    assert np.abs(moved).max() > 0.01
    assert same(predictor.predict(frame), predictor.predict(frame.to_dict("records")))
    for kind in (subject.default_input, InputKind.RECORDS):
        check_worker(predictor, subject.variant.loader, read(frame), kind=kind)


@pytest.mark.parametrize("name", ["booster.json", "booster.ubj", "booster.lgb"])
def test_a_file_under_the_name_that_libraries_share_is_told_by_its_content(models, tmp_path, name):
    shutil.copy(models / name, tmp_path / "booster.model")
    assert described(tmp_path / "booster.model").kind == described(models / name).kind


@pytest.mark.parametrize(
    ("name", "was", "becomes"),
    [
        ("booster.json", b'"version":[3', b'"version":[99'),
        ("booster.ubj", b"version[#L\0\0\0\0\0\0\0\x03i\x03", b"version[#L\0\0\0\0\0\0\0\x03i\x63"),
        ("booster.lgb", b"version=v4", b"version=v9"),
    ],
)
def test_a_booster_that_a_newer_version_saved_is_refused(models, tmp_path, name, was, becomes):
    data = (models / name).read_bytes()
    assert data.count(was) == 1
    (tmp_path / name).write_bytes(data.replace(was, becomes))
    with pytest.raises(ModelError, match="newer than") as caught:
        described(tmp_path / name)
    assert caught.value.hint


def test_a_catboost_file_of_a_newer_format_fails_in_one_line(models, tmp_path):
    data = (models / "booster.cbm").read_bytes()
    (tmp_path / "newer.cbm").write_bytes(data.replace(b"FlabuffersModel_v1", b"FlabuffersModel_v9"))
    with (
        Worker(sys.executable) as worker,
        pytest.raises(CallFailed, match="Unsupported model format: FlabuffersModel_v9"),
    ):
        worker.load(described(tmp_path / "newer.cbm").variant.loader)


@pytest.mark.parametrize("name", ["booster.json", "booster.ubj", "booster.lgb", "booster.cbm"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.95, 0.9999])
def test_a_booster_that_was_cut_anywhere_is_refused_before_its_library_sees_it(models, tmp_path, name, share):
    data = (models / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelError, match="truncated"):
        described(tmp_path / name)


def test_a_booster_that_is_broken_inside_fails_without_the_librarys_stack_trace(models, load, tmp_path):
    data = (models / "booster.json").read_bytes()
    (tmp_path / "broken.json").write_bytes(data.replace(b'"gbtree"', b'"gbtrex"'))
    with pytest.raises(ValueError, match="gbtrex") as caught:
        load(described(tmp_path / "broken.json").variant.loader)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("content", [{"model": 1}, {"architectures": ["BertModel"]}, ["learner"]])
def test_json_that_is_no_booster_is_refused(tmp_path, content):
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(ModelError, match="no XGBoost booster") as caught:
        described(tmp_path / "config.json")
    assert "save_model" in caught.value.hint


def test_text_that_is_no_booster_has_no_adapter(tmp_path):
    (tmp_path / "notes.txt").write_text("trees are green")
    with pytest.raises(ModelError, match=r"no adapter for \.txt"):
        described(tmp_path / "notes.txt")


def test_missing_numbers_may_be_none_and_text_that_reads_as_a_number_is_refused(models, cancer, load):
    predictor = load(described(models / "named.ubj").variant.loader)
    row = cancer.frame[:1].to_dict("records")[0]
    absent = pd.DataFrame([row | {"mean area": np.nan}])
    assert same(predictor.predict([row | {"mean area": None}]), predictor.predict(absent))
    with pytest.raises(TypeError, match="column mean area holds text"):
        predictor.predict([row | {"mean area": "1001.0"}])
