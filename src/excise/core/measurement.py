"""What the experiment hands up: one row of numbers per fresh-process round and cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CellTrials:
    """All trials of one cell (a process and how it is called).

    Attributes:
        cell: its name.
        wall_ms: mean wall time per call of every block, shape (rounds, blocks); NaN where not run. Row k of
            every cell ran the same input rows in the same order, block by block.
        cpu_ms: mean CPU time per call, all threads, the same shape.
        call_ms: wall time of every single call, all rounds together, shape (calls,).
        stage_ms: mean wall time per call of every named stage, shape (rounds,) each.
        rss_mib: peak resident memory of the process while in this cell, shape (rounds,).
        load_ms, first_call_ms, serialize_ms: once per process, shape (rounds,).
        gpu_ms: device time per call, shape (rounds,); None without a device.
        partner_wall_ms, partner_cpu_ms: production's own blocks, run at the same moment on another core (duet), the
            same shape as ``wall_ms``; None where cell and production took turns.
        requests: how many were asked; only of services and endpoints.
        failures: requests that were answered with an error or not at all, by reason; likewise.
        meters: what an endpoint says of single calls (``ttft_ms``, ``output_tokens``), one array per round.
    """

    cell: str
    wall_ms: Floats
    cpu_ms: Floats
    call_ms: Floats
    stage_ms: Mapping[str, Floats]
    rss_mib: Floats
    load_ms: Floats
    first_call_ms: Floats
    serialize_ms: Floats
    gpu_ms: Floats | None = None
    partner_wall_ms: Floats | None = None
    partner_cpu_ms: Floats | None = None
    requests: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    meters: Mapping[str, tuple[Floats, ...]] = field(default_factory=dict)

    def against_wall_ms(self, production: CellTrials) -> Floats:
        """Production's wall time to hold ``wall_ms`` against, block by block."""
        return production.wall_ms if self.partner_wall_ms is None else self.partner_wall_ms

    def against_cpu_ms(self, production: CellTrials) -> Floats:
        """Production's CPU time to hold ``cpu_ms`` against, block by block."""
        return production.cpu_ms if self.partner_cpu_ms is None else self.partner_cpu_ms


@dataclass(frozen=True, slots=True, eq=False)
class Experiment:
    """A measured table of cells.

    Attributes:
        incumbent: name of production's cell.
        cells: by name; always holds ``incumbent``.
        twin: a second fresh production process per round: the A/A stream.
        failed: why a cell could not run, by name.
        disturbed: which rounds were disturbed (steal, involuntary switches), shape (rounds,).
        seconds: wall time spent measuring.
        calls: timed calls in all.
        notes: what a person should know.
    """

    incumbent: str
    cells: Mapping[str, CellTrials]
    twin: CellTrials | None
    failed: Mapping[str, str]
    disturbed: NDArray[np.bool_]
    seconds: float
    calls: int
    notes: tuple[str, ...] = ()

    @property
    def rounds(self) -> int:
        """Fresh-process rounds that were completed."""
        return int(self.cells[self.incumbent].wall_ms.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """What one cell answered on the evaluation rows.

    Attributes:
        cell: its name.
        rows: indices of the rows, shape (n,).
        values: one array per named output, leading axis n; strings and nested values as objects.
    """

    cell: str
    rows: NDArray[np.int64]
    values: Mapping[str, Any]
    notes: tuple[str, ...] = field(default=())
