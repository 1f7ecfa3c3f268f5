"""What timing costs a call: wall and CPU clock at most 2 µs, each stage 0.3 µs more.

The worker's own loops (``measure/worker/timing.py``) run a function that does nothing, against a bare loop over the
same calls. One number per fresh process, from interleaved rounds inside it; medians over processes, with the largest.

Usage: python benchmarks/timing_overhead.py [--processes 9]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

from excise.measure.worker import timing

LIMITS = {"a call": 2.0, "a stage": 0.3}
STAGES = 3
INSIDE = f"""
import importlib.util, json, statistics, time
spec = importlib.util.spec_from_file_location("timing", {timing.__file__!r})
timing = importlib.util.module_from_spec(spec)
spec.loader.exec_module(timing)
CALLS, ROUNDS, STAGES = [None] * 20_000, 15, {STAGES}
def nothing(batch): pass
def unmarked(batch, clock): pass
def marked(batch, clock): clock("a"); clock("b"); clock("c")
def bare(predict, calls):
    for batch in calls: predict(batch)
def us(run, predict):
    start = time.perf_counter_ns()
    run(predict, CALLS)
    return (time.perf_counter_ns() - start) / 1e3 / len(CALLS)
call, stage = [], []
for _ in range(ROUNDS):
    call.append(us(timing.run, nothing) - us(bare, nothing))
    stage.append((us(timing.run_staged, marked) - us(timing.run_staged, unmarked)) / STAGES)
print(json.dumps({{"a call": statistics.median(call), "a stage": statistics.median(stage)}}))
"""


def main() -> int:
    """Print what each costs; 1 where the median is above its limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--processes", type=int, default=9)
    given = parser.parse_args()
    found = [json.loads(subprocess.check_output([sys.executable, "-c", INSIDE])) for _ in range(given.processes)]
    missed = False
    for what, limit in LIMITS.items():
        costs = [one[what] for one in found]
        middle = statistics.median(costs)
        missed = missed or middle > limit
        print(f"{what:8} {middle:6.3f} µs, at most {max(costs):.3f} in {given.processes} processes   (limit {limit})")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
