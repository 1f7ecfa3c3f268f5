"""What a person sees of drift, in 80 columns."""

import pytest
from drifts import DRIFTS

from excise.report.drift_terminal import DriftOnTerminal


@pytest.mark.parametrize("name", DRIFTS)
def test_it_looks_like_this(name, printed, drawn):
    text = printed(DriftOnTerminal(DRIFTS[name], html="drift.html"))
    assert text == drawn
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
