import numpy as np
import pytest

from excise.measure.breakdown import profile, read


@pytest.mark.alone
def test_what_stands_beyond_the_declared_stages_is_named(design):
    plan = design(production=("chain", True))
    found = profile(plan, plan.arms["chain"], plan.cells["production"], np.arange(10))
    named = {item.name: item.ms for item in found.undeclared}
    assert max(named, key=named.get) == "validate_again"
    assert named["validate_again"] > 0.1  # 0.5 ms of spinning; a busy machine stretches either pass
    assert "predict" not in named
    assert max(found.hotspots, key=lambda spot: spot.self_ms).name == "spin"


def test_shares_add_up_to_one(design):
    plan = design(production=("chain", True))
    found = profile(plan, plan.arms["chain"], plan.cells["production"], np.arange(10))
    assert sum(line.share for line in found.lines) == pytest.approx(1.0)


def test_operators_are_not_counted_twice():
    operators = [{"name": "Gemm", "where": "", "self_ms": 3.0, "calls": 1.0, "class": "op_compute"}]
    classes = {"op_compute": 4.0, "framework": 1.0}
    found = read({"classes": classes, "operators": operators, "functions": [], "undeclared": []})
    assert {line.name: line.self_ms for line in found.lines} == {"op_compute": 4.0, "framework": 1.0}
