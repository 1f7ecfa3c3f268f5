"""What listing a thousand releases costs: at most 0.2 s of CPU.

A release of a handler is made as a user makes one; its index then names it a thousand times. Beside it: the time in
which Python reads the same index as JSON, below which no list can be.

Usage: python benchmarks/release_list.py [--releases 1000] [--repeats 9]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from excise.releases import ReleaseStore, oci

LIMIT_S = 0.2
HANDLER = "def predict(rows):\n    return [1.0 for _ in rows]\n"


def main() -> int:
    """Print what each costs; 1 where listing is above its limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--releases", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=9)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = filled(Path(folder), given.releases)
        index = store.layout.root / "index.json"
        ours = cpu_s(lambda: len(store.list()), given.releases, given.repeats)
        least = cpu_s(lambda: len(json.loads(index.read_bytes())["manifests"]) // 2, given.releases, given.repeats)
    print(f"listing {given.releases} releases: {ours:.3f} s of CPU   (limit {LIMIT_S})")
    print(f"reading their index as JSON: {least:.4f} s of CPU, ratio {ours / least:.1f}")
    return int(ours > LIMIT_S)


def filled(folder: Path, releases: int) -> ReleaseStore:
    """A store with so many releases."""
    (folder / "handler.py").write_text(HANDLER)
    words = [sys.executable, "-m", "excise", "release", "create", "handler.py:predict", "--name", "flights"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    store = ReleaseStore(folder / ".excise" / "releases")
    provenance, tag = store.layout.index()
    with store.layout.update() as entries:
        for number in range(2, releases + 1):
            name = {**tag.annotations, oci.REF_NAME: f"flights@{number}"}
            entries += [provenance, msgspec.structs.replace(tag, annotations=name)]
    return store


def cpu_s(count: Callable[[], int], expected: int, repeats: int) -> float:
    """The median CPU time of a function that is to count so many."""
    spent = []
    for _ in range(repeats):
        began = time.process_time()
        if count() != expected:
            sys.exit(f"there are not {expected} releases")
        spent.append(time.process_time() - began)
    return statistics.median(spent)


if __name__ == "__main__":
    sys.exit(main())
