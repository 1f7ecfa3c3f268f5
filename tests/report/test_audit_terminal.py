import io

import pytest
from audits import FULL, HOSTILE_TEXT, TOO_TAXED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from samples import SAMPLES
from strategies import documents

from excise.core.audit import Audit
from excise.report.audit_terminal import AuditOnTerminal


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", SAMPLES)
def test_it_looks_like_this(name, width, printed, drawn):
    assert printed(AuditOnTerminal(SAMPLES[name], html="report.html"), width) == drawn


@pytest.mark.parametrize("width", [80, 100, 116, 140, 160, 220])
@pytest.mark.parametrize("name", SAMPLES)
def test_no_line_is_wider_than_the_terminal_or_than_eyes_follow(name, width, printed):
    widest = max(cell_len(line) for line in printed(AuditOnTerminal(SAMPLES[name]), width).splitlines())
    assert widest <= min(width, 160)


def test_a_pipe_gets_no_color_and_no_trailing_blank(printed):
    text = printed(AuditOnTerminal(FULL))
    assert "\x1b" not in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_no_color_is_honored_and_color_stands_only_at_what_must_be_done(printed, monkeypatch):
    colored = printed(AuditOnTerminal(FULL), 120, force_terminal=True, color_system="standard")
    yellow = [part.partition("\x1b[0m")[0] for part in colored.split("\x1b[33m")[1:]]
    assert "→ excise optimize flights@1 --apply" in yellow
    assert all(part.startswith(("→", "excise ", "latency +", "skill −", "memory +")) for part in yellow)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[33m" not in printed(AuditOnTerminal(FULL), 120, force_terminal=True)


def test_an_ascii_stream_gets_stand_ins_of_equal_width(printed):
    raw = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    console = Console(file=raw, width=100, highlight=False)
    console.print(AuditOnTerminal(FULL))
    raw.flush()
    lines = raw.buffer.getvalue().decode("ascii").splitlines()
    assert [len(line) for line in lines] == [len(line) for line in printed(AuditOnTerminal(FULL), 100).splitlines()]


def test_avoidable_cost_stands_beside_the_tax_rate(printed):
    assert "TAX RATE   avoidable cost" in printed(AuditOnTerminal(FULL))


def test_nothing_but_a_verdict_is_headlined_where_no_rate_may_be_told(printed):
    told = {"undecided": "UNDECIDED", "empty": "NOT MEASURED", "nothing_found": "NO AVOIDABLE COST FOUND"}
    for name, words in told.items():
        text = printed(AuditOnTerminal(SAMPLES[name]))
        assert words in text
        assert "TAX RATE" not in text
        assert "≥" not in text.partition("since approval")[0]


def test_an_exceeded_limit_says_why(printed):
    assert "tax rate of at least 69 % exceeds --max-tax 50 %" in printed(AuditOnTerminal(TOO_TAXED))


def test_examples_are_shown_on_the_users_own_terminal_and_masked_on_request(printed):
    assert "“␣517”" in printed(AuditOnTerminal(FULL))
    masked = printed(AuditOnTerminal(FULL, show_examples=False))
    assert "517" not in masked
    assert "“␣999”" in masked


def test_hostile_text_moves_no_cursor_and_styles_nothing(printed):
    text = printed(AuditOnTerminal(HOSTILE_TEXT, html="\x1b[2J.html"), 160)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold]" in text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(audit=documents(Audit), width=st.sampled_from([40, 80, 120, 200]))
def test_any_audit_can_be_printed(audit, width, printed):
    text = printed(AuditOnTerminal(audit), width)
    assert "Tax return" in text
    assert "\x1b" not in text
