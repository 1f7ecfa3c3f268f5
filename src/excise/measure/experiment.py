"""The experiment: rounds of fresh processes, interleaved blocks on the same rows, an A/A stream inside.

Source: Kalibera & Jones 2013 (two-level sampling); Bulej et al. 2020, arXiv:2001.05811 (duet).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from excise.core.clock import Clock, SystemClock
from excise.core.errors import CallTimeout, WorkerDied, WorkerError
from excise.core.measurement import Experiment
from excise.measure.design import Arm, Budget, Cell, Design, Engine
from excise.measure.guest import Disturbance, pushed_off, usable_cores
from excise.measure.process import Worker
from excise.measure.schedule import BLOCKS, block_orders, calls_per_block, draw, lead_in, start_order
from excise.measure.trials import Collector
from excise.stats.pairs import block_log_ratio, paired

Progress = Callable[[float, float, str], None]

TWIN = "(twin)"
"""Name of the second production process of every round."""
ROWS_SENT = 2000
"""Rows that a round can draw from; a worker holds them in memory as ready-made inputs."""
WARM_SHARE = 0.25
"""Share of a round that may go into warming up."""
PATIENCE = 3.0
"""Times the budget after which not even the fewest rounds are waited for."""
TRIES = 3
"""Rounds in a row that may be lost before the experiment gives up."""


def run_experiment(
    design: Design,
    budget: Budget,
    *,
    seed: int,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> Experiment:
    """Run rounds of fresh processes until the budget is spent or the ratios are known well enough.

    A cell that fails is dropped with its reason and the others go on; the incumbent must run.

    Raises:
        CallFailed, CallTimeout, WorkerDied: production itself does not run.
    """
    return _Run(design, budget, np.random.default_rng(seed), progress, clock or SystemClock()).all()


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while measuring; ``experiment`` holds the complete rounds, None where there are none."""

    def __init__(self, experiment: Experiment | None) -> None:
        super().__init__()
        self.experiment = experiment


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a cell runs in a round, and how many untimed calls lead into each of its blocks."""

    worker: Worker
    cell: Cell
    lead: int = 0


@dataclass(frozen=True, slots=True)
class _Block:
    """Rows of one block, the same for every cell, and others for the calls that lead in."""

    rows: Any
    lead: Any


class _Run:
    """State of one experiment while it runs."""

    def __init__(
        self, design: Design, budget: Budget, random: np.random.Generator, progress: Progress | None, clock: Clock
    ) -> None:
        self.design, self.budget, self.random, self.progress, self.clock = design, budget, random, progress, clock
        self.collectors = {name: Collector(name) for name in (*design.cells, TWIN)}
        self.failed: dict[str, str] = {}
        self.disturbed: list[bool] = []
        self.calls = 0
        self.started = clock.monotonic()
        self.round_s = 0.0
        self.start_s = 0.0
        self.pair = list(design.cores or usable_cores())[:2]
        self.duet = design.engine is Engine.DUET and len(self.pair) == 2  # noqa: PLR2004  a duet
        self.pool = ThreadPoolExecutor(max_workers=1)

    @property
    def seconds(self) -> float:
        return self.clock.monotonic() - self.started

    @property
    def rounds(self) -> int:
        return len(self.disturbed)

    @property
    def cells(self) -> list[str]:
        """Cells still in the experiment."""
        return [name for name in self.design.cells if name not in self.failed]

    def all(self) -> Experiment:
        try:
            self.until_finished()
        except KeyboardInterrupt as interrupt:
            raise Interrupted(self.result() if self.rounds else None) from interrupt
        finally:
            self.pool.shutdown()
        return self.result()

    def until_finished(self) -> None:
        lost = 0
        while not self.finished():
            before = self.clock.monotonic()
            try:
                self.round()
                lost = 0
            except _RoundLost as loss:
                lost += 1
                if lost >= TRIES:
                    raise loss.error from None
            self.round_s = self.clock.monotonic() - before
            if self.progress:
                self.progress(min(self.seconds, self.budget.seconds), self.budget.seconds, f"round {self.rounds}")

    def finished(self) -> bool:
        """Whether the budget is spent; a few rounds are made past it, since fewer tell nothing."""
        if self.rounds >= self.budget.most or self.seconds > PATIENCE * self.budget.seconds:
            return self.rounds > 0
        if self.rounds >= self.budget.least and self.seconds + self.round_s > self.budget.seconds:
            return True
        return self.budget.half_width is not None and self.rounds >= self.budget.aim and self.narrow()

    def narrow(self) -> bool:
        """Whether every ratio to production is known well enough. Looks at widths, never at where they lie."""
        limit = self.budget.half_width or 0.0
        incumbent = self.collectors[self.design.incumbent].trials()
        others = [self.collectors[name].trials() for name in self.cells if name != self.design.incumbent]
        ratios = [paired(block_log_ratio(cell.wall_ms, incumbent.wall_ms), unit="ratio") for cell in others]
        return all(ratio.half_width * float(np.exp(ratio.value)) <= limit for ratio in ratios)

    def round(self) -> None:
        sent = self.random.permutation(self.budget.rows)[:ROWS_SENT]
        noise = Disturbance()
        began = self.clock.monotonic()
        with contextlib.ExitStack() as stack:
            workers, loads = self.start(stack, sent)
            self.start_s = self.clock.monotonic() - began
            warm = self.warm(workers, np.arange(len(sent)))
            made = self.blocks(workers, loads, warm, np.arange(len(sent)))
        self.disturbed.append(noise.since() or pushed_off(block for done in made.values() for block in done))

    def start(self, stack: contextlib.ExitStack, sent: Any) -> tuple[dict[str, Worker], dict[str, dict[str, Any]]]:
        """Fresh processes in random order, as many at once as there are cores."""
        arms = self.arms()
        order = start_order(list(arms), self.random)
        workers = {name: open_worker(self.design, arms[name]) for name in order}
        for worker in workers.values():
            stack.callback(worker.close)
        with ThreadPoolExecutor(max_workers=len(usable_cores())) as pool:
            ready = {name: pool.submit(self.load, workers[name], arms[name], sent) for name in order}
            try:
                wait(ready.values())
            except KeyboardInterrupt:  # or the pool would wait until all are loaded
                for worker in workers.values():
                    worker.stop()
                raise
        for name, future in ready.items():
            if (error := future.exception()) is not None:
                self.lose_arm(name, error)
        return workers, {name: worker.facts for name, worker in workers.items()}

    def arms(self) -> dict[str, Arm]:
        """One process per arm that still has a cell, and production's twin."""
        needed = {self.design.cells[name].arm for name in self.cells}
        arms = {name: arm for name, arm in self.design.arms.items() if name in needed}
        return {**arms, TWIN: self.design.arms[self.incumbent.arm]} if self.budget.twin else arms

    @property
    def incumbent(self) -> Cell:
        return self.design.cells[self.design.incumbent]

    def load(self, worker: Worker, arm: Arm, sent: Any) -> None:
        worker.load(arm.variant.loader, drop=arm.variant.drop)
        for name in {cell.sample for cell in self.design.cells.values() if cell.arm == arm.name}:
            worker.data(self.design.samples[name], kind=self.design.kind, name=name, rows=sent)

    def lose_arm(self, name: str, error: BaseException) -> None:
        """An arm did not start: its cells are out. Production and its twin must start."""
        if name in (TWIN, self.incumbent.arm) or not isinstance(error, WorkerError):
            raise error
        for cell in self.cells:
            if self.design.cells[cell].arm == name:
                self.failed[cell] = str(error)

    def places(self, workers: Mapping[str, Worker]) -> dict[str, _Place]:
        """Where each cell runs in this round; the twin runs production's cell."""
        found = {name: _Place(workers[self.design.cells[name].arm], self.design.cells[name]) for name in self.cells}
        return {**found, TWIN: _Place(workers[TWIN], self.incumbent)} if self.budget.twin else found

    def warm(self, workers: Mapping[str, Worker], rows: Any) -> dict[str, dict[str, Any]]:
        places = self.places(workers)
        seconds = max(0.05, WARM_SHARE * self.time_for_round() / len(places))
        warm: dict[str, dict[str, Any]] = {}
        for name in start_order(list(places), self.random):
            with self.losing(name):
                place, some = places[name], rows[: 64 * self.design.batch]
                warm[name] = place.worker.warm(
                    place.cell.sample, some, batch=self.design.batch, shadow=place.cell.shadow, seconds=seconds
                )
        return warm

    def time_for_round(self) -> float:
        """Seconds of a round that are timed: about ``aim`` rounds in the budget, at least a third of each measuring."""
        left = max(self.budget.seconds - self.seconds + self.start_s, 0.0)
        wanted = max(left / max(self.budget.aim - self.rounds, 1), 2 * self.start_s)
        allowed = left / max(self.budget.least - self.rounds, 1)
        return max(min(wanted, allowed) - self.start_s, 0.5 * self.start_s, 0.05)

    def blocks(
        self,
        workers: Mapping[str, Worker],
        loads: Mapping[str, dict[str, Any]],
        warm: Mapping[str, dict[str, Any]],
        rows: Any,
    ) -> dict[str, list[dict[str, Any]]]:
        leads = {name: lead_in(process["call_ms"]) for name, process in warm.items()}
        places = {
            name: replace(place, lead=leads[name]) for name, place in self.places(workers).items() if name in warm
        }
        seconds = (1 - WARM_SHARE) * self.time_for_round()
        calls = calls_per_block([warm[name]["call_ms"] for name in places], seconds, len(rows), self.design.batch)
        made: dict[str, list[dict[str, Any]]] = {name: [] for name in places}
        blocks = self.draw(rows, calls, max(leads.values()))
        for index, (block, order) in enumerate(
            zip(blocks, block_orders(list(places), BLOCKS, self.random), strict=True)
        ):
            for name in order:
                if name not in self.failed:
                    with self.losing(name):
                        self.one_block(name, places, block, index, made)
        for name, done in made.items():
            if name not in self.failed:
                arm = TWIN if name == TWIN else self.design.cells[name].arm
                self.collectors[name].add({**loads[arm], **warm[name]}, done)
                self.calls += calls * BLOCKS
        return made

    def draw(self, rows: Any, calls: int, lead: int) -> list[_Block]:
        """The rows of every block of a round."""
        both = [draw(rows, count, self.design.batch, self.random) for count in (calls, lead)]
        return [_Block(*one) for one in zip(*both, strict=True)]

    def one_block(
        self,
        name: str,
        places: Mapping[str, _Place],
        block: _Block,
        index: int,
        made: dict[str, list[dict[str, Any]]],
    ) -> None:
        """One block of one cell; in a duet at the same moment as production's, on another core."""
        production = self.design.incumbent
        if not self.duet or places[name].worker is places[production].worker:
            if not (self.duet and name == production and TWIN in places):
                made[name].append(self.run_block(places[name], block))
            return
        first, second = self.pair[:: 1 - 2 * (index % 2)]
        partner = self.pool.submit(self.run_block, places[production], block, [second])
        try:
            done = self.run_block(places[name], block, [first])
        finally:
            partner.exception()  # waits: production's pipe must be quiet before anybody else asks
        made[name].append({**done, "partner": partner.result()})
        if name == TWIN:
            made[production].append(partner.result())

    def run_block(self, place: _Place, block: _Block, cores: list[int] | None = None) -> dict[str, Any]:
        batch, cell = self.design.batch, place.cell
        lead = block.lead[: place.lead * batch]
        return place.worker.run(cell.sample, block.rows, batch=batch, shadow=cell.shadow, cores=cores, lead=lead)

    @contextlib.contextmanager
    def losing(self, cell: str) -> Iterator[None]:
        """A cell that fails is out, with its reason; a dead process of production's costs the round."""
        try:
            yield
        except WorkerError as error:
            if cell in (TWIN, self.design.incumbent):
                raise
            self.failed[cell] = str(error)
            arm = self.design.cells[cell].arm
            if isinstance(error, (WorkerDied, CallTimeout)):
                if arm == self.incumbent.arm:
                    raise _RoundLost(error) from error
                self.lose_arm(arm, error)

    def result(self) -> Experiment:
        return Experiment(
            incumbent=self.design.incumbent,
            cells={name: self.collectors[name].trials() for name in self.cells},
            twin=self.collectors[TWIN].trials() if self.budget.twin else None,
            failed=dict(self.failed),
            disturbed=np.array(self.disturbed),
            seconds=self.seconds,
            calls=self.calls,
        )


class _RoundLost(Exception):
    """A candidate's way of calling ended production's process; the round must be made again."""

    def __init__(self, error: WorkerError) -> None:
        super().__init__(str(error))
        self.error = error


def open_worker(design: Design, arm: Arm) -> Worker:
    """A fresh process for an arm, nothing loaded yet."""
    return Worker(
        arm.python,
        variables=arm.variant.variables,
        timeout_s=design.timeout_s,
        cores=design.cores,
        project=arm.project,
    )
