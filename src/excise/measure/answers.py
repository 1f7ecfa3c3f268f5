"""What every cell answers on the evaluation rows, before or after anything is timed."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from excise.core.errors import CallTimeout, WorkerDied, WorkerError
from excise.core.measurement import Outputs
from excise.measure.design import Cell, Design
from excise.measure.experiment import open_worker
from excise.measure.guest import usable_cores
from excise.measure.process import Worker

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of all cells on the same rows.

    Attributes:
        outputs: by cell; every one holds the same rows, those for which each cell had time.
        failed: why a cell has no answers, by cell.
        requests: how many production was asked to make its answers.
        failures: those that failed, by reason. last_failure: what one said.
        pilot_ms: median of the unpaired calls that made the answers, by cell: drops what is hopeless, decides nothing.
        facts: what loading said, by arm.
    """

    outputs: Mapping[str, Outputs]
    failed: Mapping[str, str]
    pilot_ms: Mapping[str, float]
    facts: Mapping[str, Mapping[str, Any]]
    requests: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    last_failure: str | None = None


def collect(design: Design, rows: NDArray[np.int64], *, seconds: float) -> Answers:
    """Ask every cell for its answers, one fresh process per arm.

    Args:
        design: the cells.
        rows: indices into the samples, in the order in which they are asked.
        seconds: for each cell; the rows that all of them reached are kept.

    Raises:
        CallFailed, CallTimeout, WorkerDied: production itself does not run.
    """
    cores = len(usable_cores())
    found = [_Asking(design, cells, rows, seconds) for cells in tasks(design, cores)]
    with ThreadPoolExecutor(max_workers=cores) as pool:
        try:
            list(pool.map(_Asking.all, found))
        except KeyboardInterrupt:  # or the pool would wait for every answer
            for one in found:
                one.stop()
            raise
    values: dict[str, dict[str, Any]] = {}
    failed: dict[str, str] = {}
    facts: dict[str, Mapping[str, Any]] = {}
    for one in found:
        values |= one.values
        failed |= {name: str(error) for name, error in one.errors.items()}
        facts[one.arm.name] = one.facts
        if design.incumbent in one.errors:
            raise one.errors[design.incumbent]
    shortest = min(len(value["rows"]) for value in values.values())
    outputs = {
        name: first_rows(Outputs(cell=name, rows=value["rows"], values=value["values"]), shortest)
        for name, value in values.items()
    }
    pilot_ms = {name: value["call_ms"] for name, value in values.items()}
    own = values[design.incumbent]
    return Answers(
        outputs=outputs,
        failed=failed,
        pilot_ms=pilot_ms,
        facts=facts,
        requests=own["requests"],
        failures=own["failures"],
        last_failure=own["last_failure"],
    )


def tasks(design: Design, cores: int) -> list[list[Cell]]:
    """Cells that one process answers one after the other: of one arm, and few enough to keep every core busy."""
    most = max(1, -(-len(design.cells) // cores))
    found: list[list[Cell]] = []
    for arm in design.arms:
        cells = [cell for cell in design.cells.values() if cell.arm == arm]
        cells.sort(key=lambda cell: cell.name != design.incumbent)
        found += [cells[start : start + most] for start in range(0, len(cells), most)]
    return sorted(found, key=len, reverse=True)


class _Asking:
    """The questions to one arm: one process, and a fresh one after each that was lost."""

    def __init__(self, design: Design, cells: list[Cell], rows: NDArray[np.int64], seconds: float) -> None:
        self.design, self.cells, self.rows, self.seconds = design, cells, rows, seconds
        self.arm = design.arms[cells[0].arm]
        self.values: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, WorkerError] = {}
        self.facts: Mapping[str, Any] = {}
        self.worker: Worker | None = None
        self.stopped = False

    def all(self) -> None:
        cells = self.cells
        while cells and not self.stopped:
            cells = cells[self.ask(cells) :]

    def stop(self) -> None:
        """Ask no more, and wait for no answer."""
        self.stopped = True
        if self.worker is not None:
            self.worker.stop()

    def ask(self, cells: list[Cell]) -> int:
        """Ask the cells in one process; the number that was dealt with before the process was lost."""
        try:
            with open_worker(self.design, self.arm) as worker:
                self.worker = worker
                if self.stopped:
                    return len(cells)
                self.facts = worker.load(self.arm.variant.loader, drop=self.arm.variant.drop)
                for name in {cell.sample for cell in cells}:
                    worker.data(self.design.samples[name], kind=self.design.kind, name=name, rows=self.rows)
                return self.ask_each(worker, cells)
        except WorkerError as error:
            self.errors |= {cell.name: error for cell in cells}
            return len(cells)

    def ask_each(self, worker: Worker, cells: list[Cell]) -> int:
        order, batch = range(len(self.rows)), self.design.batch
        for count, cell in enumerate(cells, 1):
            try:
                answer = worker.outputs(cell.sample, order, batch=batch, shadow=cell.shadow, seconds=self.seconds)
                self.facts = {**self.facts, "distributions": answer["distributions"]}
                self.values[cell.name] = {**answer, "rows": self.rows[answer["rows"]]}
            except (WorkerDied, CallTimeout) as error:
                self.errors[cell.name] = error
                return count
            except WorkerError as error:
                self.errors[cell.name] = error
        return len(cells)


def first_rows(outputs: Outputs, count: int) -> Outputs:
    """The answers on the first ``count`` rows."""
    values = {name: array[:count] for name, array in outputs.values.items()}
    return Outputs(cell=outputs.cell, rows=outputs.rows[:count], values=values)
