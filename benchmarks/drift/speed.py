"""What a comparison of two samples costs: 40 columns of numbers and 10 of levels, from Arrow, no stored profile.

Each size runs in a process of its own, after one small comparison; medians of CPU seconds over repeats. The peer is the
quickest way that people have without a tool: scipy's ``ks_2samp`` column by column and a chi-square test on the levels.

Usage: python benchmarks/drift/speed.py [--repeats 5]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

LIMITS = {10_000: 0.04, 100_000: 0.15, 1_000_000: 0.8}
STORED_WALL_S, OVER_MB, STATE_KB = 0.35, 100, 150
INSIDE = """
import json, resource, statistics, sys, time
import numpy as np, pyarrow as pa
import excise
from excise.features import FeatureProfile, scan
from excise.tables import read

rows, repeats, plain = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "plain"
LEVELS = (5, 5, 10, 10, 20, 20, 50, 50, 100, 200)

def sample(seed, rows):
    random = np.random.default_rng(seed)
    columns = {f"n{i}": random.normal(size=rows) for i in range(40)}
    for i, width in enumerate(LEVELS):
        codes = pa.array(random.integers(0, width, rows).astype(np.int32))
        coded = pa.DictionaryArray.from_arrays(codes, pa.array([f"level {j}" for j in range(width)]))
        columns[f"c{i}"] = coded.cast(pa.string()) if plain else coded
    return pa.table(columns)

def spent(run):
    cpu, wall = [], []
    for _ in range(repeats):
        began, start = time.process_time(), time.perf_counter()
        run()
        cpu.append(time.process_time() - began)
        wall.append(time.perf_counter() - start)
    return statistics.median(cpu), statistics.median(wall)

def peer(before, now):
    from scipy import stats
    for name in before.column_names:
        a, b = before[name], now[name]
        if name.startswith("n"):
            stats.ks_2samp(a.to_numpy(), b.to_numpy())
        else:
            counts = [np.bincount(one.combine_chunks().dictionary_encode().indices.to_numpy() if plain
                                  else one.combine_chunks().indices.to_numpy(), minlength=200) for one in (a, b)]
            stats.chi2_contingency(np.array(counts)[:, np.array(counts).sum(axis=0) > 0])

before, now, small = sample(0, rows), sample(1, rows), sample(2, 500)
scan.seen = rows * 40  # a process that has seen as much: the compiled pass is loaded where it pays
excise.drift(small, small)
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
cpu, wall = spent(lambda: excise.drift(before, now))
over = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) / 1024
profile = FeatureProfile.build(read(before))
stored_cpu, stored_wall = spent(lambda: excise.drift(profile, now))
repeats = 1
peer(small, small)
theirs, _ = spent(lambda: peer(before, now))
print(json.dumps({"cpu": cpu, "wall": wall, "over_mb": over, "stored_cpu": stored_cpu, "stored_wall": stored_wall,
                  "peer": theirs, "state_kb": len(profile.encode()) / 1000}))
"""


def main() -> int:
    """Print ours, the peer's and the ratio for each size; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats, missed = parser.parse_args().repeats, False
    for rows, limit in LIMITS.items():
        found = measured(rows, repeats, "coded")
        missed |= found["cpu"] > limit
        print(f"{rows:>9,} rows  {found['cpu']:6.3f} CPU s (limit {limit})  {found['wall']:.3f} s wall  "
              f"scipy {found['peer']:6.2f} CPU s, {found['peer'] / found['cpu']:.1f} times ours")  # fmt: skip
        print(f"                stored reference {found['stored_cpu']:.3f} CPU s, {found['stored_wall']:.3f} s wall")
    plain = measured(rows, repeats, "plain")
    print(f"  plain strings {plain['cpu']:6.3f} CPU s  {plain['wall']:.3f} s wall")
    print(f"  stored reference {found['stored_wall']:.3f} s wall (limit {STORED_WALL_S})")
    print(f"  memory over the data {found['over_mb']:.0f} MB (limit {OVER_MB})")
    print(f"  state {found['state_kb']:.0f} kB (limit {STATE_KB})")
    missed |= found["stored_wall"] > STORED_WALL_S or found["over_mb"] > OVER_MB or found["state_kb"] > STATE_KB
    return int(missed)


def measured(rows: int, repeats: int, strings: str) -> dict[str, float]:
    """One size in a process of its own."""
    words = [sys.executable, "-c", INSIDE, str(rows), str(repeats), strings]
    return dict(json.loads(subprocess.check_output(words)))


if __name__ == "__main__":
    sys.exit(main())
