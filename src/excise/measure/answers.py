"""What every cell answers on the evaluation rows, before or after anything is timed."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from excise.core.errors import CallTimeout, WorkerDied, WorkerError
from excise.core.measurement import Outputs
from excise.measure.design import Arm, Cell, Design
from excise.measure.experiment import open_worker
from excise.measure.guest import usable_cores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of all cells on the same rows.

    Attributes:
        outputs: by cell; every one holds the same rows, those for which each cell had time.
        failed: why a cell has no answers, by cell.
        pilot_ms: median of the unpaired calls that made the answers, by cell: to drop what is hopeless, never to decide.
        facts: what loading said, by arm.
    """

    outputs: Mapping[str, Outputs]
    failed: Mapping[str, str]
    pilot_ms: Mapping[str, float]
    facts: Mapping[str, Mapping[str, Any]]


def collect(design: Design, rows: NDArray[np.int64], *, seconds: float) -> Answers:
    """Ask every cell for its answers, one fresh process per arm.

    Args:
        design: the cells.
        rows: indices into the samples, in the order in which they are asked.
        seconds: for each cell; the rows that all of them reached are kept.

    Raises:
        CallFailed, CallTimeout, WorkerDied: production itself does not run.
    """
    with ThreadPoolExecutor(max_workers=len(usable_cores())) as pool:
        found = list(pool.map(lambda arm: _ask_arm(design, arm, rows, seconds), design.arms.values()))
    values: dict[str, dict[str, Any]] = {}
    failed: dict[str, str] = {}
    facts: dict[str, Mapping[str, Any]] = {}
    for arm, one in zip(design.arms, found, strict=True):
        values |= one.values
        failed |= {name: str(error) for name, error in one.errors.items()}
        facts[arm] = one.facts
        if design.incumbent in one.errors:
            raise one.errors[design.incumbent]
    shortest = min(len(value["rows"]) for value in values.values())
    outputs = {name: _cut(name, value, shortest) for name, value in values.items()}
    pilot_ms = {name: value["call_ms"] for name, value in values.items()}
    return Answers(outputs=outputs, failed=failed, pilot_ms=pilot_ms, facts=facts)


@dataclass(slots=True)
class _Arm:
    """What one process answered."""

    values: dict[str, dict[str, Any]]
    errors: dict[str, WorkerError]
    facts: Mapping[str, Any]


def _ask_arm(design: Design, arm: Arm, rows: NDArray[np.int64], seconds: float) -> _Arm:
    cells = [cell for cell in design.cells.values() if cell.arm == arm.name]
    cells.sort(key=lambda cell: cell.name != design.incumbent)
    made = _Arm({}, {}, {})
    left = list(cells)
    while left:
        lost = _ask_cells(design, arm, left, rows, seconds, made)
        left = left[lost:]
    return made


def _ask_cells(
    design: Design, arm: Arm, cells: list[Cell], rows: NDArray[np.int64], seconds: float, made: _Arm
) -> int:
    """Ask the cells in one process; the number that was dealt with before the process was lost."""
    try:
        worker = open_worker(design, arm)
    except WorkerError as error:
        made.errors |= {cell.name: error for cell in cells}
        return len(cells)
    with worker:
        try:
            made.facts = worker.load(arm.variant.loader)
            for name in {cell.sample for cell in cells}:
                worker.data(design.samples[name], kind=design.kind, name=name, rows=rows)
        except WorkerError as error:
            made.errors |= {cell.name: error for cell in cells}
            return len(cells)
        return _ask_each(worker, design, cells, rows, seconds, made)


def _ask_each(worker: Any, design: Design, cells: list[Cell], rows: NDArray[np.int64], seconds: float, made: _Arm) -> int:
    order = range(len(rows))
    for count, cell in enumerate(cells, 1):
        try:
            answer = worker.outputs(cell.sample, order, batch=design.batch, shadow=cell.shadow, seconds=seconds)
            made.values[cell.name] = {**answer, "rows": rows[answer["rows"]]}
        except (WorkerDied, CallTimeout) as error:
            made.errors[cell.name] = error
            return count
        except WorkerError as error:
            made.errors[cell.name] = error
    return len(cells)


def _cut(name: str, value: Mapping[str, Any], count: int) -> Outputs:
    values = {output: array[:count] for output, array in value["values"].items()}
    return Outputs(cell=name, rows=value["rows"][:count], values=values)
