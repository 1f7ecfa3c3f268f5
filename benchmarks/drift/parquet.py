"""Profiling a Parquet file that is read in parts, against merely decoding it: speed and memory.

Ten columns of floats, five of integers and five of levels. Decoding reads every batch of every row group as the profile
does, and does nothing with it.

Usage: python benchmarks/drift/parquet.py [--rows 50000000] [--folder DIR]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

GROUP = 1_000_000
SHARE, MEMORY_MB = 0.75, 500
INSIDE = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from excise.adapters.engines import find
from excise.api.profiling import profile_of
from excise.features import FeatureProfile, scan
from excise.tables import parts_in

path, what = sys.argv[1:]
parts = parts_in(path, "exact").parts
scan.seen = 10**9
head = next(parts[0].tables(8192))
edges = FeatureProfile.build(head)
FeatureProfile.build(head, edges_from=edges)
began, start = time.process_time(), time.perf_counter()
if what == "decode":
    with ThreadPoolExecutor(2) as pool:
        rows = sum(pool.map(lambda part: sum(table.rows for table in part.tables()), parts))
else:
    rows = profile_of(parts, path, find("local"), edges).rows
wall, cpu = time.perf_counter() - start, time.process_time() - began
with open("/proc/self/status") as status:  # the peak since this program began: getrusage keeps the parent's
    mb = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
print(json.dumps({"rows": rows, "wall": wall, "cpu": cpu, "mb": mb}))
"""


def main() -> int:
    """Print both and their ratio; 1 where profiling is too slow or too large."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--folder", help="Where the file is written; a temporary folder unless said.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        path = Path(folder) / "rows.parquet"
        write(path, given.rows)
        size = path.stat().st_size / 1e9
        decoded, profiled = (measured(path, what) for what in ("decode", "profile"))
    ratio = decoded["wall"] / profiled["wall"]
    print(f"{given.rows:,} rows, {size:.2f} GB")
    for name, found in (("decoded", decoded), ("profiled", profiled)):
        print(f"{name:<9} {found['wall']:7.2f} s wall  {found['cpu']:7.2f} CPU s  {found['mb']:6.0f} MB at most")
    print(f"profiled at {ratio:.2f} of decoding's speed (at least {SHARE}); memory limit {MEMORY_MB} MB")
    return int(ratio < SHARE or profiled["mb"] > MEMORY_MB)


def write(path: Path, rows: int) -> None:
    """The file, one row group after the other; the same three blocks over and over keep writing short."""
    random = np.random.default_rng(0)
    blocks = [block(random) for _ in range(3)]
    with pq.ParquetWriter(path, blocks[0].schema) as writer:
        for start in range(0, rows, GROUP):
            writer.write_table(blocks[start // GROUP % 3].slice(0, min(GROUP, rows - start)), row_group_size=GROUP)


def block(random: np.random.Generator) -> pa.Table:
    """A million rows."""
    columns = {f"float {i}": random.normal(size=GROUP) for i in range(10)}
    columns |= {f"int {i}": random.integers(0, 10 ** (i + 1), GROUP) for i in range(5)}
    for i, width in enumerate((5, 10, 50, 100, 200)):
        codes = pa.array(random.integers(0, width, GROUP).astype(np.int32))
        levels = pa.array([f"level {n}" for n in range(width)])
        columns[f"level {i}"] = pa.DictionaryArray.from_arrays(codes, levels).cast(pa.string())
    return pa.table(columns)


def measured(path: Path, what: str) -> dict[str, float]:
    """One way in a process of its own."""
    return dict(json.loads(subprocess.check_output([sys.executable, "-c", INSIDE, str(path), what])))


if __name__ == "__main__":
    sys.exit(main())
