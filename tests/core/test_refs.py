import pytest
from hypothesis import given
from hypothesis import strategies as st

from excise.core.errors import InvalidRef
from excise.core.refs import ModelRef, RefKind

CASES = {
    "flights@1": (RefKind.RELEASE, "flights", "1"),
    "flights@latest": (RefKind.RELEASE, "flights", "latest"),
    "sha256:3fa1bc90": (RefKind.DIGEST, "sha256:3fa1bc90", None),
    "http://127.0.0.1:8000/v2": (RefKind.URL, "http://127.0.0.1:8000/v2", None),
    "handler.py:handler": (RefKind.FILE_ATTRIBUTE, "handler.py", "handler"),
    "serving/app.py:service.predict": (RefKind.FILE_ATTRIBUTE, "serving/app.py", "service.predict"),
    "package.module:handler": (RefKind.MODULE_ATTRIBUTE, "package.module", "handler"),
    "mlflow:models:/flights@champion": (RefKind.SCHEME, "models:/flights@champion", "mlflow"),
    "asgi:service:app": (RefKind.SCHEME, "service:app", "asgi"),
    "model.onnx": (RefKind.PATH, "model.onnx", None),
    "saved_model/": (RefKind.PATH, "saved_model/", None),
    "models/flights@1.onnx": (RefKind.PATH, "models/flights@1.onnx", None),
}


@pytest.mark.parametrize("text", CASES)
def test_every_way_to_name_a_model(text):
    ref = ModelRef.parse(text)
    assert (ref.kind, ref.target, ref.attribute) == CASES[text]
    assert ref.text == text


@pytest.mark.parametrize("text", CASES)
def test_a_label_stands_before_any_of_them_but_a_url(text):
    ref = ModelRef.parse(f"fast={text}")
    assert ref.label == "fast"
    assert (ref.kind, ref.target) == CASES[text][:2]


@pytest.mark.parametrize("text", ["", "   ", "handler.py:", "handler.py:not a name", "package.module:1st"])
def test_what_names_nothing_is_refused_with_a_hint(text):
    with pytest.raises(InvalidRef) as refused:
        ModelRef.parse(text)
    assert refused.value.hint


@given(st.text(min_size=1))
def test_any_text_is_parsed_or_refused_and_nothing_else(text):
    try:
        ref = ModelRef.parse(text)
    except InvalidRef:
        return
    assert ref.text == text
    assert ref.target


def test_the_short_name_is_the_label_the_release_or_the_stem():
    assert ModelRef.parse("fast=a/b.onnx").name == "fast"
    assert ModelRef.parse("flights@1").name == "flights"
    assert ModelRef.parse("a/b.onnx").name == "b"
    assert ModelRef.parse("serving/handler.py:handler").name == "handler"
