"""Makes an ONNX variant of a loaded model: export, fuse, quantize, optimize, and compare with the original.

Self-contained with the files beside it: Python 3.8 syntax, imports nothing of excise.

Options:
    production: ``{"loader", "target", "options"}`` of the model that is transformed.
    loaders: folder of the loader files.
    shared: folder in which exports are kept for the next transform of the same model; None keeps nothing.
    export: ``auto`` (skl2onnx, or torch's legacy exporter) or ``dynamo``.
    fuse: whether transformer blocks are fused. quantize: None, ``quint8`` or ``qint8_channel``.
    optimize: whether the graph is optimized now instead of at every start.
    threads: intra-op threads; None decides by the model (one for trees and for files under 4 MiB).
"""

import contextlib
import importlib.util
import os
import shutil
import sys

SMALL_BYTES = 4 * 2**20
"""Below this a second thread costs more to wake than it computes (measured: MLP of 1 M weights, trees)."""
TREES = ("TreeEnsembleClassifier", "TreeEnsembleRegressor", "TreeEnsemble")


def sibling(name):
    """The file beside this one, by path."""
    key = "_excise_script_" + name
    if key not in sys.modules:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
        spec = importlib.util.spec_from_file_location(key, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[key] = module
    return sys.modules[key]


def apply(predictor, batches, out_dir, options):
    """Make the variant.

    Returns:
        The fields of a Product; ``loader`` None and a ``reason`` where it was rejected.
    """
    rejected = sibling("rejection").Rejected
    try:
        return make(predictor, list(batches), out_dir, options)
    except rejected as error:
        return {"loader": None, "size_bytes": 0, "reason": one_line(error), "notes": []}
    except ImportError as error:
        return {"loader": None, "size_bytes": 0, "reason": "%s is not installed there" % error.name, "notes": []}


def one_line(error):
    """The message without line breaks, at a length that fits a table."""
    return " ".join(str(error).split())[:300]


def make(predictor, batches, out_dir, options):
    """Capture what the model is asked, export it, run the steps, compare, and describe the result."""
    calls = captured(predictor, batches, options.get("shared"))
    exported = export(calls, out_dir, options)
    notes = list(exported["notes"])
    path = run_steps(exported, out_dir, options, notes)
    final = os.path.join(out_dir, "model.onnx")
    if os.path.abspath(path) != os.path.abspath(final):
        shutil.copyfile(path, final)
    for step in ("fused", "quantized", "optimized"):
        with contextlib.suppress(OSError):
            os.remove(os.path.join(out_dir, step + ".onnx"))
    threads = threads_for(final, options)
    settings = dict(exported["loader_options"], threads=threads, light=threads == 1)
    inner = {"loader": os.path.join(options["loaders"], "estimator.py"), "target": final, "options": settings}
    notes += sibling("agreement").check(calls, inner, exact=not options.get("quantize"))
    return {
        "loader": around(predictor, inner, options["production"]),
        "size_bytes": os.path.getsize(final),
        "reason": None,
        "notes": notes,
    }


def captured(predictor, batches, shared):
    """The recorded calls; those of the last transform where it shares our exports, since then the sample is the same."""
    kept = sibling("capture").KEPT
    if shared is None or kept.get("shared") != shared or kept.get("predictor") is not predictor:
        kept.update(shared=shared, predictor=predictor, calls=sibling("capture").capture(predictor, batches))
    return kept["calls"]


def around(predictor, inner, production):
    """The variant's loader: the handler with its model replaced, or the file alone."""
    if getattr(predictor, "handler", None) is None:
        return inner
    options = dict(production["options"], replace_model=inner)
    return {"loader": production["loader"], "target": production["target"], "options": options}


def export(calls, out_dir, options):
    """``{"path", "loader_options", "notes"}`` of the plain export; one kept by an earlier transform is taken."""
    route = options.get("export") or "auto"
    shared = options.get("shared")
    if shared:
        os.makedirs(shared, exist_ok=True)
    folder = shared or out_dir
    if calls.kind == "session":
        return sibling("session_export").export(calls, options["production"], folder)
    if calls.kind == "estimator":
        if route != "auto":
            sibling("rejection").reject("this exporter takes torch modules, the model is a %s" % calls.type_name)
        return sibling("skl_export").export(calls, folder)
    if calls.kind == "booster":
        return sibling("booster_export").export(calls, folder)
    return sibling("torch_export").export(calls, folder, route)


def run_steps(exported, out_dir, options, notes):
    """Fusion, quantization and optimization in this order; each reads the last one's file."""
    graph, path = sibling("graph"), exported["path"]
    if options.get("fuse"):
        path = graph.fuse(path, os.path.join(out_dir, "fused.onnx"), notes, exported.get("attention") or [0, 0])
    if options.get("quantize"):
        path = graph.quantize(path, os.path.join(out_dir, "quantized.onnx"), options["quantize"], notes)
    if options.get("optimize"):
        path = graph.optimize(path, os.path.join(out_dir, "optimized.onnx"), notes)
    return path


def threads_for(path, options):
    """Intra-op threads of the variant: as asked, else one for what is small; 0 leaves it to the runtime."""
    if options.get("threads") is not None:
        return int(options["threads"])
    kinds = sibling("graph").operators(path)
    return 1 if os.path.getsize(path) < SMALL_BYTES or any(kind in TREES for kind in kinds) else 0
