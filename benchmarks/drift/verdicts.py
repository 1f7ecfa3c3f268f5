"""How often a clean sample alarms, and how surely a shift is found, with bounds.

Clean samples hold 20 normal columns, ties, zero-inflated numbers, nulls, flags, rare levels and levels up to 200 wide;
a false alarm is a sample with any verdict but none. AR(1) series run in time order with ``--ordered``, and beside it
without. Shifts move 15 of 50 normal columns.

Usage: python benchmarks/drift/verdicts.py [--runs 1000] [--large 100]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import excise
from excise.core.drift import Drifted
from excise.stats.proportions import proportion

ALPHA, POWER, TRIFLES = 0.05, 0.95, 0.01


def mixed(random: np.random.Generator, rows: int) -> dict[str, Any]:
    """A clean sample of everything that is awkward."""
    found: dict[str, Any] = {f"normal {i}": random.normal(size=rows) for i in range(20)}
    found |= {f"ties {i}": random.poisson(3, rows) for i in range(5)}
    found |= {f"zeros {i}": np.where(random.random(rows) < 0.8, 0.0, random.exponential(1, rows)) for i in range(5)}
    found["nulls"] = np.where(random.random(rows) < 0.05, np.nan, random.normal(size=rows))
    found["flags"] = random.random(rows) < 0.3
    found["rare"] = random.zipf(1.6, rows).astype(str)
    for width in (2, 5, 20, 50, 100, 200):
        shares = 1 / np.arange(1, width + 1) ** (width % 4 == 0)
        levels = np.array([f"level {n}" for n in range(width)])
        found[f"{width} levels"] = random.choice(levels, rows, p=shares / shares.sum())
    return found


def series(random: np.random.Generator, rows: int, rho: float) -> NDArray[np.float64]:
    """Thirty AR(1) series of variance one."""
    noise = random.normal(size=(rows, 30)) * np.sqrt(1 - rho**2)
    noise[0] /= np.sqrt(1 - rho**2)
    for row in range(1, rows):
        noise[row] += rho * noise[row - 1]
    return noise


def alarms(make: Callable[[np.random.Generator], Any], runs: int, **settings: Any) -> int:
    """Runs on two clean samples in which anything alarmed."""
    count = 0
    for run in range(runs):
        before, now = (make(np.random.default_rng((run, side))) for side in (0, 1))
        count += any(one.verdict.alarms for one in excise.drift(before, now, **settings).features)
    return count


def told(what: str, count: int, runs: int) -> bool:
    """Print a share with its bound; whether more than alpha is excluded."""
    found = proportion(count, runs)
    low, high = found.low or 0.0, found.high or 1.0
    print(f"{what:<44} {count:>5} of {runs:<5} {found.value:.3f} [{low:.3f}, {high:.3f}]")
    return low <= ALPHA


def shifted(sigma: float, rows: int, runs: int) -> tuple[float, float]:
    """Shares of the shifted columns that alarm, and that are material."""
    alarm = material = 0
    for run in range(runs):
        random = np.random.default_rng((run, rows))
        before, now = random.normal(size=(rows, 50)), random.normal(size=(rows, 50))
        now[:, :15] += sigma
        features = {one.name: one.verdict for one in excise.drift(before, now).features}
        moved = [features[f"f{index}"] for index in range(15)]
        alarm += sum(one.alarms for one in moved)
        material += sum(one is Drifted.MATERIAL for one in moved)
    return alarm / (15 * runs), material / (15 * runs)


def main() -> int:
    """Print every rate; 1 where one is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--large", type=int, default=100, help="Runs of what is large.")
    given = parser.parse_args()
    good = True
    for rows, runs in ((1000, given.runs), (10_000, given.large), (100_000, given.large // 5)):
        good &= told(f"clean, {rows:,} rows", alarms(lambda r, n=rows: mixed(r, n), runs), runs)
    for rho in (0.4, 0.7):
        make = lambda r, rho=rho: series(r, 1000, rho)  # noqa: E731  a sample by its correlation
        good &= told(f"AR(1) {rho}, 1,000 rows, --ordered", alarms(make, given.large, ordered=True), given.large)
        told(f"AR(1) {rho}, 1,000 rows, without the flag", alarms(make, given.large // 5), given.large // 5)
    power, material = shifted(0.1, 10_000, given.large // 5)
    print(f"0.1 sigma at 10,000 rows: alarm {power:.3f} (at least {POWER}), material {material:.3f}")
    listed, trifles = shifted(0.02, 100_000, given.large // 20)
    print(f"0.02 sigma at 100,000 rows: material {trifles:.3f} (at most {TRIFLES}), alarm {listed:.3f}")
    return int(not (good and power >= POWER and trifles <= TRIFLES))


if __name__ == "__main__":
    sys.exit(main())
