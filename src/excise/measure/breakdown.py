"""Where a call's time goes: classes of work, hotspots, and what stands beyond the declared stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from excise.core.audit import BreakdownLine, Hotspot, Stage
from excise.core.errors import WorkerError
from excise.measure.design import Arm, Cell, Design
from excise.measure.experiment import open_worker
from excise.stats.percentiles import percentile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HOTSPOTS, NAMED = 10, 40
"""Functions of a profile that are told, and of a survey, whose purpose is to name them."""
CALLS = 20
"""Profiled calls: enough to average over rows, few enough to be cheap."""


SURVEYED, FEWEST = 63, 10
"""Calls of a survey, and what a slow service makes of them at least."""
PASSES = 6
"""How often a survey makes its calls: watched, by route, plain, marked, and twice to see what stays the same."""


class Undeclared(msgspec.Struct, frozen=True, kw_only=True):
    """A function that production calls beside its declared stages.

    Attributes:
        name, where: as Python names it.
        ms: per call, scaled to unprofiled time.
        required: the reason why it must stay, None where none was given.
        constant: whether its value is the same every time, so that it need not be called again.
    """

    name: str
    where: str
    ms: float
    required: str | None = None
    constant: bool = False


class Breakdown(msgspec.Struct, frozen=True, kw_only=True):
    """One profiled pass.

    Attributes:
        lines, hotspots, undeclared, routes: as they are reported.
        drop: calls that no answer depends on, as a worker takes them. reason: why none could be looked for.
    """

    lines: tuple[BreakdownLine, ...]
    hotspots: tuple[Hotspot, ...]
    undeclared: tuple[Undeclared, ...]
    routes: tuple[Stage, ...] = ()
    drop: tuple[dict[str, Any], ...] = ()
    reason: str | None = None


def survey(
    design: Design, arm: Arm, cell: Cell, rows: NDArray[np.int64], *, call_ms: float, seconds: float
) -> Breakdown:
    """Name a service's functions by what they take, and those that no answer depends on, in a process of its own.

    ``call_ms`` is about what a call takes; ``seconds`` are for the survey, and as many for leaving calls out.

    Raises:
        WorkerError: the service does not run while it is watched.
    """
    calls = int(1e3 * seconds / (PASSES * max(call_ms, 1e-3)))
    some = rows[: min(SURVEYED, max(FEWEST, calls)) * design.batch]
    with open_worker(design, arm) as worker:
        worker.load(arm.variant.loader, watched=True)
        worker.data(design.samples[cell.sample], kind=design.kind, name=cell.sample, rows=some)
        found = worker.profile(cell.sample, range(len(some)), batch=design.batch)
        try:
            found |= worker.unneeded(seconds)
        except WorkerError as error:  # what was left out may have kept it alive
            found["reason"] = f"leaving calls out: {error.message}"
        return read(found, most=NAMED)


def profile(design: Design, arm: Arm, cell: Cell, rows: NDArray[np.int64]) -> Breakdown:
    """Profile production's own calls in a process of their own; nothing timed here enters the rate.

    Raises:
        WorkerError: production does not run under a profiler.
    """
    some = rows[: CALLS * design.batch]
    with open_worker(design, arm) as worker:
        worker.load(arm.variant.loader)
        worker.data(design.samples[cell.sample], kind=design.kind, name=cell.sample, rows=some)
        worker.warm(cell.sample, range(len(some)), batch=design.batch, shadow=True, seconds=1.0)
        found = worker.profile(cell.sample, range(len(some)), batch=design.batch)
    return read(found)


def read(found: Mapping[str, Any], *, most: int = HOTSPOTS) -> Breakdown:
    """A worker's profile as frozen values.

    Operators take the place of the one function that ran them: their time would count twice otherwise.
    """
    classes, operators = dict(found["classes"]), list(found["operators"])
    inside = sum(item["self_ms"] for item in operators)
    for item in operators:
        classes[item["class"]] += item["self_ms"]
    if operators:
        classes["op_compute"] = max(0.0, classes["op_compute"] - inside)
    whole = sum(classes.values())
    lines = [
        BreakdownLine(name=name, self_ms=spent, share=spent / whole if whole else 0.0)
        for name, spent in classes.items()
    ]
    return Breakdown(
        lines=tuple(sorted(lines, key=lambda line: -line.self_ms)),
        hotspots=_hotspots([*found["functions"], *operators], most),
        undeclared=tuple(Undeclared(**item) for item in found["undeclared"]),
        routes=_routes(found.get("routes", {})),
        drop=tuple(found.get("stubs", ())),
        reason=found.get("reason"),
    )


def _routes(found: Mapping[str, Sequence[float]]) -> tuple[Stage, ...]:
    """The median latency of every route, the dear ones first; those with too few calls are left out."""
    medians = {name: percentile(walls, 0.5) for name, walls in found.items()}
    known = [Stage(name=name, latency_ms=middle) for name, middle in medians.items() if middle is not None]
    return tuple(sorted(known, key=lambda one: -one.latency_ms.value))


def _hotspots(items: Sequence[Mapping[str, Any]], most: int) -> tuple[Hotspot, ...]:
    top = sorted(items, key=lambda item: -item["self_ms"])[:most]
    return tuple(
        Hotspot(
            name=item["name"],
            where=item["where"],
            self_ms=item["self_ms"],
            total_ms=item.get("total_ms"),
            calls=item["calls"],
            class_=item["class"],
        )
        for item in top
    )
