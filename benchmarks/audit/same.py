"""A/A: a model audited with itself as the lean candidate. Does the rate's interval cover 0, and how wide is it?

    python benchmarks/audit/same.py [--runs 100] [--budget 10]

Target: covers 0 in at least 90 of 100; median half-width at most 5 points.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from planted import Scenario, audit_of, write


def main() -> None:
    """Run the audits and print how many cover 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--budget", type=float, default=10.0)
    parser.add_argument("--first", type=int, default=0, help="seed of the first run")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        found = [one(folder, seed, given.budget) for seed in range(given.first, given.first + given.runs)]
    rates = [rate for rate, _ in found if rate is not None]
    undecided = len(found) - len(rates)
    covering = sum(rate.covers(0.0) for rate in rates)
    chosen = sum(picked for _, picked in found)
    width = statistics.median(rate.half_width for rate in rates)
    print(f"covers 0: {covering} of {len(rates)}, undecided {undecided}, target >= 90 %")
    print(f"the copy was chosen in {chosen} runs; median half-width {100 * width:.2f} points, target <= 5")


def one(folder: Path, seed: int, budget: float) -> tuple[Any, bool]:
    """The rate of one run, None where the machine was too noisy, and whether the copy was chosen."""
    made: Any = audit_of(folder, Scenario("same", {}), budget_s=budget, seed=seed)
    return made.tax_rate, bool(made.lines)


if __name__ == "__main__":
    main()
