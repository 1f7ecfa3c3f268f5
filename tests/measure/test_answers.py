import numpy as np
import pytest

from excise.core.errors import CallFailed
from excise.measure.answers import collect, tasks


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


def test_the_cells_of_one_arm_are_shared_among_processes_to_keep_every_core_busy(design):
    cells = dict.fromkeys(("production", "a", "b", "c", "d"), ("chain", True))
    shared = tasks(design(**cells), 2)
    assert [len(task) for task in shared] == [3, 2]
    assert shared[0][0].name == "production"
    assert sorted(cell.name for task in shared for cell in task) == sorted(cells)


def test_a_process_answers_for_one_arm_only(design):
    shared = tasks(design(production=("chain", True), lean=("double", True)), 2)
    assert [[cell.name for cell in task] for task in shared] == [["production"], ["lean"]]
