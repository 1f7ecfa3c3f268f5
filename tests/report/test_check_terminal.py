"""What a person sees of a look before an audit, in 80 columns."""

import pytest

from excise.core.check import Check, Need
from excise.core.verdict import Outcome
from excise.report.check_terminal import CheckOnTerminal

MODEL = Need(what="model", outcome=Outcome.PASS, seen="handler.py:handler, python", unlocks="the audit", required=True)
INPUTS = Need(
    what="current inputs",
    outcome=Outcome.PASS,
    seen="today.csv, 300 rows, 4 columns",
    unlocks="the audit",
    required=True,
)
REFERENCE = Need(
    what="reference inputs",
    outcome=Outcome.FAIL,
    seen="none",
    unlocks="fat features, workload shift, data drift",
    get="--reference DATA",
)
BROKEN = Need(
    what="answers",
    outcome=Outcome.FAIL,
    seen="the model raised KeyError on row 0: 'wind'\x1b[31m (handler.py:7 in predict)",
    unlocks="the audit",
    get="run it alone on the first row",
    required=True,
)
SLOW = Need(
    what="answers",
    outcome=Outcome.NOT_MEASURED,
    seen="not within 5 s; an audit waits longer",
    unlocks="the audit",
    required=True,
)
LINE = "excise audit handler.py:handler --reference approved.parquet --current today.csv --target late"
CHECKS = {
    "ready": Check.of([MODEL, INPUTS, REFERENCE], LINE),
    "broken": Check.of([MODEL, INPUTS, BROKEN, REFERENCE], LINE),
    "slow": Check.of([MODEL, INPUTS, SLOW], LINE),
}


@pytest.mark.parametrize("name", CHECKS)
def test_it_looks_like_this(name, printed, drawn):
    assert printed(CheckOnTerminal(CHECKS[name]), crop=False) == drawn


@pytest.mark.parametrize(("name", "outcome"), [*zip(CHECKS, ("pass", "fail", "not_measured"), strict=True)])
def test_what_is_required_decides(name, outcome):
    assert CHECKS[name].outcome == outcome
