from hypothesis import given
from hypothesis import strategies as st

from excise.report.markup import Markup, escaped, joined, tag


def test_text_is_escaped_and_markup_passes_once():
    assert tag("p", "<b>", tag("b", "&"), id='"x"') == '<p id="&quot;x&quot;">&lt;b&gt;<b>&amp;</b></p>'
    assert escaped(Markup("<br>")) == "<br>"
    assert joined(["a", "b"], "<") == "a&lt;b"


def test_attributes_may_be_alone_or_left_out():
    assert tag("details", open=True, class_=False) == "<details open></details>"
    assert tag("svg", aria_label="x") == '<svg aria-label="x"></svg>'


@given(st.text())
def test_no_text_opens_or_closes_anything(text):
    assert not set(escaped(text)) & set("<>\"'")
