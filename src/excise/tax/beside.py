"""What stands beside the rate: creep, shift of the workload, skill lost."""

from __future__ import annotations

import math

import numpy as np

from excise.core.errors import NotMeasured
from excise.core.estimate import Estimate
from excise.core.measurement import CellTrials, Experiment
from excise.stats.pairs import block_log_ratio, over_blocks, paired


def relative(experiment: Experiment, cell: str, against: str, *, same_rows: bool = True) -> Estimate:
    """How much more one cell takes than another: the ratio of their wall times, minus 1.

    Production against the baseline release, both run now, is computational creep. Current against reference
    inputs is workload shift; its blocks hold different rows, so a round's means are compared, not its blocks.

    Args:
        experiment: both cells in the same rounds.
        cell: what is asked about.
        against: what it is held against.
        same_rows: whether block b of both cells ran the same rows.
    Returns:
        Unit ``ratio``; 0.18 is 18 % more. n counts rounds.
    Raises:
        NotMeasured: a cell did not run.
        NotComparable: they share no round.
    """
    above, below = _wall(experiment, cell), _wall(experiment, against)
    if same_rows:
        logs = block_log_ratio(below.against_wall_ms(above), below.wall_ms)
    else:
        logs = np.log(over_blocks(above.wall_ms, np.mean)) - np.log(over_blocks(below.wall_ms, np.mean))
    found = paired(logs, unit="ratio")
    ends = [None if end is None else math.expm1(end) for end in (found.low, found.high)]
    return Estimate(value=math.expm1(found.value), low=ends[0], high=ends[1], unit="ratio", n=found.n)


def _wall(experiment: Experiment, cell: str) -> CellTrials:
    trials = experiment.cells.get(cell)
    if trials is None:
        raise NotMeasured(f"{cell} was not measured: {experiment.failed.get(cell, 'it was not run')}")
    return trials


def skill_lost(reference: Estimate, current: Estimate) -> Estimate:
    """Skill on the reference sample minus skill on the current one; the samples are independent.

    >>> then = Estimate(value=0.5, low=0.47, high=0.53, unit="ratio", n=900)
    >>> now = Estimate(value=0.4, low=0.36, high=0.44, unit="ratio", n=400)
    >>> lost = skill_lost(then, now)
    >>> round(lost.value, 3), round(lost.low, 3), round(lost.high, 3), lost.n
    (0.1, 0.05, 0.15, 400)

    Args:
        reference: skill when the model was approved.
        current: skill now, at the same level.
    Returns:
        Unit ``ratio``, positive where skill was lost; the ends are None where one of the two has none.
    Source: variances of independent estimates add; half-widths in quadrature.
    """
    value, half = reference.value - current.value, math.hypot(reference.half_width, current.half_width)
    low, high = (None, None) if math.isinf(half) else (value - half, value + half)
    count = min(reference.n, current.n)
    return Estimate(value=value, low=low, high=high, level=current.level, unit="ratio", n=count)
