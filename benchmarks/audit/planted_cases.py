"""Planted cases whose answer is a fact rather than a number, one audit each.

    python benchmarks/audit/planted_cases.py [--budget 15]

A 40 ms wait must cost money; a candidate with two threads may lower latency and must not lower money; a lean model that
only takes numbers cannot run on text alone; a constant that is right 98 % of the time must be rejected; a newer package
must count when it is faster and must not when it is slower (two local wheels, no index).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import excise

sys.path.insert(0, str(Path(__file__).parent))
from planted import Scenario, audit_of, write

WORK = """
import time
def work():
    end = time.perf_counter_ns() + int({ms} * 1e6)
    while time.perf_counter_ns() < end: pass
"""


def main() -> None:
    """Run every case and print what was found beside what must hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=float, default=15.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        for case in (waiting, threaded, picky, constant, *rotten(folder)):
            found, holds = case(folder, given.budget)
            print(f"{'ok  ' if holds else 'MISS'} {found}", flush=True)


def run(folder: Path, name: str, budget: float, **more: Any) -> Any:
    """The audit of one handler."""
    text = bool(more.pop("text", False))
    return audit_of(folder, Scenario(name, {}, text=text, settings=more or None), budget_s=budget, seed=3)


def waiting(folder: Path, budget: float) -> tuple[str, bool]:
    """A wait burns no CPU and is not free."""
    made = run(folder, "waiting", budget)
    rate = made.tax_rate_cost
    return f"40 ms wait: money rate {rate and rate.value:.3f} (not zero), CPU {made.current.cpu_ms.value:.2f} ms", bool(
        rate and rate.low and rate.low > 0.5
    )


def threaded(folder: Path, budget: float) -> tuple[str, bool]:
    """Faster with more CPU in all."""
    made = run(folder, "single", budget)
    latency, money = made.tax_rate, made.tax_rate_cost
    holds = bool(latency and money and latency.value > 0.2 and money.value < 0.05)
    return f"two threads: latency rate {latency and latency.value:.3f}, money rate {money and money.value:.3f}", holds


def picky(folder: Path, budget: float) -> tuple[str, bool]:
    """A cell that cannot run: the lean model takes numbers only."""
    made = run(folder, "picky", budget, text=True)
    missing = [subset.remedies for subset in made.subsets if subset.latency_ms is None]
    culprits = [line.culprit for line in made.lines]
    return f"cell that cannot run: {missing}, lines {culprits}", missing == [("lean:picky_lean",)] and bool(culprits)


def constant(folder: Path, budget: float) -> tuple[str, bool]:
    """98 % right without any skill."""
    (folder / "numbers.csv").write_text((folder / "rare.csv").read_text())
    made = run(folder, "classifier", budget, target="label", reference=None)
    trial = next(one for one in made.tried if one.remedy == "lean:constant")
    write(folder)
    return f"constant candidate at 98/2: admissible {trial.admissible} ({trial.reason})", trial.admissible is False


def rotten(folder: Path) -> Iterator[Any]:
    """A package in two local wheels: the newer one faster, then slower."""
    for old_ms, new_ms in ((1.5, 0.3), (0.3, 1.5)):
        yield lambda place, budget, old=old_ms, new=new_ms: rot(place, budget, old, new)
    del folder


def rot(folder: Path, budget: float, old_ms: float, new_ms: float) -> tuple[str, bool]:
    """The newest environment, built from local wheels only, against the one that holds 1.0."""
    wheels = folder / f"wheels-{new_ms:g}"
    wheels.mkdir()
    wheel(wheels, "1.1", new_ms)
    place = folder / f"site-{old_ms:g}"
    unpack(wheel(wheels, "1.0", old_ms), place)
    sys.path.insert(0, str(place))
    handler = folder / f"rotten_{old_ms:g}".replace(".", "_")
    file = handler.with_suffix(".py")
    inserted = f"import sys\nif not any('envs' in p for p in sys.path): sys.path.insert(0, {str(place)!r})\n"
    file.write_text(inserted + (folder / "handlers.py").read_text() + "\nrotten = Rotten(fast)\n")
    made = excise.audit(
        f"{file}:rotten",
        current=str(folder / "numbers.csv"),
        budget_s=budget,
        rot=True,
        find_links=(str(wheels),),
        force=True,
        keep=False,
        project=folder,
        dollars_per_hour=0.1,
    )
    sys.path.remove(str(place))
    named = [line.culprit for line in made.lines]
    faster = new_ms < old_ms
    gaps = [gap.why for gap in made.not_measured if gap.what == "dependency_rot"]
    holds = ("dependency_rot" in named) is faster and not gaps
    return f"slowlib 1.0 ({old_ms} ms) -> 1.1 ({new_ms} ms): lines {named} {gaps}", holds


def wheel(folder: Path, version: str, ms: float) -> Path:
    """A wheel of ``slowlib``."""
    path = folder / f"slowlib-{version}-py3-none-any.whl"
    info = f"slowlib-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("slowlib.py", WORK.format(ms=ms))
        made.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: slowlib\nVersion: {version}\n")
        made.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: excise\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        made.writestr(f"{info}/top_level.txt", "slowlib\n")
        made.writestr(f"{info}/RECORD", f"slowlib.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path


def unpack(path: Path, place: Path) -> None:
    """Install a wheel by hand."""
    with zipfile.ZipFile(path) as packed:
        packed.extractall(place)


if __name__ == "__main__":
    main()
