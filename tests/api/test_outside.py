import numpy as np
import pytest

from excise.api.outside import creep, disagreement, meters, token_cost, token_prices
from excise.core.audit import Standing
from excise.core.errors import UsageError
from excise.core.estimate import Estimate
from excise.core.measurement import CellTrials, Outputs
from excise.tax import disagreeing


def trials(**metered):
    ones = np.ones((3, 2))
    rounds = np.ones(3)
    return CellTrials(
        cell="production", wall_ms=ones, cpu_ms=ones, call_ms=np.ones(6), stage_ms={}, rss_mib=rounds, load_ms=rounds,
        first_call_ms=rounds, serialize_ms=rounds,
        meters={name: tuple(np.array(values, dtype=float) for values in each) for name, each in metered.items()},
    )  # fmt: skip


def outputs(**values):
    count = len(next(iter(values.values())))
    return Outputs(cell="a", rows=np.arange(count), values={name: np.array(one) for name, one in values.items()})


TOKENS = {
    "input_tokens": [[100, 100]] * 3,
    "cached_tokens": [[40, 60]] * 3,
    "output_tokens": [[10, 30]] * 3,
}


def test_tokens_cost_what_their_prices_say():
    found = token_cost(trials(**TOKENS), token_prices("input=1,cached=0.1,output=2"))
    assert found.value == pytest.approx((50 * 1 + 50 * 0.1 + 20 * 2) * 1000 / 1e6)
    assert token_cost(trials(**TOKENS), token_prices("input=1,output=2")).value == pytest.approx(0.14)


def test_without_prices_or_meters_there_is_no_cost():
    assert token_cost(trials(**TOKENS), {}) is None
    assert token_cost(trials(), token_prices("input=1")) is None


@pytest.mark.parametrize("text", ["in=1", "input=free", "input=-1", "input", "input=nan"])
def test_what_is_no_token_price_is_refused(text):
    with pytest.raises(UsageError, match="is no token price"):
        token_prices(text)


def test_meters_come_in_the_order_in_which_a_reader_asks():
    found = meters(trials(output_tokens=[[1, 2]] * 3, ttft_ms=[[5.0], [6.0], [7.0]]))
    assert [one.name for one in found] == ["ttft_ms", "output_tokens"]
    assert found[0].mean.value == 6.0
    assert (found[0].mean.unit, found[1].mean.unit) == ("ms", "tokens")


def test_rounds_without_a_meter_are_left_out():
    assert meters(trials(ttft_ms=[[5.0], [], [7.0]]))[0].mean.n == 2


def test_answers_disagree_where_any_output_does():
    one, other = outputs(y=[1.0, 2.0, 3.0], kind=["a", "b", "c"]), outputs(y=[1.0, 2.5, 3.0], kind=["a", "b", "x"])
    assert disagreeing(one, other).tolist() == [False, True, True]
    assert disagreement(one, other).value == pytest.approx(2 / 3)
    assert disagreeing(one, outputs(y=[1.0, 2.0, 3.0])).all()


def test_creep_is_the_ratio_of_two_audits_with_the_doubt_of_both():
    class First:
        current = Standing(latency_ms=Estimate(value=10.0, low=9.0, high=11.0, unit="ms", n=5))

    found = creep(First, Estimate(value=12.0, low=11.0, high=13.0, unit="ms", n=8))
    assert found.value == pytest.approx(0.2)
    assert found.low < 0.2 - 0.08
    assert found.high > 0.2 + 0.08
    assert creep(None, found) is None
