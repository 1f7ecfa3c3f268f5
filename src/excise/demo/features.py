"""From a flight as it comes to the numbers that the model takes. Training and production share this file."""

from datetime import date

import numpy as np
import pandas as pd

NUMBERS = [
    "year",
    "month",
    "day",
    "flight",
    "distance",
    "sched_dep_time",
    "dep_time",
    "dep_delay",
    "sched_arr_time",
    "temp",
    "humid",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
]
WEATHER = ["temp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
FEATURES = [
    "dep_delay",
    "sched_hour",
    "sched_minute",
    "left_hour",
    "weekday",
    "planned_minutes",
    "distance",
    "carrier",
    "origin",
    "dest_late_rate",
    *WEATHER,
]


def number(value):
    """' 517' is 517 and '    ' is nothing. Came with the warehouse export, which pads its numbers."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return None


def frame_of(records):
    """A frame with numbers in the number columns, whatever they came as."""
    frame = pd.DataFrame(records)
    texts = [name for name in NUMBERS if any(isinstance(record[name], str) for record in records)]
    if texts:
        frame[texts] = frame[texts].map(number)
    return frame


def minutes_of_day(clock):
    """2135 is 21:35 is minute 1295."""
    return clock // 100 * 60 + clock % 100


def features(frame, encodings):
    """One row of FEATURES per flight, float32. Nulls of the weather get the usual value of last winter."""
    value = dict(zip(NUMBERS, frame[NUMBERS].to_numpy("float64").T))
    days = zip(value["year"], value["month"], value["day"])
    carriers, origins, dests = encodings["carriers"], encodings["origins"], encodings["dest_late_rate"]
    planned = minutes_of_day(value["sched_arr_time"]) - minutes_of_day(value["sched_dep_time"])
    table = {
        "dep_delay": value["dep_delay"],
        "sched_hour": value["sched_dep_time"] // 100,
        "sched_minute": value["sched_dep_time"] % 100,
        "left_hour": value["dep_time"] // 100 % 24,
        "weekday": [date(int(year), int(month), int(day)).weekday() for year, month, day in days],
        "planned_minutes": planned % 1440,
        "distance": value["distance"],
        "carrier": [carriers.get(name, -1) for name in frame["carrier"]],
        "origin": [origins.get(name, -1) for name in frame["origin"]],
        "dest_late_rate": [dests.get(name, encodings["late_rate"]) for name in frame["dest"]],
    }
    for name, usual in encodings["usual_weather"].items():
        table[name] = np.where(np.isnan(value[name]), usual, value[name])
    return np.column_stack([table[name] for name in FEATURES]).astype("float32")


def learn_encodings(frame):
    """What `features` must know of the training data: plain numbers and names, kept as JSON."""
    late_rate = frame["late"].mean()
    by_dest = frame.groupby("dest")["late"].agg(["sum", "count"])
    # Twenty flights' worth of doubt: a destination flown twice is not 100 % late.
    smoothed = (by_dest["sum"] + 20 * late_rate) / (by_dest["count"] + 20)
    usual = {name: float(frame[name].median()) for name in WEATHER}
    return {
        "carriers": {name: code for code, name in enumerate(sorted(frame["carrier"].unique()))},
        "origins": {name: code for code, name in enumerate(sorted(frame["origin"].unique()))},
        "late_rate": round(float(late_rate), 4),
        "dest_late_rate": {dest: round(float(rate), 4) for dest, rate in smoothed.items()},
        # No reading of gusts means that there were none.
        "usual_weather": {**usual, "wind_gust": 0.0},
    }
