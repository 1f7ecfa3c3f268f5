"""Upper tails agree with scipy's, which is not needed at run time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from excise.stats.tails import chi_square, kolmogorov


@given(st.floats(0.01, 6))
def test_the_kolmogorov_tail(value):
    assert kolmogorov(value) == pytest.approx(stats.kstwobign.sf(value), rel=1e-7, abs=1e-12)


@given(st.floats(1e-3, 2000), st.integers(1, 500))
def test_the_chi_square_tail(value, freedom):
    assert chi_square(value, freedom) == pytest.approx(stats.chi2.sf(value, freedom), rel=1e-8, abs=1e-12)


def test_nothing_is_surprising_about_nothing():
    assert chi_square(0.0, 3) == chi_square(7.0, 0) == kolmogorov(0.0) == 1.0
