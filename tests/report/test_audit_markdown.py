import html
import re

import pytest
from audits import FULL, HOSTILE_TEXT, UNDECIDED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from samples import SAMPLES
from strategies import documents

from excise.core.audit import Audit
from excise.report.audit_markdown import audit_markdown, code, prose

PARSER = MarkdownIt("gfm-like", {"linkify": False})


@pytest.mark.parametrize("name", SAMPLES)
def test_it_reads_like_this(name, drawn):
    assert audit_markdown(SAMPLES[name]) == drawn


def test_the_verdict_comes_first():
    assert audit_markdown(FULL).startswith("### flights@1: tax rate ≥ 71 % ± 2 of latency (avoidable cost)\n")
    assert audit_markdown(UNDECIDED).startswith("### ❔ flights@1: undecided\n")


def test_example_values_are_masked_unless_asked_for():
    assert "517" not in audit_markdown(FULL)
    assert "`“␣999”`" in audit_markdown(FULL)
    assert "`“␣517”`" in audit_markdown(FULL, show_examples=True)


def test_every_table_row_has_as_many_cells_as_its_header():
    page = PARSER.render(audit_markdown(HOSTILE_TEXT))
    for table in re.findall(r"<table>.*?</table>", page, re.DOTALL):
        rows = [len(re.findall(r"<t[hd][ >]", row)) for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)]
        assert len(set(rows)) == 1


def test_hostile_text_stays_text():
    page = PARSER.render(audit_markdown(HOSTILE_TEXT, show_examples=True))
    assert "<script" not in page
    assert "<s>" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    outside_code = re.sub(r"<code>.*?</code>", "", page)
    assert not re.search(r"(?<!\w)@\w", outside_code)


@given(st.text(max_size=40))
def test_prose_and_code_say_their_text_and_nothing_else(text):
    line = " ".join(text.split())
    if not line.isprintable():
        return
    said = re.sub(r"<[^>]+>", "", PARSER.render(f"x {prose(text)} x"))
    plain = html.unescape(said).replace("\u200b", "")
    assert plain.strip() == " ".join(f"x {line} x".split()) or not line
    rendered = PARSER.render(f"x {code(text)} x")
    assert rendered.count("<code>") == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents(Audit))
def test_any_audit_can_be_written(audit):
    page = PARSER.render(audit_markdown(audit))
    assert page.startswith("<h3>")
    assert "<script" not in page
