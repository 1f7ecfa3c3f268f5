"""What one inference costs in one cell, as the report states it."""

from __future__ import annotations

from typing import Any

import numpy as np

from excise.core.audit import Distribution, Gap, Stage, Standing
from excise.core.estimate import Estimate
from excise.core.measurement import CellTrials
from excise.stats.pairs import paired
from excise.stats.percentiles import needed, percentile

BINS = 40
QUANTILES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}


def standing(
    trials: CellTrials,
    *,
    latency: Estimate | None = None,
    cost: Estimate | None = None,
    skill: Estimate | None = None,
    remedies: tuple[str, ...] = (),
    variant: str = "production",
) -> Standing:
    """One cell's numbers; latency and cost are the ledgers' own where they were assessed."""
    quantiles = {name: percentile(trials.call_ms, q) for name, q in QUANTILES.items()}
    return Standing(
        latency_ms=latency or paired(np.nanmean(trials.wall_ms, axis=1), unit="ms"),
        cpu_ms=paired(np.nanmean(trials.cpu_ms, axis=1), unit="ms"),
        gpu_ms=None if trials.gpu_ms is None else paired(trials.gpu_ms, unit="ms"),
        rss_mib=paired(trials.rss_mib, unit="mib"),
        load_ms=paired(trials.load_ms, unit="ms"),
        first_call_ms=paired(trials.first_call_ms, unit="ms"),
        serialize_ms=paired(trials.serialize_ms, unit="ms"),
        cost_per_1000=cost,
        skill=skill,
        remedies=remedies,
        variant=variant,
        **quantiles,
    )


def percentile_gaps(trials: CellTrials) -> list[Gap]:
    """The percentiles for which there were too few samples, and how many there should have been."""
    n = len(trials.call_ms)
    missing = [(name, q) for name, q in QUANTILES.items() if n < needed(q)]
    return [Gap(what=name.removesuffix("_ms"), why=f"{n} samples, {needed(q)} needed") for name, q in missing]


def stages(production: CellTrials, chain: CellTrials | None) -> tuple[Stage, ...]:
    """Declared stages, and what production does beyond them where the bare chain was run beside it."""
    source = chain if chain is not None else production
    found = [Stage(name=name, latency_ms=paired(values, unit="ms")) for name, values in source.stage_ms.items()]
    if chain is not None and found:
        beyond = np.nanmean(production.wall_ms, axis=1) - np.nanmean(chain.wall_ms, axis=1)
        found.append(Stage(name="undeclared", latency_ms=paired(beyond, unit="ms")))
    return tuple(found)


def distributions(cells: list[tuple[str, CellTrials]]) -> tuple[Distribution, ...]:
    """Latency histograms on one logarithmic axis, so that they can be laid over each other."""
    lowest = min(float(trials.call_ms.min()) for _, trials in cells)
    highest = max(float(np.quantile(trials.call_ms, 0.999)) for _, trials in cells)
    edges = np.geomspace(lowest, max(highest, lowest * 1.01), BINS + 1)
    return tuple(_distribution(name, trials, edges) for name, trials in cells)


def _distribution(name: str, trials: CellTrials, edges: Any) -> Distribution:
    counts, _ = np.histogram(np.clip(trials.call_ms, edges[0], edges[-1]), edges)
    return Distribution(name=name, edges_ms=tuple(edges.tolist()), shares=tuple((counts / counts.sum()).tolist()))


def memory_growth(production: CellTrials, baseline: CellTrials) -> Estimate:
    """Production's peak memory minus the baseline's, round by round, MiB."""
    return paired(production.rss_mib - baseline.rss_mib, unit="mib")
