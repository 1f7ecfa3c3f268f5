"""Whatever bytes a server sends, a call answers or fails by name; nothing else is raised, and nothing hangs."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from excise.adapters.models import LOADERS


@pytest.fixture(scope="module", autouse=True)
def _loaded():
    import importlib.util

    spec = importlib.util.spec_from_file_location("_endpoint_under_test", LOADERS / "endpoint.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for kind in ("tensors", "messages", "oip", "openai"):
        module.sibling(kind)


def part(kind):
    return sys.modules[f"_excise_loader_{kind}"]


class Source:
    """Bytes in pieces, as a connection gives them."""

    def __init__(self, data, size):
        self.buffer = bytearray()
        self.pieces = [data[start : start + size] for start in range(0, len(data), size)]

    def receive(self):
        self.buffer += self.pieces[0] if self.pieces else b""
        return bool(self.pieces and self.pieces.pop(0))

    def close(self):
        self.buffer = bytearray()


HEADS = st.sampled_from([
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 204 X\r\n", b"HTTP/1.0 500\r\n", b"HTTP/2 200\r\n", b"HTTP/1.1 100 C\r\n\r\n",
    b"content-length: 5\r\n", b"content-length: -1\r\n", b"content-length: 5, 5\r\n", b"content-length: \xb2\r\n",
    b"transfer-encoding: chunked\r\n", b"content-type: text/event-stream\r\n", b"\r\n", b"\n\n", b"5\r\nhello\r\n",
    b"0\r\n\r\n", b"ffffffffffffffff\r\n", b'data: {"choices": 7}\n\n', b"data: [1]\n\n", b'data: {"choices": [7]}\n\n',
])  # fmt: skip
ANSWERS = st.lists(HEADS | st.binary(max_size=20), max_size=12).map(b"".join)


@given(ANSWERS, st.integers(1, 50))
def test_any_bytes_are_an_answer_or_a_failure(data, size):
    failed, response = part("response").Failed, part("response").Response
    try:
        answer = response(Source(data, size), "POST")
        body = answer.read()
    except failed:
        return
    assert 200 <= answer.status <= 999
    assert len(body) <= len(data)


@given(ANSWERS, st.integers(1, 50))
def test_any_stream_is_a_text_or_a_failure(data, size):
    stream = part("openai").Stream(0.0)
    try:
        stream.read(data[start : start + size] for start in range(0, len(data), size))
    except part("response").Failed:
        return
    assert isinstance(stream.text, str)


@given(st.binary(max_size=200))
def test_any_message_is_outputs_or_malformed(data):
    import struct

    try:
        found = part("messages").outputs(data)
    except (LookupError, OverflowError, TypeError, ValueError, struct.error):
        return
    assert isinstance(found, list)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["outputs", "name", "datatype", "shape", "data", "parameters", "binary_data_size", "x"]
                ),
                inner | st.sampled_from(["FP32", "BYTES"]),
                max_size=6,
            )
        ),
    ),
    st.binary(max_size=20),
)
def test_any_json_is_outputs_or_malformed(value, rest):
    try:
        found = part("oip").outputs_of(value, rest)
    except part("response").Failed:
        return
    assert isinstance(found, list)
