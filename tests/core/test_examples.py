"""Masks keep the shape of a value and nothing of its content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from excise.core.examples import PLAIN_WORDS, mask


@pytest.mark.parametrize(
    ("text", "shape"), [("Jörg-7 ", "Aaaa-9 "), (" 7.25 ", " 9.99 "), ("N/A", "N/A"), ("東京-1", "aa-9")]
)
def test_the_shape_stays(text, shape):
    assert mask(text) == shape


@given(st.text())
def test_nothing_of_the_content_stays(text):
    kept = {char for char in mask(text) if char.isalnum()}
    assert text.strip().lower() in PLAIN_WORDS or kept <= {"9", "a", "A"}
