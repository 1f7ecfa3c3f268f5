"""Do the intervals of planted lines cover the truth? Pools line-runs of audits whose taxes are known.

    python benchmarks/audit/coverage.py [--runs 25] [--budget 15] [--only NAME]

Target: nominal 95 % intervals cover in at least 190 of 200 line-runs; lines that were not planted lie within 2 % of
production's latency in at least 95 % of the audits; lines add up to 1e-9. The truth is the median of three oracle runs
of 60 s each, so that one which the machine disturbed decides nothing.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from planted import SCENARIOS, Scenario, audit_of, write

ORACLES = 3
CULPRITS = ("model_bloat", "fat_features", "shadow_pipeline", "dependency_rot")


def main() -> None:
    """Run the audits and print coverage, bias and additivity."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=25, help="audits per scenario")
    parser.add_argument("--budget", type=float, default=15.0)
    parser.add_argument("--oracle", type=float, default=60.0)
    parser.add_argument("--only", choices=[scenario.name for scenario in SCENARIOS])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        chosen = [scenario for scenario in SCENARIOS if given.only in {None, scenario.name}]
        totals = [scenario_row(folder, scenario, given) for scenario in chosen]
    covered, runs, quiet, unplanted, worst = (sum(column) for column in zip(*totals, strict=True))
    print(f"\nall: covered {covered} of {runs} line-runs ({covered / runs:.1%}); target 190 of 200")
    print(f"unplanted lines within 2 % of production: {quiet} of {unplanted}; worst additivity error {worst:.1e}")


def scenario_row(folder: Path, scenario: Scenario, given: argparse.Namespace) -> tuple[int, int, int, int, float]:
    """One scenario's counts: covered, line-runs, quiet unplanted, unplanted, additivity error."""
    oracles = [lines_of(audit_of(folder, scenario, budget_s=given.oracle, seed=10_000 + k)) for k in range(ORACLES)]
    truth = {
        culprit: statistics.median(lines[culprit].latency_ms.value if culprit in lines else 0.0 for lines in oracles)
        for culprit in scenario.truth
    }
    covered = runs = quiet = unplanted = 0
    worst = 0.0
    for seed in range(given.runs):
        made: Any = audit_of(folder, scenario, budget_s=given.budget, seed=seed)
        if made.tax_rate is None:
            print(f"  {scenario.name} seed {seed}: {made.why}")
            continue
        lines = lines_of(made)
        worst = max(worst, additivity(made))
        for culprit, expected in truth.items():
            runs += 1
            hit = culprit in lines and lines[culprit].latency_ms.covers(expected)
            covered += hit
            if not hit:
                stated = lines[culprit].latency_ms if culprit in lines else "no line"
                print(f"  miss {scenario.name} seed {seed} {culprit}: truth {expected:.3f}, {stated}")
        for culprit in set(CULPRITS) - set(truth):
            unplanted += 1
            level = lines[culprit].latency_ms.value if culprit in lines else 0.0
            quiet += abs(level) <= 0.02 * made.current.latency_ms.value
    planted = ", ".join(f"{name} {value:.3f} ms (spin {scenario.truth[name]:g})" for name, value in truth.items())
    print(f"{scenario.name}: covered {covered} of {runs}; oracle: {planted}", flush=True)
    return covered, runs, quiet, unplanted, worst


def lines_of(audit: Any) -> dict[str, Any]:
    """Lines by culprit."""
    return {line.culprit: line for line in audit.lines}


def additivity(audit: Any) -> float:
    """How far the lines are from adding up to current minus attainable, ms."""
    total = sum(line.latency_ms.value for line in audit.lines)
    return abs(total - (audit.current.latency_ms.value - audit.attainable.latency_ms.value)) if audit.lines else 0.0


if __name__ == "__main__":
    main()
