import pytest
from audits import EMPTY, FULL, HOSTILE_TEXT, UNDECIDED, ratio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len
from strategies import documents

from excise.core.audit import Audit
from excise.report.history_terminal import HistoryOnTerminal


def audited(month, audit, rate, version):
    return replace(
        audit,
        run=replace(audit.run, started=f"2026-{month:02d}-03T10:00:00+00:00"),
        tax_rate=rate,
        model=replace(audit.model, name=f"flights@{version}"),
    )


PAST = [
    audited(9, FULL, ratio(0.55, 0.03), 1),
    audited(7, FULL, ratio(0.31, 0.05), 1),
    audited(8, UNDECIDED, ratio(0.3, 0.3), 1),
    audited(11, FULL, ratio(0.02, 0.04), 2),
]


@pytest.mark.parametrize("width", [80, 120])
def test_it_looks_like_this(width, printed, drawn):
    assert printed(HistoryOnTerminal(PAST), width) == drawn


def test_time_runs_downward_and_an_undecided_audit_has_no_rate(printed):
    rows = [line for line in printed(HistoryOnTerminal(PAST)).splitlines() if line.startswith("   2026")]
    assert [row.split()[0] for row in rows] == ["2026-07-03", "2026-08-03", "2026-09-03", "2026-11-03"]
    assert "undecided" in rows[1]
    assert "●" not in rows[1]


def test_a_larger_rate_stands_further_to_the_right(printed):
    rows = [line for line in printed(HistoryOnTerminal(PAST), 120).splitlines() if "●" in line]
    places = {row.split()[0]: row.index("●") for row in rows}
    assert places["2026-11-03"] < places["2026-07-03"] < places["2026-09-03"]


def test_models_are_kept_apart(printed):
    other = replace(FULL, model=replace(FULL.model, name="texts@4"))
    text = printed(HistoryOnTerminal([*PAST, other]))
    assert text.count("Tax rate over time") == 2


def test_no_history_says_how_to_start_one(printed):
    assert "excise audit" in printed(HistoryOnTerminal([]))


@pytest.mark.parametrize("width", [80, 100, 160])
def test_rows_fit_the_terminal(width, printed):
    text = printed(HistoryOnTerminal([*PAST, EMPTY, HOSTILE_TEXT]), width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "\x1b" not in text


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(audits=st.lists(documents(Audit), max_size=2), width=st.sampled_from([40, 80, 160]))
def test_any_history_can_be_printed(audits, width, printed):
    assert printed(HistoryOnTerminal(audits), width)
