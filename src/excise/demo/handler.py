"""What production runs: `handler(records)` answers how likely each flight arrives more than 15 minutes late."""

import json
import logging
import re
import time
from pathlib import Path

import pandas as pd
import sklearn.utils

from features import features, frame_of

HERE = Path(__file__).resolve().parent
# All that model.skops may hold; anything else in it is refused.
TRUSTED = [
    "sklearn.dummy.DummyClassifier",
    "sklearn.ensemble._gb.GradientBoostingClassifier",
    "sklearn.tree._classes.DecisionTreeRegressor",
    "sklearn.tree._tree.Tree",
]

NAME = r"[A-Z0-9]{2,6}"
NUMBER = r"-?\d+(\.\d+)?"
# column: (what it looks like, least, most, may be missing)
SCHEMA = {
    "carrier": (NAME, None, None, False),
    "tailnum": (NAME, None, None, True),
    "origin": ("EWR|JFK|LGA", None, None, False),
    "dest": ("[A-Z]{3}", None, None, False),
    "flight": (NUMBER, 1, 9999, False),
    "distance": (NUMBER, 10, 10_000, False),
    "sched_dep_time": (NUMBER, 0, 2400, False),
    "dep_time": (NUMBER, 0, 2400, False),
    "dep_delay": (NUMBER, -120, 3000, False),
    "sched_arr_time": (NUMBER, 0, 2400, False),
    "temp": (NUMBER, -60, 140, True),
    "humid": (NUMBER, 0, 100, True),
    "wind_speed": (NUMBER, 0, 200, True),
    "wind_gust": (NUMBER, 0, 250, True),
    "precip": (NUMBER, 0, 20, True),
    "pressure": (NUMBER, 850, 1100, True),
    "visib": (NUMBER, 0, 100, True),
}


def open_log():
    """JSON lines on stderr, where the container's log collector picks them up."""
    log = logging.getLogger("flights")
    if not log.handlers:
        log.addHandler(logging.StreamHandler())
        log.setLevel(logging.INFO)
        log.propagate = False
    return log


def load_model(path):
    """The model. Importing skops imports every estimator of scikit-learn, and torch where it is there: up to
    3 s per start, only to know which of them it may trust. We name ours, so it gets an empty list."""
    listing = sklearn.utils.all_estimators
    sklearn.utils.all_estimators = lambda: []
    try:
        from skops.io import load
    finally:
        sklearn.utils.all_estimators = listing
    return load(path, trusted=TRUSTED)


class LateFlights:
    """Three declared stages, and what has grown around them."""

    def __init__(self, folder):
        self.encodings = json.loads((folder / "encodings.json").read_text())
        self.model = load_model(folder / "model.skops")
        self.log = open_log()

    def preprocess(self, records):
        return features(frame_of(records), self.encodings)

    def predict(self, rows):
        return self.model.predict_proba(rows)[:, 1]

    def postprocess(self, chances):
        return [float(chance) for chance in chances]

    def __call__(self, records):
        started = time.perf_counter()
        problems = self.validate_again(records)
        answer = self.postprocess(self.predict(self.preprocess(records)))
        self.log_prediction(records, answer, problems, time.perf_counter() - started)
        return answer

    def validate_again(self, records):
        """The gateway checks all of this since spring. Nobody was sure enough to take it out here."""
        frame = pd.DataFrame(records)
        problems = []
        for name, (pattern, least, most, may_miss) in SCHEMA.items():
            if name not in frame.columns:
                problems.append(f"{name}: missing")
                continue
            for row, value in enumerate(frame[name].tolist()):
                text = "" if pd.isna(value) else str(value).strip()
                if not text:
                    if not may_miss:
                        problems.append(f"{name}: null in row {row}")
                elif not re.fullmatch(pattern, text):
                    problems.append(f"{name}: {text!r} in row {row}")
                elif least is not None and not least <= float(text) <= most:
                    problems.append(f"{name}: {text} in row {row} is out of range")
        return problems

    def log_prediction(self, records, answer, problems, seconds):
        """One JSON line per flight, for a dashboard that nobody opens any more."""
        for record, chance in zip(records, answer):
            line = {"flight": record, "late": chance, "problems": problems, "ms": round(1000 * seconds, 3)}
            self.log.info(json.dumps(line, default=str, sort_keys=True))


handler = LateFlights(HERE)
