"""Looking every day: 90 looks of 1000 rows at 50 features, against a reference of 100,000 rows.

Runs without drift: how many alarm at all. Runs with a shift of 0.1 standard deviations in five features from day 30:
how many see it, how soon, and how many alarm before. Beside it, on the same windows, a two-sample Kolmogorov-Smirnov
test per feature with Holm's correction at every look. Windows are multinomial counts over 64 bins with equal shares of
the population, which is exact for any continuous feature. The day at whose end the alarm comes counts as a whole one.

Then rows that depend on their neighbors, AR(1) with a coefficient of 0.7, reference and windows alike, with errors
widened by what blocks of the reference show, and without that.

    python benchmarks/drift/looks.py [--runs 400] [--dependent-runs 60]

Targets: the upper 95 % bound on the share of runs with a false alarm is at most 5 %; median delay at most 4 days.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from typing import Any, NamedTuple

import numpy as np
from scipy import signal

from excise.features.dependence import inflation
from excise.features.stream import REFERENCE_ALPHA
from excise.stats.detectors import (
    cut_points,
    function_band,
    in_alarm,
    log_bets,
    log_evidence,
    shiryaev_roberts,
    threshold,
)
from excise.stats.proportions import proportion
from excise.stats.tails import kolmogorov
from excise.tables import read

FEATURES, REFERENCE, LOOKS, ROWS, BINS = 50, 100_000, 90, 1000, 64
DRIFTING, START, SHIFT = 5, 30, 0.1
FALSE_ALARMS = 0.05
ALPHA = REFERENCE_ALPHA / FEATURES
RHO = 0.7
Array = Any


class Run(NamedTuple):
    """First looks with an alarm, None without any: anywhere, and from day 30 in the features that drift."""

    first: int | None
    found: int | None


def main() -> None:
    """Run both scenarios and print what each rule does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--dependent-runs", type=int, default=60)
    parser.add_argument("--tolerance", type=float, default=0.0)
    given = parser.parse_args()
    before = time.process_time()
    still = [both(seed, 0.0, given.tolerance) for seed in range(given.runs)]
    moved = [both(given.runs + seed, SHIFT, given.tolerance) for seed in range(given.runs)]
    for rule, name in enumerate(("e-detector", "Holm per look")):
        print(name)
        report([run[rule] for run in still], [run[rule] for run in moved])
    rows_in_order(given.dependent_runs)
    print("targets: bound <= 5.0 %, delay <= 4 days")
    print(f"processor time {time.process_time() - before:.0f} s")


def report(still: list[Run], moved: list[Run]) -> None:
    """Print one rule's numbers."""
    false = proportion(sum(run.first is not None for run in still), len(still))
    print(
        f"  without drift: {100 * false.value:.1f} % of {len(still)} runs alarm, "
        f"at most {100 * (false.high or 1):.1f} %"
    )
    early = proportion(sum(run.first is not None and run.first < START for run in moved), len(moved))
    delays = [run.found - START + 1 for run in moved if run.found is not None]
    median = statistics.median(delays) if delays else math.nan
    print(f"  with drift: {100 * len(delays) / len(moved):.1f} % find it, median delay {median:g} days, ", end="")
    print(f"slowest {max(delays, default=0)}; {100 * early.value:.1f} % alarm before it")


def both(seed: int, shift: float, tolerance: float) -> tuple[Run, Run]:
    """One run under both rules."""
    generator = np.random.default_rng(seed)
    reference = generator.multinomial(REFERENCE, np.full(BINS, 1 / BINS), size=FEATURES)
    windows = generator.multinomial(ROWS, shares(shift))
    return run_of(e_detector(reference, windows, tolerance)), run_of(holm_per_look(reference, windows))


def rows_in_order(runs: int) -> None:
    """Print what dependence between rows does, widened for and not."""
    for widened in (True, False):
        print(f"e-detector, AR(1) rows with {RHO}, {'' if widened else 'not '}widened for it")
        still = [dependent(seed, drifts=False, widened=widened) for seed in range(runs)]
        report(still, [dependent(runs + seed, drifts=True, widened=widened) for seed in range(runs)])


def dependent(seed: int, *, drifts: bool, widened: bool) -> Run:
    """One run on autoregressive rows."""
    generator = np.random.default_rng(seed)
    edges = np.array([statistics.NormalDist().inv_cdf(place / BINS) for place in range(1, BINS)])
    reference, windows, factors = [], [], []
    for feature in range(FEATURES):
        past, rows = autoregressive(generator, REFERENCE), autoregressive(generator, LOOKS * ROWS)
        if drifts and feature < DRIFTING:
            rows[START * ROWS :] += SHIFT
        reference.append(np.bincount(edges.searchsorted(past), minlength=BINS))
        places = edges.searchsorted(rows).reshape(LOOKS, ROWS) + BINS * np.arange(LOOKS)[:, None]
        windows.append(np.bincount(places.ravel(), minlength=LOOKS * BINS).reshape(LOOKS, BINS))
        factors.append(inflation(read({"x": past}).columns[0]) if widened else 1.0)
    return run_of(e_detector(np.array(reference), np.stack(windows, axis=1), 0.0, np.array(factors)))


def shares(shift: float) -> Array:
    """Shares of the bins, shape (looks, features, bins)."""
    normal = statistics.NormalDist()
    edges = [normal.cdf(normal.inv_cdf(place / BINS) - shift) for place in range(1, BINS)]
    table = np.full((LOOKS, FEATURES, BINS), 1 / BINS)
    table[START:, :DRIFTING] = np.diff([0.0, *edges, 1.0])
    return table


def e_detector(reference: Array, windows: Array, tolerance: float, factors: Array | None = None) -> Array:
    """Whether each feature alarms at each look, shape (looks, features)."""
    cuts = np.array([cut_points(counts) for counts in reference])
    known = np.take_along_axis(reference.cumsum(axis=1), cuts, axis=1) / REFERENCE
    hits = np.take_along_axis(windows.cumsum(axis=2), cuts[None], axis=2)
    widened = np.ones(FEATURES) if factors is None else factors
    band = np.array([function_band(*one, ALPHA, tolerance) for one in zip(known, REFERENCE / widened, strict=True)])
    least = math.log(threshold(FEATURES, LOOKS, FALSE_ALARMS))
    state, alarms = np.full(log_bets(hits[0], ROWS, band).shape, -np.inf), []
    for look in hits:
        paid = log_bets(look, ROWS, band) / widened[:, None, None, None]
        state = shiryaev_roberts(state, paid)
        alarms.append(in_alarm(log_evidence(state, band), least))
    return np.array(alarms)


def autoregressive(generator: Any, rows: int) -> Array:
    """Standard normal values that follow each other by ``RHO``."""
    noise = generator.normal(0, math.sqrt(1 - RHO**2), rows)
    noise[0] = generator.normal()
    return signal.lfilter([1.0], [1.0, -RHO], noise)


def holm_per_look(reference: Array, windows: Array) -> Array:
    """Likewise, where the smallest p-value of a look is below 5 % over the features: Holm's first step."""
    gaps = np.abs(windows.cumsum(axis=2) / ROWS - reference.cumsum(axis=1) / REFERENCE).max(axis=2)
    root = math.sqrt(ROWS * REFERENCE / (ROWS + REFERENCE))
    return gaps * root >= critical(FALSE_ALARMS / FEATURES)


def critical(alpha: float) -> float:
    """The value that Kolmogorov's distribution exceeds with probability alpha."""
    low, high = 0.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if kolmogorov(middle) > alpha else (low, middle)
    return high


def run_of(alarms: Array) -> Run:
    """The first looks with an alarm."""
    return Run(first_of(alarms.any(axis=1), 0), first_of(alarms[:, :DRIFTING].any(axis=1), START))


def first_of(alarming: Array, start: int) -> int | None:
    """The first look from ``start`` on at which something alarms."""
    looks = np.flatnonzero(alarming[start:])
    return start + int(looks[0]) if looks.size else None


if __name__ == "__main__":
    main()
