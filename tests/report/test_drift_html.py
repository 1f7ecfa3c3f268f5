"""Drift as a page: no script, everything escaped, examples masked unless they are asked for."""

from xml.etree import ElementTree as ET

import pytest
from drifts import DRIFTS

from excise.report.drift_html import drift_html


@pytest.mark.parametrize("name", DRIFTS)
def test_it_is_well_formed_and_self_contained(name, drawn):
    page = drift_html(DRIFTS[name])
    assert "<script" not in page
    assert "http" not in page.partition("<main>")[2]
    ET.fromstring(page.partition("<body>")[2].partition("</body>")[0].join(("<body>", "</body>")))
    assert page.partition("<main>")[2] == drawn


def test_examples_and_levels_are_masked_unless_asked_for():
    assert "Boston" not in drift_html(DRIFTS["drifted"])
    assert "Boston" in drift_html(DRIFTS["drifted"], show_examples=True)
