"""Durations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from excise.core.duration import parse_seconds
from excise.core.errors import UsageError


@given(st.integers(1, 10**6), st.sampled_from([("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)]))
def test_a_number_and_a_unit(number, unit):
    name, seconds = unit
    assert parse_seconds(f"{number}{name}") == pytest.approx(number * seconds)


@pytest.mark.parametrize("text", ["", "soon", "1d", "-5s", "5 s", "0s", "s", "1e400", "nan", "inf", -1, 0])
def test_anything_else_is_refused_with_an_example(text):
    with pytest.raises(UsageError) as error:
        parse_seconds(text)
    assert "60s" in error.value.hint
