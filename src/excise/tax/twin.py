"""The A/A check: two fresh processes of production, which must not differ."""

from __future__ import annotations

import numpy as np

from excise.core.estimate import Estimate
from excise.core.measurement import Experiment
from excise.core.verdict import Outcome, Verdict
from excise.stats.pairs import block_log_ratio, paired

TOLERANCE = 0.05
"""How far two equal processes may seem to differ before nothing else is believed."""


def twin_check(experiment: Experiment, tolerance: float = TOLERANCE) -> tuple[Estimate | None, Verdict]:
    """Ratio of a second production process to the first, and whether the machine is quiet enough.

    Args:
        experiment: any half; its twin is the A/A stream.
        tolerance: how far the ratio may be from 1.
    Returns:
        The ratio (None without a twin) and a verdict: pass, undecided, or not measured.
    """
    logs = _twin_logs(experiment)
    if logs is None:
        return None, Verdict(outcome=Outcome.NOT_MEASURED, why="no second production process was run")
    found = paired(logs, unit="ratio")
    ends = [None if end is None else float(np.exp(end)) for end in (found.low, found.high)]
    ratio = Estimate(value=float(np.exp(found.value)), low=ends[0], high=ends[1], unit="ratio", n=found.n)
    moved = abs(ratio.value - 1)
    text = f"two equal processes differ by {moved:.1%}, allowed {tolerance:.0%}"
    if moved > tolerance:
        return ratio, Verdict(outcome=Outcome.UNDECIDED, why=f"machine too noisy: {text}")
    return ratio, Verdict(outcome=Outcome.PASS, why=text)


def _twin_logs(experiment: Experiment) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
    if experiment.twin is None:
        return None
    production = experiment.cells[experiment.incumbent]
    logs = block_log_ratio(experiment.twin.wall_ms, experiment.twin.against_wall_ms(production))
    return logs if np.isfinite(logs).any() else None
