"""Holds a variant's answers against the original's on every recorded call.

Self-contained with the files beside it: numpy, Python 3.8 syntax.
"""

import importlib.util
import os
import sys

import numpy as np

TOLERANCE = 1e-4
"""Relative to the largest answer: what float32 arithmetic in another order may move."""


def loaders_folder():
    """The loader files' folder, as installed beside the transforms."""
    here = os.path.dirname(os.path.abspath(__file__))
    return os.path.join(os.path.dirname(os.path.dirname(here)), "models", "loaders")


def load_inner(inner):
    """The object that would take the place of the model."""
    path = inner["loader"] or os.path.join(loaders_folder(), "estimator.py")
    key = "_excise_loader_" + os.path.splitext(os.path.basename(path))[0]
    if key not in sys.modules:
        spec = importlib.util.spec_from_file_location(key, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[key] = module
    return sys.modules[key].load(inner["target"], dict(inner["options"], threads=1)).model


def answer(model, method, args, kwargs):
    """One call of the stand-in."""
    return model(*args, **kwargs) if method == "__call__" else getattr(model, method)(*args, **kwargs)


def parts_of(output):
    """Every array of an output."""
    if hasattr(output, "keys"):
        return [part for value in output.values() if value is not None for part in parts_of(value)]
    if isinstance(output, (list, tuple)):
        return [part for value in output for part in parts_of(value)]
    return [output.detach().cpu().numpy() if hasattr(output, "detach") else np.asarray(output)]


def difference(calls, inner, tolerance):
    """``{"agrees", "worst", "rows", "why"}`` over all recorded calls; ``why`` names the first row that disagrees."""
    model = load_inner(inner)
    worst, rows = 0.0, 0
    for method, args, kwargs, expected in calls.records:
        got = answer(model, method, args, kwargs)
        pairs = list(zip(parts_of(expected), parts_of(got)))
        moved, row, why = compare(pairs, tolerance)
        if why:
            return {"agrees": False, "worst": moved, "rows": rows, "why": "row %d: %s" % (rows + row, why)}
        worst = max(worst, moved)
        rows += len(pairs[0][0]) if pairs and np.ndim(pairs[0][0]) else 1
    return {"agrees": True, "worst": worst, "rows": rows, "why": ""}


def compare(pairs, tolerance):
    """Largest relative move, the first row beyond the tolerance, and what was seen there."""
    worst = 0.0
    for expected, got in pairs:
        if expected.shape != got.shape:
            return np.inf, 0, "shape %s instead of %s" % (got.shape, expected.shape)
        if expected.dtype.kind not in "iufb":
            apart = np.flatnonzero(expected.astype(str).reshape(-1) != got.astype(str).reshape(-1))
            if len(apart):
                return (
                    np.inf,
                    int(apart[0]),
                    "%r instead of %r" % (got.reshape(-1)[apart[0]], expected.reshape(-1)[apart[0]]),
                )
            continue
        moved = moves(expected, got)
        worst = max(worst, float(moved.max()) if moved.size else 0.0)
        if moved.size and not moved.max() <= tolerance:
            row = int(np.flatnonzero(~(moved <= tolerance))[0])
            return worst, row, "moved by %.2g, %.2g allowed" % (moved[row], tolerance)
    return worst, 0, ""


def moves(expected, got):
    """Largest difference of every row, relative to the largest answer (at least 1)."""
    expected, got = np.atleast_1d(expected.astype(np.float64)), np.atleast_1d(got.astype(np.float64))
    finite = np.abs(expected[np.isfinite(expected)])
    scale = max(1.0, float(finite.max()) if finite.size else 1.0)
    apart = np.where(np.isnan(expected) & np.isnan(got), 0.0, np.abs(expected - got))
    return apart.reshape(len(apart), -1).max(axis=1) / scale if apart.size else np.zeros(0)


def check(calls, inner, exact):
    """A note on the agreement; an exact variant that disagrees is rejected with the row."""
    found = difference(calls, inner, TOLERANCE if exact else np.inf)
    if not found["agrees"]:
        sys.modules["_excise_script_rejection"].reject("its answers disagree, %s" % found["why"])
    return ["moves answers by at most %.1e of the largest, on %d rows" % (found["worst"], found["rows"])]
