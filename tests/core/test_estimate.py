import math
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from excise.core.estimate import Estimate
from excise.core.money import Money

finite = st.floats(-1e6, 1e6)


@given(finite, finite, finite, st.floats(-100, 100))
def test_scaling_keeps_what_is_covered(value, first, second, factor):
    low, high = sorted((first, second))
    estimate = Estimate(value=value, low=low, high=high, unit="ms", n=5)
    scaled = estimate.scaled(factor, unit="usd")
    assert scaled.low <= scaled.high
    assert scaled.unit == "usd"
    assert scaled.covers(factor * low)
    assert scaled.covers(factor * high)


def test_an_open_end_is_infinitely_wide_and_covers_everything_on_its_side():
    estimate = Estimate(value=1.0, low=0.5, high=None, unit="ms", n=2)
    assert estimate.half_width == math.inf
    assert estimate.covers(1e9)
    assert not estimate.covers(0.4)
    assert estimate.scaled(-1).high == -0.5


def test_unknown_ends_stand_as_null_in_json():
    document = msgspec.json.decode(msgspec.json.encode(Estimate(value=1.0, low=None, high=None, unit="ms", n=1)))
    assert document == {"value": 1.0, "low": None, "high": None, "level": 0.95, "unit": "ms", "n": 1}


def test_money_is_exact_and_keeps_its_currency():
    assert (Money(Decimal("0.1")) + Money(Decimal("0.2"))).amount == Decimal("0.3")
    with pytest.raises(ValueError, match="EUR"):
        Money(Decimal(1)) + Money(Decimal(1), "EUR")
