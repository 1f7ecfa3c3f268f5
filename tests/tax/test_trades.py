import numpy as np
import pytest

from excise.core.errors import NotMeasured
from excise.core.tax import PRODUCTION
from excise.tax import further


def test_a_trade_is_what_it_saves_beyond_the_attainable(machine, occupancy):
    wall_ms = {PRODUCTION: 10.0, "onnx": 4.0, "int8": 3.0}
    found = [further(machine().run(wall_ms, seed=seed), "onnx", "int8", occupancy()) for seed in range(200)]
    assert np.mean([one.latency_ms.covers(1.0) for one in found]) >= 0.95
    assert np.median([one.latency_ms.value for one in found]) == pytest.approx(1.0, abs=0.05)
    assert all(one.cost_per_1000 is not None for one in found)


def test_without_a_price_a_trade_has_no_money(machine):
    found = further(machine().run({PRODUCTION: 10.0, "int8": 3.0}), PRODUCTION, "int8", None)
    assert found.cost_per_1000 is None


def test_a_trade_that_did_not_run_says_why(machine):
    experiment = machine().run({PRODUCTION: 10.0}, failed={"int8": "the session refuses it"})
    with pytest.raises(NotMeasured, match="refuses"):
        further(experiment, PRODUCTION, "int8", None)
