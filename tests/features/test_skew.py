"""Pairs of values that differ, and those that do not."""

import math

import numpy as np
import pytest

from excise.core.drift import CauseKind, Drifted
from excise.features import FeatureProfile
from excise.features.drift import drift
from excise.features.skew import different, skew, with_skew
from excise.tables import read

NOBODY = np.zeros(0, bool)


def column(*cells):
    return read([{"a": cell} for cell in cells]).column("a")


@pytest.mark.parametrize(
    ("offline", "online", "expected"),
    [
        ((1.5, 2.0), (1.5, 3.0), [False, True]),
        ((0.3, 1e9), (float(np.float32(0.3)), float(np.float32(1e9 + 3))), [False, False]),
        ((0.3, 0.0), (0.301, 1e-9), [True, True]),
        ((1, None, None), (None, None, 4), [True, False, True]),
        ((math.nan, 2.0), (None, 2.0), [False, False]),
        (("UA", "B6"), ("UA ", "B6"), [True, False]),
        ((1, 2), ("1", "2"), [True, True]),
        (([0.5, 1.0], [2.0]), ([0.5, 1.0], [3.0]), [False, True]),
    ],
)
def test_what_differs(offline, online, expected):
    assert different(column(*offline), column(*online)).tolist() == expected


def test_a_pair_is_shown_and_older_ones_are_counted():
    stale = np.array([False, True, True])
    found = skew(column(1, 2, 3), column(1, 5, 3), stale)
    assert found == (3, 1, 1, "2 → 5")


@pytest.mark.parametrize(("differing", "verdict"), [(0, Drifted.NONE), (3, Drifted.IMMATERIAL), (60, Drifted.MATERIAL)])
def test_a_feature_is_material_where_surely_more_differ_than_the_floor(differing, verdict):
    offline = column(*range(1000))
    order = [(number + 1) % 1000 if number < differing else number for number in range(1000)]
    online = column(*order)
    profile = FeatureProfile.build(read([{"a": cell} for cell in offline.plain()]))
    (feature,) = drift(profile, profile)
    found = with_skew(feature, skew(offline, online, np.zeros(1000, bool)), 0.01)
    assert found.verdict is verdict
    assert [cause.cause for cause in found.causes] == [CauseKind.SKEW] * bool(differing)
