"""The occupancy law: how much of a machine-hour an inference uses up."""

from __future__ import annotations

from typing import overload

import numpy as np
from numpy.typing import NDArray

from excise.core.errors import UsageError
from excise.core.price import Price

Floats = NDArray[np.float64]

SECONDS_PER_HOUR = 3600.0
MS_PER_SECOND = 1000.0
PER = 1000
"""Money is stated per this many rows."""


@overload
def cost_per_1000(
    price: Price,
    *,
    wall_ms: float,
    cpu_ms: float | None,
    cores: float,
    slots: float,
    batch: int = 1,
    gpu_ms: float | None = None,
    gpus: float = 0,
) -> float: ...
@overload
def cost_per_1000(
    price: Price,
    *,
    wall_ms: Floats,
    cpu_ms: Floats | None,
    cores: float,
    slots: float,
    batch: int = 1,
    gpu_ms: Floats | None = None,
    gpus: float = 0,
) -> Floats: ...
def cost_per_1000(
    price: Price,
    *,
    wall_ms: float | Floats,
    cpu_ms: float | Floats | None,
    cores: float,
    slots: float,
    batch: int = 1,
    gpu_ms: float | Floats | None = None,
    gpus: float = 0,
) -> float | Floats:
    """USD per 1000 rows: the machine's price times the time for which a call occupies its busiest resource.

    c = price per second x 1000 x max(CPU-seconds / cores, GPU-seconds / GPUs, wall-seconds / slots) / batch.

    >>> from excise.economics.prices import custom_price
    >>> cost_per_1000(custom_price("3.6"), wall_ms=40.0, cpu_ms=2.0, cores=2, slots=4)  # 10 ms of a 0.001 $/s machine
    0.01

    Args:
        price: of the whole machine, per hour.
        wall_ms: mean wall time per call; a scalar or an array of any shape. NaN in, NaN out.
        cpu_ms: mean CPU time per call over all threads, same shape; None where not observed.
        cores: of the machine that is priced.
        slots: calls that the process really runs at once.
        batch: rows per call.
        gpu_ms: mean device time per call, same shape; None where not observed.
        gpus: of the machine that is priced.

    Returns:
        A float for scalars, else an array of the same shape.

    Raises:
        UsageError: a capacity that is not positive.

    Source:
        Utilization law, Denning & Buzen 1978, section 4; DESIGN section 3.
    """
    if batch < 1:
        raise UsageError(f"a call of {batch} rows", hint="--batch counts rows and starts at 1")
    occupied = occupancy_ms(wall_ms=wall_ms, cpu_ms=cpu_ms, cores=cores, slots=slots, gpu_ms=gpu_ms, gpus=gpus)
    per_second = float(price.per_hour.amount) / SECONDS_PER_HOUR
    cost = occupied * (per_second * PER / MS_PER_SECOND / batch)
    return float(cost) if np.ndim(cost) == 0 else cost


def occupancy_ms(
    *,
    wall_ms: float | Floats,
    cpu_ms: float | Floats | None,
    cores: float,
    slots: float,
    gpu_ms: float | Floats | None = None,
    gpus: float = 0,
) -> Floats:
    """Milliseconds for which one call holds the whole machine: demand over capacity on its busiest resource.

    Raises:
        UsageError: a capacity that is not positive.
    """
    demands = [demand_over("slots", wall_ms, slots)]
    if cpu_ms is not None:
        demands.append(demand_over("cores", cpu_ms, cores))
    if gpu_ms is not None:
        demands.append(demand_over("gpus", gpu_ms, gpus))
    return np.asarray(np.maximum.reduce(np.broadcast_arrays(*demands)), dtype=np.float64)


def demand_over(name: str, demand_ms: float | Floats, capacity: float) -> Floats:
    """Milliseconds of the resource per call, divided by how many of it there are."""
    if not capacity > 0:
        raise UsageError(f"{name} = {capacity}", hint=f"the machine has at least one of its {name}")
    return np.asarray(demand_ms, dtype=np.float64) / capacity


def is_lower_bound(*, cpu_observed: bool, gpu_observed: bool, gpus: float) -> bool:
    """Whether a resource that the machine has was not observed: the cost is then at least what is said."""
    return not cpu_observed or (gpus > 0 and not gpu_observed)
