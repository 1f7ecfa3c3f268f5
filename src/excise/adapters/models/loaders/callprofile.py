"""Self times by Python function, from one pass under cProfile, with the class of work that each does.

Self-contained: stdlib only, Python 3.8 syntax. Profiled times are longer than timed ones: they rank, they do not measure.
"""

import cProfile
import os
import pstats
import time

LOGGING_IO = (
    "/logging/",
    "logging.py",
    "structlog",
    "loguru",
    "json/",
    "/csv.py",
    "print",
    "'write'",
    "'flush'",
    "open",
    "'read'",
    "socket",
    "select",
    "http/client",
    "urllib",
    "requests/",
    "sqlite3",
    "dumps",
    "loads",
    "time.sleep",
)
COPIES = (
    "astype",
    "'copy'",
    "copy.py",
    "asarray",
    "array_type",
    "numpy.array",
    "ascontiguousarray",
    "concatenate",
    "concat",
    "tolist",
    "to_numpy",
    "numpy.empty",
    "numpy.zeros",
    "numpy.ones",
    "hstack",
    "vstack",
    "'fill'",
    "repeat",
    "interleave",
    "nested_data_to_arrays",
    "construct",
    "from_dict",
    "from_records",
    "to_arrays",
    "_list_of_dict",
    "convert",
    "coerce",
    "to_numeric",
    "to_datetime",
    "maybe_infer",
)
INDEXING = (
    "getitem",
    "setitem",
    "/indexing.py",
    "get_indexer",
    "get_loc",
    "'take'",
    "reindex",
    "iloc",
    "searchsorted",
    "slice",
)
NO_CODE = "~"
"""File name that cProfile gives to functions written in C."""


def rows(call, batches):
    """Profile ``call`` over the batches.

    Returns:
        ``[{"name", "where", "self_ms", "calls", "class"}]`` per call of ``call``, the longest self time first.
    """
    profiler = cProfile.Profile(time.perf_counter)
    count = 0
    for batch in batches:
        profiler.enable()
        try:
            call(batch)
        finally:
            profiler.disable()
        count += 1
    found = []
    for (path, line, name), (_, calls, own, _, _) in pstats.Stats(profiler).stats.items():
        if name.startswith("<method 'disable' of '_lsprof"):
            continue
        found.append(
            {
                "name": name.strip("<>"),
                "where": where(path, line),
                "self_ms": own * 1000.0 / max(count, 1),
                "calls": calls / float(max(count, 1)),
                "class": classify(path, name),
            }
        )
    return sorted(found, key=lambda row: -row["self_ms"])


def where(path, line):
    """``package/file.py:line``: short, and without the machine's own folders."""
    if path == NO_CODE:
        return "built-in"
    parts = path.replace(os.sep, "/").split("/site-packages/")
    short = parts[1] if len(parts) == 2 else "/".join(parts[0].split("/")[-2:])
    return "%s:%d" % (short, line)


def classify(path, name):
    """The class of work of a function: by what it is called, then by whether it runs machine code."""
    text = name if path == NO_CODE else path.replace(os.sep, "/").rpartition("/site-packages/")[2] + " '" + name + "'"
    for found, marks in (("logging_io", LOGGING_IO), ("copies_casts", COPIES), ("indexing", INDEXING)):
        if any(mark in text for mark in marks):
            return found
    compiled = path == NO_CODE or path.endswith((".pyx", ".pxd", ".so"))
    return (
        "op_compute"
        if compiled and not name.startswith(("<built-in method builtins.", "<method ")) or is_math(name)
        else "framework"
    )


def is_math(name):
    """Whether a C function computes on arrays."""
    return any(
        mark in name
        for mark in ("numpy", "ufunc", "'dot'", "reduce", "predict", "'run'", "ndarray", "scipy", "torch", "exp")
    )
