"""Where a call spends its time, by function and by class of work, in a pass of its own.

Self-contained: stdlib and numpy, Python 3.8.
"""

import cProfile
import inspect
import os
import pstats
import time

CLASSES = ("op_compute", "copies_casts", "host_device", "indexing", "framework", "logging_io")
COPIES = (
    "astype",
    "copy",
    "asarray",
    "array'",
    "concatenate",
    "hstack",
    "vstack",
    "stack",
    "tolist",
    "to_numpy",
    "deepcopy",
    "ascontiguousarray",
    "fillna",
    "check_array",
    "_cast",
    "convert",
    "validate_data",
    "reset_index",
)
INDEXING = (
    "__getitem__",
    "__setitem__",
    "iloc",
    "loc",
    "take",
    "reindex",
    "_get_item",
    "getitem",
    "get_indexer",
    "insert",
    "_slice",
    "xs",
    "get_loc",
)
OUTSIDE = ("logging", "json", "socket", "ssl", "urllib", "http", "requests", "sqlite3", "_io", "posix", "csv", "pickle")
OUTSIDE_NAMES = (
    "print>",
    "method write",
    "method flush",
    "posix.write",
    "posix.fsync",
    "socket",
    "time.sleep",
    "json.dumps",
    "open>",
)
DEVICE = ("to_device", "cuda", "memcpy", ".cpu>", "hipMemcpy")
COMPUTE = (
    "predict",
    "run>",
    "method run",
    "dot",
    "matmul",
    "linear",
    "conv",
    "_predict",
    "decision_function",
    "raw_predict",
    "reduce",
    "sort",
    "expit",
    "exp",
    "einsum",
    "addmm",
    "forward",
)
HOTSPOTS = 10


def profile(predictor, made, copies, leave_if_forked):
    """Profile the calls; all times are ms per call.

    The profiler slows Python down, so every time is scaled by (plain ÷ profiled) of the same calls.
    """
    start = time.perf_counter_ns()
    for batch in copies:
        predictor.predict(batch)
        leave_if_forked()
    plain = time.perf_counter_ns() - start
    recorder = cProfile.Profile()
    start = time.perf_counter_ns()
    for batch in made:
        recorder.enable()
        predictor.predict(batch)
        recorder.disable()
        leave_if_forked()
    profiled = time.perf_counter_ns() - start
    stats = pstats.Stats(recorder).stats
    scale = 1000.0 * min(1.0, plain / max(profiled, 1)) / len(made)
    rows = [row(name, entry, scale, len(made)) for name, entry in stats.items() if "_lsprof" not in name[2]]
    operators = operator_rows(predictor, made)
    return {
        "calls": len(made),
        "functions": sorted(rows, key=lambda item: -item["self_ms"])[: 6 * HOTSPOTS],
        "classes": by_class(rows),
        "operators": operators,
        "undeclared": undeclared(predictor, stats, scale),
    }


def operator_rows(predictor, made):
    """The model's own operators, where its library can tell."""
    if not hasattr(predictor, "profile_ops"):
        return []
    try:
        return list(predictor.profile_ops(made))
    except Exception:  # a library's profiler that fails must not end the audit: hotspots by function remain
        return []


def row(name, entry, scale, calls):
    path, line, function = name
    return {
        "name": function,
        "where": "built-in" if path == "~" else "%s:%d" % (short(path), line),
        "self_ms": entry[2] * scale,
        "total_ms": entry[3] * scale,
        "calls": entry[1] / float(calls),
        "class": classify(path, function),
    }


def short(path):
    """The path from the package on: what a person can find again."""
    for marker in ("site-packages" + os.sep, "lib" + os.sep + "python"):
        if marker in path:
            return path.partition(marker)[2]
    return os.path.basename(path)


def classify(path, function):
    """The class of work of one Python function, by its name and where it lives."""
    lowered = function.lower()
    top = short(path).split(os.sep)
    if any(word in lowered for word in DEVICE):
        return "host_device"
    if any(word in top[0] or (len(top) > 1 and word == top[1]) for word in OUTSIDE) and path != "~":
        return "logging_io"
    if any(word in lowered for word in OUTSIDE_NAMES):
        return "logging_io"
    if any(word in lowered for word in COPIES):
        return "copies_casts"
    if any(word in lowered for word in INDEXING):
        return "indexing"
    if any(word in lowered for word in COMPUTE):
        return "op_compute"
    return "framework"


def by_class(rows):
    sums = dict.fromkeys(CLASSES, 0.0)
    for item in rows:
        sums[item["class"]] += item["self_ms"]
    return sums


def entry_code(predictor):
    """The code object of production's own call."""
    handler = getattr(predictor, "handler", None)
    if handler is None:
        return None
    call = (
        handler
        if inspect.isfunction(handler) or inspect.ismethod(handler)
        else getattr(type(handler), "__call__", None)
    )
    return getattr(call, "__code__", None)


def stage_codes(predictor):
    handler = getattr(predictor, "handler", None)
    methods = [getattr(handler, name, None) for name in getattr(predictor, "stages", ()) or ()]
    return {code_key(getattr(method, "__code__", None)) for method in methods}


def code_key(code):
    return None if code is None else (code.co_filename, code.co_firstlineno, code.co_name)


def undeclared(predictor, stats, scale):
    """What production's call does beside its stages, function by function."""
    entry = code_key(entry_code(predictor))
    if entry is None or entry not in stats or not getattr(predictor, "shadow", False):
        return []
    declared, required = stage_codes(predictor), getattr(predictor, "required", None) or {}
    found = [
        {
            "name": "(in the call itself)",
            "where": "%s:%d" % (short(entry[0]), entry[1]),
            "ms": stats[entry][2] * scale,
            "required": None,
        }
    ]
    for name, numbers in stats.items():
        callers = numbers[4]
        if entry in callers and name not in declared and "_lsprof" not in name[2]:
            where = "built-in" if name[0] == "~" else "%s:%d" % (short(name[0]), name[1])
            found.append(
                {"name": name[2], "where": where, "ms": callers[entry][3] * scale, "required": required.get(name[2])}
            )
    return sorted(found, key=lambda item: -item["ms"])[:HOTSPOTS]
