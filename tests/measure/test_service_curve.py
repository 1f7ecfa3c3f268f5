import pytest
from hypothesis import given
from hypothesis import strategies as st

from excise.core.estimate import Estimate
from excise.measure.service_curve import ServiceCurve


def curve(points):
    return ServiceCurve(points={size: Estimate.exact(ms, unit="ms") for size, ms in points.items()})


@given(st.floats(0, 100), st.floats(0.01, 10))
def test_a_straight_line_is_found_again_inside_and_beyond_what_was_measured(fixed, per_row):
    line = curve({size: fixed + per_row * size for size in (1, 4, 16)})
    assert line.fixed_ms == pytest.approx(fixed, abs=1e-6)
    assert line.at(8) == pytest.approx(fixed + 8 * per_row)
    assert line.at(64) == pytest.approx(fixed + 64 * per_row)


def test_one_point_is_all_slope():
    assert curve({4: 8.0}).at(8) == 16.0
