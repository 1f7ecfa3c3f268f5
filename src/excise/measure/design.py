"""The plan of an experiment: which processes, called in which ways, on which rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from excise.core.predictor import InputKind, Variant

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from excise.tables import Table


class Engine(StrEnum):
    """How two processes are held against each other."""

    INTERLEAVED = "interleaved"
    DUET = "duet"


@dataclass(frozen=True, slots=True)
class Arm:
    """A kind of process: one variant in one environment.

    Attributes:
        name: unique in the design.
        variant: what it loads.
        python: the interpreter that runs it.
        project: folder put first on its ``sys.path``.
    """

    name: str
    variant: Variant
    python: str
    project: Path | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A way to call a process.

    Attributes:
        name: unique in the design (``core.tax.cell_name``).
        arm: the process's name.
        sample: which rows it gets (``current``, ``cast``, ``reference``).
        shadow: whether the call does what production does beyond its declared stages.
    """

    name: str
    arm: str
    sample: str = "current"
    shadow: bool = True


@dataclass(frozen=True, slots=True)
class Design:
    """An experiment, before it is run.

    Attributes:
        arms: kinds of processes, by name.
        cells: by name; ``incumbent`` is one of them.
        incumbent: production's cell.
        samples: tables of equal length, by name; row i of each stands for the same input.
        kind: the form in which a call gets its rows.
        batch: rows per call.
        timeout_s: for one call.
        engine: interleaved, or duet (both at once on two free cores).
        cores: the cores that a process may use; None for all.
    """

    arms: Mapping[str, Arm]
    cells: Mapping[str, Cell]
    incumbent: str
    samples: Mapping[str, Table]
    kind: InputKind
    batch: int = 1
    timeout_s: float = 30.0
    engine: Engine = Engine.INTERLEAVED
    cores: Sequence[int] | None = None


@dataclass(slots=True)
class Budget:
    """How long a run may take and how many rounds it must and may have.

    Attributes:
        seconds: wall time.
        least, most: rounds of fresh processes.
        rows: indices that the rounds draw from, shape (n,).
        half_width: stop once production's ratio to every cell is known to this, None to use all the time.
        aim: rounds that the time of a round is planned for.
        twin: whether a second production process runs in every round, the A/A stream.
    """

    seconds: float
    rows: NDArray[np.int64]
    least: int = 4
    most: int = 40
    half_width: float | None = None
    aim: int = 8
    twin: bool = True
