import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from excise.stats.multiplicity import benjamini_hochberg, holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(P_VALUES)
def test_adjusting_keeps_the_order_and_makes_nothing_smaller(values):
    for adjust in (holm, benjamini_hochberg):
        found = adjust(values)
        order = np.argsort(values, kind="stable")
        assert (np.diff(found[order]) >= 0).all()
        assert (found >= np.array(values) - 1e-15).all()
        assert found.max() <= 1


@given(P_VALUES)
def test_holm_lies_between_benjamini_hochberg_and_bonferroni(values):
    bonferroni = np.minimum(np.array(values) * len(values), 1.0)
    assert (benjamini_hochberg(values) <= holm(values) + 1e-12).all()
    assert (holm(values) <= bonferroni + 1e-12).all()
