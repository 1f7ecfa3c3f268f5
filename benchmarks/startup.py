"""What ``excise --help`` costs in CPU over a bare interpreter: at most 60 ms.

CPU time of a child process, user and system, as the kernel reports it; median of 15 runs each, alternating, so that
a change of the machine's speed meets both.

Usage: python benchmarks/startup.py
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from pathlib import Path

RUNS = 15
LIMIT_MS = 60.0
BARE = [sys.executable, "-c", "pass"]
COMMANDS = {
    "excise --help": [str(Path(sys.executable).with_name("excise")), "--help"],
    "excise init --help": [str(Path(sys.executable).with_name("excise")), "init", "--help"],
    "import excise": [sys.executable, "-c", "import excise"],
}
HELD = "excise --help"


def cpu_ms(command: list[str]) -> float:
    """CPU milliseconds of one run of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def over_bare_ms(command: list[str]) -> tuple[float, float, float]:
    """Medians of a bare interpreter and of the command, and of their paired difference."""
    pairs = [(cpu_ms(BARE), cpu_ms(command)) for _ in range(RUNS)]
    bare, whole = (statistics.median(side) for side in zip(*pairs, strict=True))
    return bare, whole, statistics.median(each - alone for alone, each in pairs)


def main() -> int:
    """Print the table; 1 where ``excise --help`` costs more than the limit."""
    for command in (BARE, *COMMANDS.values()):
        cpu_ms(command)  # the first run compiles
    found = {name: over_bare_ms(command) for name, command in COMMANDS.items()}
    print(f"{'':20} {'bare':>8} {'whole':>8} {'over':>8}   ms of CPU, medians of {RUNS}")
    for name, (bare, whole, over) in found.items():
        print(f"{name:20} {bare:8.1f} {whole:8.1f} {over:8.1f}")
    print(f"limit for {HELD}: {LIMIT_MS:.0f} ms over bare")
    return int(found[HELD][2] > LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
