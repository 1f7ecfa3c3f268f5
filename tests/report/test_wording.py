import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from excise.report import wording


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (" 517", "“␣999”"),
        ("2013-07-01", "“999…-99-99”"),
        ("Ann", "“Aaa”"),
        ("4111 1111 1111 1111", "“999… 999… 999… 999…”"),
        ("nan", "“nan”"),
        ("", "“”"),
        ("Größe", "“Aaaa…”"),
        ("日本", "“aa”"),
        ("7\t", "“9\\t”"),
    ],
)
def test_a_masked_value_keeps_its_shape(value, shape):
    assert wording.masked(value) == shape


@given(st.text())
def test_one_line_shows_nothing_that_moves_a_cursor(text):
    line = wording.one_line(text)
    assert not {unicodedata.category(char) for char in line} & set(wording.INVISIBLE)
    assert len(line) <= wording.LONGEST


@given(st.text(max_size=200), st.integers(min_value=3, max_value=80))
def test_a_shortened_name_fits(name, width):
    assert len(wording.shortened(name, width)) <= width


def test_machines_lose_their_trademarks():
    assert wording.machine("Intel(R) Xeon(R) Platinum 8124M CPU @ 3.00GHz", 2) == "2 × Intel Xeon Platinum 8124M"
    assert wording.machine("AMD EPYC 7R32 48-Core Processor", 2) == "2 × AMD EPYC 7R32"
    assert wording.machine("", 4) == "4 × unknown processor"


def test_a_day_is_written_out_and_what_is_no_day_stays():
    assert wording.day("2026-11-22T14:05:11+00:00") == "22 Nov 2026"
    assert wording.minute("2026-11-22T14:05:11+00:00") == "2026-11-22 14:05"
    assert wording.day("yesterday") == "yesterday"


def test_names_of_machines_become_words():
    assert wording.human("fat_features+model_bloat") == "fat features + model bloat"
    assert wording.counted(1, "remedy", "remedies") == "1 remedy"
    assert wording.counted(2, "remedy", "remedies") == "2 remedies"
