"""excise beside the tools that people use: what each call costs, how often clean data alarm, and who notices what.

Every peer lives in an environment of its own, made by pip at the first run (some 5 GB in all), and gets the samples of
``drift_samples.py`` as pandas frames; excise gets them as arrays. CPU seconds count, since calls differ in threads. A
cell says ``alarm``, ``silent`` or ``crash``; excise's says the cause that it names.

Usage: python benchmarks/peers/drift.py [--peers evidently,frouros] [--runs 20] [--rows 10000,100000] [--venvs FOLDER]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from drift_samples import clean, fat, wide

import excise

HERE = Path(__file__).parent
REQUIREMENTS = {
    "evidently": ("evidently==0.7.23", "pandas<3"),
    "nannyml": ("nannyml==0.13.1", "statsmodels", "pandas<3", "numpy<2"),
    "whylogs": ("whylogs==1.6.4", "pandas<2.3", "numpy<2", "scipy", "ipython"),
    "alibi": ("alibi-detect==0.13.0", "pandas<3"),
    "frouros": ("frouros==0.9.0", "pandas<3"),
    "scipy": ("scipy", "pandas<3"),
}
LONGEST_S = 1800


class Answers(NamedTuple):
    """What one tool said, by sample.

    Attributes:
        words: alarm, silent, crash, or the cause.
        cpu_s: of the calls that ended.
        alarmed: columns that alarmed, by clean run.
    """

    words: dict[str, str]
    cpu_s: dict[str, float]
    alarmed: list[int]


def ours(runs: int, sizes: list[int]) -> Answers:
    """The same questions to excise; a cause is named only where it is the right one."""
    found = Answers({}, {}, [])
    for name, (cause, before, now) in fat().items():
        (feature,) = excise.drift({"x": before}, {"x": now}).features
        named = [one.cause.value for one in feature.causes]
        found.words[name] = cause if cause in named else f"{feature.verdict.value}: {', '.join(named)}"
    for name, (before, now) in clean().items():
        (feature,) = excise.drift({"x": before}, {"x": now}).features
        found.words[name] = "alarm" if feature.verdict.alarms else "silent"
    for run in range(runs):
        features = excise.drift(wide(2 * run, 1000), wide(2 * run + 1, 1000)).features
        found.alarmed.append(sum(one.verdict.alarms for one in features))
    for rows in sizes:
        before, now = wide(0, rows), wide(1, rows)
        began = time.process_time()
        excise.drift(before, now)
        found.cpu_s[f"{rows} rows"] = time.process_time() - began
    return found


def theirs(peer: str, python: Path, runs: int, sizes: list[int]) -> Answers:
    """A peer's answers, as far as it came in half an hour."""
    found = Answers({}, {}, [])
    command = [str(python), str(HERE / "drift_calls.py"), peer, str(runs), *map(str, sizes)]
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=LONGEST_S, check=False
        )
        lines = done.stdout
    except subprocess.TimeoutExpired as late:
        lines = late.stdout or b""
    for line in lines.decode().splitlines():
        take(found, json.loads(line))
    return found


def take(found: Answers, told: dict[str, Any]) -> None:
    """Add one line of a peer."""
    name, alarms = told["name"], told.get("alarms")
    if name.startswith("clean ") and alarms is not None:
        found.alarmed.append(len(alarms))
    found.words[name] = "crash" if alarms is None else "alarm" if alarms else "silent"
    if alarms is not None:
        found.cpu_s[name] = told["cpu_s"]


def python_of(peer: str, venvs: Path) -> Path:
    """The peer's Python, with the peer."""
    folder = venvs / peer
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-input"]
        subprocess.run([*install, *REQUIREMENTS[peer]], check=True, stderr=subprocess.DEVNULL)
        (folder / "ready").touch()
    return folder / "bin" / "python"


def table(tools: dict[str, Answers], sizes: list[int]) -> None:
    """Print who noticed what, how often clean samples alarmed, and the costs with their ratios to ours."""
    row("", tools)
    print("|" + " --- |" * (len(tools) + 1))
    for name in [*fat(), *clean()]:
        row(name, [answers.words.get(name, "") for answers in tools.values()])
    counts = [answers.alarmed for answers in tools.values()]
    row(
        "clean samples of 1000 rows that alarm",
        [f"{sum(one > 0 for one in count)} of {len(count)}" for count in counts],
    )
    row("columns that alarm on them", [f"{statistics.fmean(count):.1f}" if count else "" for count in counts])
    for name in (f"{rows} rows" for rows in sizes):
        spent = [answers.cpu_s.get(name) for answers in tools.values()]
        own = tools["excise"].cpu_s[name]
        row(f"{name}, CPU s", ["" if cpu is None else f"{cpu:.2f} ({cpu / own:.0f} times)" for cpu in spent])


def row(name: str, cells: Iterable[str]) -> None:
    """Print one row in Markdown."""
    print(f"| {name} | {' | '.join(cells)} |")


def main() -> int:
    """Print the table; 1 where excise misses a cause or alarms on a clean case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peers", default=",".join(REQUIREMENTS))
    parser.add_argument("--runs", type=int, default=20, help="Clean samples of 1000 rows.")
    parser.add_argument("--rows", default="10000,100000")
    parser.add_argument("--venvs", type=Path, default=Path(".venv-peers"))
    given = parser.parse_args()
    sizes = [int(rows) for rows in given.rows.split(",") if rows]
    tools = {"excise": ours(given.runs, sizes)}
    for peer in given.peers.split(","):
        tools[peer] = theirs(peer, python_of(peer, given.venvs), given.runs, sizes)
    table(tools, sizes)
    missed = [name for name, (cause, _, _) in fat().items() if tools["excise"].words[name] != cause]
    missed += [name for name in clean() if tools["excise"].words[name] != "silent"]
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
