import itertools

import pytest

from excise.core.verdict import Outcome, Verdict, compose

WORST_FIRST = [Outcome.FAIL, Outcome.UNDECIDED, Outcome.NOT_MEASURED, Outcome.PASS]


def check(outcome, **more):
    return Verdict(outcome=outcome, why=str(outcome), **more)


@pytest.mark.parametrize("outcomes", list(itertools.product(WORST_FIRST, repeat=3)))
def test_the_worst_required_check_decides(outcomes):
    assert compose(map(check, outcomes)).outcome is min(outcomes, key=WORST_FIRST.index)


def test_an_advisory_check_is_never_counted():
    assert compose([check(Outcome.PASS), check(Outcome.FAIL, required=False)]).outcome is Outcome.PASS


def test_nothing_required_is_not_a_pass():
    assert compose([check(Outcome.PASS, required=False)]).outcome is Outcome.NOT_MEASURED


def test_error_rates_add_up():
    assert compose([check(Outcome.PASS, alpha=0.004), check(Outcome.PASS, alpha=0.006)]).alpha == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(Outcome.PASS, 0), (Outcome.FAIL, 1), (Outcome.UNDECIDED, 3), (Outcome.NOT_MEASURED, 4)],
)
def test_every_outcome_has_its_exit_code(outcome, code):
    assert check(outcome).exit_code == code
