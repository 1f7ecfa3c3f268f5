import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from excise.core.estimate import Estimate
from excise.report import figures
from excise.report.figures import Figure


def ms(value, low, high):
    return Estimate(value=value, low=low, high=high, unit="ms", n=6)


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (3.912, 3.71, 4.11, "3.9 ± .2"),
        (0.041, 0.039, 0.043, "0.041 ± .002"),
        (842.0, 811.0, 873.0, "840 ± 30"),
        (0.3, -12.0, 12.5, "0 ± 10"),
        (3.9, 3.9, 3.9, "3.90"),
        (0.0, 0.0, 0.0, "0"),
        (3.9, None, None, "3.90 ± ?"),
        (3.9, 3.1, None, "3.9 (≥ 3.1)"),
        (3.9, None, 4.4, "3.9 (≤ 4.4)"),
        (1.0, 0.9, 1.8, "1.0 +.8 −.1"),
        (5.0, 1.0, 2.0, "5.00 (1.00 … 2.00)"),
        (-3.9, -4.1, -3.7, "−3.9 ± .2"),
        (9.41234, 9.4123399, 9.4123401, "9.412 ± .001"),
        (math.nan, 1.0, 2.0, "—"),
        (math.inf, 1.0, 2.0, "—"),
    ],
)
def test_a_number_has_the_digits_that_its_doubt_carries(value, low, high, text):
    assert str(figures.number(ms(value, low, high))) == text


def test_an_unknown_number_is_a_dash():
    assert str(figures.number(None)) == "—"
    assert figures.percent(None) == "—"


def test_a_sign_is_shown_only_where_asked_for_and_never_on_zero():
    assert figures.percent(ms(0.18, 0.15, 0.21), signed=True) == "+18 % ± 3"
    assert figures.percent(ms(0.18, 0.15, 0.21)) == "18 % ± 3"
    assert figures.percent(ms(-0.001, -0.05, 0.05), signed=True) == "0 % ± 5"


def test_money_is_per_million_under_a_cent_per_thousand():
    cheap, dear = ms(0.00011, 0.0001, 0.00012), ms(1.25, 1.2, 1.3)
    assert str(figures.dollars(cheap, figures.money_scale(cheap))) == "$0.11 ± .01"
    assert figures.money_scale(cheap).per == "million"
    assert str(figures.dollars(dear, figures.money_scale(dear))) == "$1.25 ± .05"
    assert figures.money_scale(dear).per == "1000"
    assert figures.with_dollar("−0.2") == "−$0.2"


def test_two_values_side_by_side_share_the_coarser_decimals():
    assert figures.before_after(ms(9.41, 9.3, 9.5), ms(2.71, 2.70, 2.72)) == ("9.4", "2.7")
    assert figures.before_after(ms(941.2, 901, 981), ms(0.0214, 0.021, 0.022)) == ("940", "0.021")
    assert figures.before_after(ms(9.41, 9.3, 9.5), None) == ("9.4", "—")


finite = st.floats(min_value=-1e8, max_value=1e8, allow_subnormal=False)


@given(value=finite, doubt=st.floats(min_value=1e-6, max_value=1e6))
def test_the_shown_value_is_within_its_doubt_of_the_true_one(value, doubt):
    text = figures.number(ms(value, value - doubt, value + doubt)).value
    shown = float(text.replace("−", "-").replace(",", ""))
    assert abs(shown - value) <= max(doubt, abs(value) * 1e-3)


@given(
    value=st.floats(allow_nan=True),
    low=st.none() | st.floats(),
    high=st.none() | st.floats(),
    scale=st.sampled_from([1.0, 100.0, 1000.0]),
    signed=st.booleans(),
)
def test_any_estimate_becomes_a_short_text(value, low, high, scale, signed):
    text = str(figures.number(ms(value, low, high), scale=scale, signed=signed))
    assert "nan" not in text
    assert "inf" not in text
    assert "-" not in text
    assert len(text) < 60


@given(st.lists(st.tuples(finite, st.floats(min_value=0, max_value=100)), min_size=1, max_size=6))
def test_aligned_cells_are_equally_wide_with_their_points_in_one_column(column):
    cells = figures.aligned(figures.number(ms(value, value - doubt, value + doubt)) for value, doubt in column)
    assert len({len(cell) for cell in cells}) == 1
    values = [re.match(r"\s*[−\d,.e]*", cell)[0] for cell in cells]
    assert len({value.index(".") for value in values if "." in value}) <= 1


def test_aligned_takes_nothing_and_dashes():
    assert figures.aligned([]) == []
    assert figures.aligned([Figure("—"), Figure("10", "± 1")]) == [" —    ", "10 ± 1"]


def test_shares_never_round_to_none_or_all():
    shown = [figures.share(ratio) for ratio in (0.0, 0.0001, 0.5, 0.9999, 1.0, None)]
    assert shown == ["0 %", "< 1 %", "50 %", "> 99 %", "100 %", "—"]
