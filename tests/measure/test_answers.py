import numpy as np
import pytest

from excise.core.errors import CallFailed
from excise.measure.answers import collect


def test_every_cell_answers_the_same_rows(design):
    rows = np.array([7, 3, 50])
    found = collect(design(production=("chain", True), bare=("chain", False)), rows, seconds=5.0)
    assert found.outputs["production"].rows.tolist() == found.outputs["bare"].rows.tolist() == [7, 3, 50]
    assert found.outputs["bare"].values["y"].tolist() == [14.0, 6.0, 100.0]
    assert found.pilot_ms["production"] > found.pilot_ms["bare"] > 0.9


def test_a_cell_that_cannot_answer_is_named_with_its_reason(design):
    found = collect(design(production=("double", True), dead=("dies", True)), np.arange(5), seconds=5.0)
    assert set(found.outputs) == {"production"}
    assert "SIGKILL" in found.failed["dead"]


def test_production_must_answer(design):
    with pytest.raises(CallFailed, match="row 17"):
        collect(design(production=("raises_on_17", True)), np.array([1, 17]), seconds=5.0)
