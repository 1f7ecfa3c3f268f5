"""One peer's usual drift call, inside the peer's own environment: which columns it alarms on, and what that costs.

Writes one JSON line for each sample: those of ``drift_samples.fat`` and ``drift_samples.clean`` as columns called
``x``, and ``drift_samples.wide`` in the sizes that are asked for. It needs the peer and pandas, and nothing of excise.

Usage: python drift_calls.py PEER CLEAN_RUNS [ROWS ...]
"""

# ruff: noqa: PLC0415 - only the peer that is asked is there to import

from __future__ import annotations

import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pandas as pd
from drift_samples import clean, fat, wide
from pandas.api.types import is_object_dtype

os.environ["DO_NOT_TRACK"] = "1"
os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
ALPHA = 0.05
CHUNKS = 10


def evidently(before: pd.DataFrame, now: pd.DataFrame) -> set[str]:
    """DataDriftPreset as it comes."""
    from evidently import Report
    from evidently.presets import DataDriftPreset

    found = Report([DataDriftPreset()]).run(now, before).dict()
    alarms = set()
    for metric in found["metrics"]:
        settings = metric["config"]
        if "column" not in settings:
            continue
        value, limit = metric["value"], settings["threshold"]
        if value < limit if "p_value" in settings["method"] else value >= limit:
            alarms.add(settings["column"])
    return alarms


def nannyml(before: pd.DataFrame, now: pd.DataFrame) -> set[str]:
    """UnivariateDriftCalculator as it comes, ten chunks a side; a column alarms where one of its chunks does."""
    from nannyml import UnivariateDriftCalculator

    names = list(before.columns)
    calculator = UnivariateDriftCalculator(column_names=names, chunk_size=len(now) // CHUNKS)
    table = calculator.fit(before).calculate(now).filter(period="analysis").to_df()
    return {name for name in names if table[name].xs("alert", axis=1, level=-1).to_numpy().any()}


def whylogs(before: pd.DataFrame, now: pd.DataFrame) -> set[str]:
    """Profiles of both, and the drift scores with the thresholds that it ships."""
    import whylogs as why
    from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

    views = [why.log(frame).view() for frame in (now, before)]
    scores = calculate_drift_scores(target_view=views[0], reference_view=views[1], with_thresholds=True)
    return {name for name, score in scores.items() if score and score["drift_category"] == "DRIFT"}


def alibi(before: pd.DataFrame, now: pd.DataFrame) -> set[str]:
    """TabularDrift with its Bonferroni correction; texts as the objects they are."""
    from alibi_detect.cd import TabularDrift

    texts = [index for index, kind in enumerate(before.dtypes) if is_object_dtype(kind)]
    detector = TabularDrift(before.to_numpy(), p_val=ALPHA, categories_per_feature=dict.fromkeys(texts) or None)
    found = detector.predict(now.to_numpy(), drift_type="batch")["data"]
    return {name for name, p in zip(before.columns, found["p_val"], strict=True) if p < found["threshold"]}


def frouros(before: pd.DataFrame, now: pd.DataFrame) -> set[str]:
    """KSTest and ChiSquareTest column by column at 5 %: it has no rule of its own."""
    from frouros.detectors.data_drift import ChiSquareTest, KSTest

    alarms = set()
    for name in before.columns:
        detector = ChiSquareTest() if is_object_dtype(before[name]) else KSTest()
        detector.fit(X=before[name].to_numpy())
        if detector.compare(X=now[name].to_numpy())[0].p_value < ALPHA:
            alarms.add(name)
    return alarms


def scipy(before: pd.DataFrame, now: pd.DataFrame) -> set[str]:
    """What people write by hand: ks_2samp and chi2_contingency without nulls, at 5 %."""
    from scipy import stats

    alarms = set()
    for name in before.columns:
        sides = before[name].dropna(), now[name].dropna()
        if is_object_dtype(before[name]):
            counts = pd.concat([side.value_counts() for side in sides], axis=1).fillna(0).to_numpy()
            p = stats.chi2_contingency(counts).pvalue
        else:
            p = stats.ks_2samp(*(side.to_numpy() for side in sides)).pvalue
        if p < ALPHA:
            alarms.add(name)
    return alarms


CALLS = {call.__name__: call for call in (evidently, nannyml, whylogs, alibi, frouros, scipy)}


def told(call: Any, name: str, before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """One pair's alarms and CPU seconds, or the error that it ended with."""
    frames = pd.DataFrame(before), pd.DataFrame(now)
    began = time.process_time()
    try:
        alarms = sorted(call(*frames))
    except Exception as error:  # noqa: BLE001  a crash is what is looked for
        return {"name": name, "crash": f"{type(error).__name__}: {str(error)[:200]}"}
    return {"name": name, "alarms": alarms, "cpu_s": time.process_time() - began}


def pairs(runs: int, sizes: list[int]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """What is asked, in order."""
    for name, (_, before, now) in fat().items():
        yield name, {"x": before}, {"x": now}
    for name, (before, now) in clean().items():
        yield name, {"x": before}, {"x": now}
    for run in range(runs):
        yield f"clean {run}", wide(2 * run, 1000), wide(2 * run + 1, 1000)
    for rows in sizes:
        yield f"{rows} rows", wide(0, rows), wide(1, rows)


def main() -> None:
    """Answer for every pair."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    out, sys.stdout = sys.stdout, sys.stderr  # what peers print is no answer
    peer, runs, *sizes = sys.argv[1:]
    for name, before, now in pairs(int(runs), [int(size) for size in sizes]):
        print(json.dumps(told(CALLS[peer], name, before, now)), file=out, flush=True)


if __name__ == "__main__":
    main()
