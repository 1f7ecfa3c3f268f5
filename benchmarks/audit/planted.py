"""Handlers with taxes whose size is known, because somebody put them there.

A spin burns CPU until a clock says so, whatever else the machine does; a wait sleeps. Every handler is ready in a few
tens of milliseconds. ``write(folder)`` lays them out as a user's project with reference and current rows.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from pathlib import Path

import excise

HANDLERS = '''
"""Handlers with planted taxes, in milliseconds of CPU."""
import threading
import time

BASE, FAT, SHADOW, SLOW, WAIT = 1.0, 0.8, 0.6, 1.5, 40.0


def spin(ms):
    end = time.perf_counter_ns() + int(ms * 1e6)
    while time.perf_counter_ns() < end:
        pass


class Linear:
    """A model that takes its time."""

    def __init__(self, ms, strict=False):
        self.ms, self.strict = ms, strict

    def predict(self, rows):
        if self.strict and any(isinstance(x, str) for row in rows for x in row):
            raise TypeError("numbers only")
        spin(self.ms)
        return [float(row[0]) + 2 * float(row[1]) for row in rows]


class Clean:
    """The declared stages and nothing else; text inputs cost ``fat`` ms."""

    fat = FAT

    def __init__(self, model):
        self.model = model

    def preprocess(self, records):
        rows = [(record["a"], record["b"]) for record in records]
        if any(isinstance(x, str) for row in rows for x in row):
            spin(self.fat)
            rows = [(float(a), float(b)) for a, b in rows]
        return rows

    def predict(self, rows):
        spin(BASE)
        return self.model.predict(rows)

    def postprocess(self, values):
        return [{"y": value} for value in values]


class Shadowed(Clean):
    """Production calls it, and it does more than it declares."""

    def __call__(self, records):
        answer = self.postprocess(self.predict(self.preprocess(records)))
        validate_again(answer)
        return answer


class Waiting(Shadowed):
    """What it does beyond its stages waits for a service."""

    def __call__(self, records):
        answer = self.postprocess(self.predict(self.preprocess(records)))
        ask_service(answer)
        return answer


class Redundant(Clean):
    """Only the slow model's own parser is slow on text; a lean model or clean inputs avoid the same 0.8 ms."""

    def preprocess(self, records):
        rows = [(record["a"], record["b"]) for record in records]
        if self.model.ms and any(isinstance(x, str) for row in rows for x in row):
            spin(FAT)
        return [(float(a), float(b)) for a, b in rows]

    def predict(self, rows):
        spin(BASE)
        return [a + 2 * b for a, b in rows]


class Picky(Clean):
    """Hands its inputs to the model as they come."""

    def preprocess(self, records):
        return [(record["a"], record["b"]) for record in records]


class Threaded(Clean):
    """Two threads, each with 60 % of the work; sleeping stands for work on another core, spinning for our own."""

    def predict(self, rows):
        other = threading.Thread(target=burn, args=(0.6 * BASE * 4,))
        other.start()
        burn(0.6 * BASE * 4)
        other.join()
        return self.model.predict(rows)


class Single(Clean):
    """The same work in one thread."""

    def predict(self, rows):
        burn(BASE * 4)
        return self.model.predict(rows)


def burn(ms):
    """CPU outside the interpreter's lock, so that two threads really run at once."""
    import hashlib

    start = time.thread_time_ns()
    block = b"x" * (1 << 16)
    while time.thread_time_ns() - start < ms * 1e6:
        hashlib.sha256(block).digest()


class Guess:
    """A constant answer, as a broken candidate gives it."""

    def predict(self, rows):
        return [0 for _ in rows]


class Classifier(Clean):
    """Finds the 2 % of positives."""

    def postprocess(self, values):
        return [{"label": int(value > 90)} for value in values]


class Constant(Clean):
    """Never finds them, and is fast."""

    def predict(self, rows):
        return [0.0 for _ in rows]

    def postprocess(self, values):
        return [{"label": 0} for _ in values]


def validate_again(answer):
    spin(SHADOW)


def ask_service(answer):
    time.sleep(WAIT / 1000)


class Rotten(Clean):
    """Depends on a package whose version decides what a call costs."""

    def predict(self, rows):
        import slowlib

        slowlib.work()
        return super().predict(rows)


fast, slow = Linear(0.0), Linear(SLOW)
fat = Clean(fast)
shadowed = Shadowed(fast)
everything, everything_lean = Shadowed(slow), Shadowed(fast)
bloated, lean = Clean(slow), Clean(fast)
waiting = Waiting(fast)
redundant, redundant_lean = Redundant(slow), Redundant(fast)
picky, picky_lean = Clean(slow), Picky(Linear(0.0, strict=True))
single, threaded = Single(fast), Threaded(fast)
classifier, constant = Classifier(slow), Constant(fast)
same = Clean(fast)
'''


@dataclass(frozen=True)
class Scenario:
    """One planted audit.

    Attributes:
        name: of the handler.
        truth: by culprit, ms that its line must state; every culprit not named must state nothing.
        text: whether the current inputs are text.
        settings: further settings of the audit.
    """

    name: str
    truth: dict[str, float]
    text: bool = False
    settings: dict[str, object] | None = None


FAT, SHADOW, SLOW = 0.8, 0.6, 1.5

SCENARIOS = (
    Scenario("everything", {"fat_features": FAT, "shadow_pipeline": SHADOW, "model_bloat": SLOW}, text=True),
    Scenario("fat", {"fat_features": FAT}, text=True),
    Scenario("shadowed", {"shadow_pipeline": SHADOW}),
    Scenario("bloated", {"model_bloat": SLOW}),
    Scenario("redundant", {"fat_features": FAT / 2, "model_bloat": FAT / 2}, text=True),
)
"""Scenarios whose lines are known to the spin; ``benchmarks/audit/coverage.py`` pools them."""

LEAN = {
    "everything": "everything_lean",
    "bloated": "lean",
    "redundant": "redundant_lean",
    "picky": "picky_lean",
    "single": "threaded",
    "classifier": "constant",
    "same": "same",
}
"""The user's own lean candidate of a handler."""


def write(folder: Path, rows: int = 400) -> None:
    """Lay out ``handlers.py``, ``reference.csv``, ``numbers.csv`` and ``text.csv``."""
    (folder / "handlers.py").write_text(HANDLERS)
    rng = random.Random(1)
    values = [(rng.randrange(100), rng.randrange(100)) for _ in range(rows)]
    _write_csv(folder / "reference.csv", values)
    _write_csv(folder / "numbers.csv", values)
    _write_csv(folder / "text.csv", [(f" {a} ", f" {b} ") for a, b in values])
    rare = [
        (49 if index % 50 == 0 else rng.randrange(20), 25 if index % 50 == 0 else rng.randrange(20))
        for index in range(1000)
    ]
    _write_csv(folder / "rare.csv", [(a, b, int(a + 2 * b > 90)) for a, b in rare], ("a", "b", "label"))


def _write_csv(path: Path, rows: list[tuple[object, ...]], header: tuple[str, ...] = ("a", "b")) -> None:
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(header)
        writer.writerows(rows)


def audit_of(folder: Path, scenario: Scenario, *, budget_s: float, seed: int) -> object:
    """Run the audit of one scenario."""
    lean = LEAN.get(scenario.name)
    settings = {
        "current": str(folder / ("text.csv" if scenario.text else "numbers.csv")),
        "reference": str(folder / "reference.csv"),
        "lean": (f"{folder}/handlers.py:{lean}",) if lean else (),
        "budget_s": budget_s,
        "dollars_per_hour": 0.1,
        "seed": seed,
        "force": True,
        "keep": False,
        "project": folder,
    }
    return excise.audit(f"{folder}/handlers.py:{scenario.name}", **(settings | (scenario.settings or {})))
