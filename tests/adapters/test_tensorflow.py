"""SavedModel folders and Keras files of one small network, and its conversion to TensorFlow Lite."""

import shutil
import warnings

import numpy as np
import pytest

from excise.adapters.models import find
from excise.adapters.models.conformance import check_predictor, check_worker, same
from excise.core.errors import ModelError, UntrustedPickle
from excise.core.refs import ModelRef
from excise.tables import read

tensorflow = pytest.importorskip("tensorflow", exc_type=ImportError)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]
ROWS = 6
MODELS = ["exported", "net.keras", "net.h5", "net.tflite"]


def described(path, **trust):
    return find(ModelRef.parse(str(path)), **trust)


@pytest.fixture(scope="module")
def nets(tmp_path_factory, cancer):
    folder = tmp_path_factory.mktemp("nets")
    keras = tensorflow.keras
    keras.utils.set_random_seed(0)
    scaled = keras.layers.Normalization(name="scaled")
    scaled.adapt(cancer.array.astype(np.float32))
    net = keras.Sequential(
        [
            keras.Input((30,), name="features"),
            scaled,
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    net.compile("adam", "binary_crossentropy")
    net.fit(cancer.array.astype(np.float32), cancer.labels.astype(np.float32), epochs=3, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.save(folder / "net.keras")
        net.save(folder / "net.h5")
        net.save_weights(folder / "net.weights.h5")
        net.export(folder / "exported", verbose=False)
        converter = tensorflow.lite.TFLiteConverter.from_saved_model(str(folder / "exported"))
        (folder / "net.tflite").write_bytes(converter.convert())
        keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2)]).save(folder / "code.keras")
        keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2)]).save(folder / "code.h5")
    np.save(folder / "expected.npy", net.predict(cancer.array.astype(np.float32), verbose=0))
    return folder


@pytest.mark.parametrize("name", MODELS)
def test_a_model_keeps_the_contract_in_process_and_in_a_worker(nets, cancer, load, name):
    subject = described(nets / name)
    predictor = load(subject.variant.loader)
    check_predictor(
        predictor,
        batches=[{"": cancer.array[i : i + 1]} for i in range(ROWS)],
        whole={"": cancer.array[:ROWS]},
        broken={"a wrong shape": {"": cancer.array[:2, :3]}, "a wrong dtype": {"": np.array([["x"] * 30])}},
    )
    assert same(predictor.predict({"": cancer.array}), np.load(nets / "expected.npy"), 1e-5)
    assert [(spec["dtype"], spec["shape"]) for spec in predictor.signature["inputs"]] == [("float32", [None, 30])]
    check_worker(predictor, subject.variant.loader, read(cancer.frame[:ROWS]), kind=subject.default_input)


def test_a_folder_is_all_of_its_files(nets):
    subject = described(nets / "exported")
    assert {"saved_model.pb", "variables.index"} <= {name.rpartition("/")[2] for name in subject.files}
    assert subject.variant.size_bytes == sum(f.stat().st_size for f in (nets / "exported").rglob("*") if f.is_file())


@pytest.mark.parametrize("lost", ["variables", "variables/variables.index", "variables/variables.data-00000-of-00001"])
def test_a_folder_without_its_variables_is_refused(nets, tmp_path, lost):
    copy = shutil.copytree(nets / "exported", tmp_path / "exported")
    shutil.rmtree(copy / lost) if (copy / lost).is_dir() else (copy / lost).unlink()
    with pytest.raises(ModelError, match="lacks its variables"):
        described(copy)


@pytest.mark.parametrize("name", ["exported/saved_model.pb", "net.keras", "net.h5", "net.tflite"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.98])
def test_a_file_that_was_cut_anywhere_is_refused(nets, tmp_path, name, share):
    shutil.copytree(nets, tmp_path, dirs_exist_ok=True)
    data = (nets / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelError, match="truncated"):
        described(tmp_path / name.removesuffix("/saved_model.pb"))


def test_weights_without_their_model_are_refused(nets):
    with pytest.raises(ModelError, match="holds weights and no model"):
        described(nets / "net.weights.h5")


@pytest.mark.parametrize("name", ["code.keras", "code.h5"])
def test_a_layer_that_is_code_needs_trust(nets, load, name):
    with pytest.raises(UntrustedPickle) as caught:
        described(nets / name)
    assert "--trust-pickle" in caught.value.hint
    predictor = load(described(nets / name, trust_pickle=True).variant.loader)
    assert predictor.predict({"": np.array([[1.0, 2.0, 3.0]])}).tolist() == [[2.0, 4.0, 6.0]]


@pytest.mark.parametrize("name", ["x.keras", "x.h5", "x/saved_model.pb"])
def test_a_file_of_another_type_is_refused(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(ModelError, match="it is text"):
        described(tmp_path / name.removesuffix("/saved_model.pb"))
