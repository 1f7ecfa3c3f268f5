"""Loads an ONNX file into ONNX Runtime.

Self-contained with the file beside it: numpy and onnxruntime only, Python 3.8 syntax.

Options:
    threads: intra-op threads; 0 or absent leaves it to the runtime.
    level: graph optimization: ``all`` (default), ``extended``, ``basic``, ``disable``.
    spinning: whether idle threads spin (the runtime's default: yes).
    light: no memory arena and no allocation plan; for small models both cost more per call than they save (a fifth of
        20 us for 200 trees).
    outputs: names of the outputs to compute; default all. One output is answered as an array, more as a dict.
    providers: execution providers, ``["CPUExecutionProvider"]`` unless said.
"""

import json
import os
import runpy
import tempfile
import types

import numpy as np
import onnxruntime

shared = types.SimpleNamespace(
    **runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "onestage.py"))
)

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int16)": np.int16,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}
LEVELS = {
    "all": "ORT_ENABLE_ALL",
    "extended": "ORT_ENABLE_EXTENDED",
    "basic": "ORT_ENABLE_BASIC",
    "disable": "ORT_DISABLE_ALL",
}
ERRORS_ONLY = 3
HOST_DEVICE = ("MemcpyFromHost", "MemcpyToHost")
COPIES = (
    "Cast", "CastLike", "Concat", "Expand", "Flatten", "Identity", "Pad", "Reshape", "Split", "Squeeze", "Tile", "Transpose",
    "Unsqueeze", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "ReorderInput", "ReorderOutput", "ZipMap",
)  # fmt: skip
INDEXING = (
    "ArrayFeatureExtractor", "Compress", "EmbedLayerNormalization", "Gather", "GatherElements", "GatherND", "NonZero", "OneHot",
    "OneHotEncoder", "LabelEncoder", "Scatter", "ScatterElements", "ScatterND", "Shape", "Slice", "Where",
)  # fmt: skip


def load(target, options):
    """Open the file."""
    return SessionPredictor(lambda **extra: open_session(target, options, **extra), options)


def wrap(session, options):
    """A predictor around a session that is there already; it has no profile."""
    return SessionPredictor(lambda **_: session, options)


def open_session(target, options, profile_prefix=None):
    """An inference session with the options' settings."""
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = ERRORS_ONLY
    settings.graph_optimization_level = getattr(
        onnxruntime.GraphOptimizationLevel, LEVELS[options.get("level") or "all"]
    )
    if options.get("threads"):
        settings.intra_op_num_threads = int(options["threads"])
        settings.inter_op_num_threads = 1
    if options.get("light"):
        settings.enable_cpu_mem_arena = False
        settings.enable_mem_pattern = False
    if options.get("spinning") is not None:
        settings.add_session_config_entry("session.intra_op.allow_spinning", "1" if options["spinning"] else "0")
    if profile_prefix:
        settings.enable_profiling = True
        settings.profile_file_prefix = profile_prefix
    return onnxruntime.InferenceSession(
        target, settings, providers=list(options.get("providers") or ["CPUExecutionProvider"])
    )


def spec_of(value):
    """Name, numpy dtype and shape of an input or output; None on free axes."""
    dtype = DTYPES.get(value.type)
    shape = [n if isinstance(n, int) and n > 0 else None for n in (value.shape or [])]
    name = "object" if dtype is None else ("str" if dtype is np.object_ else np.dtype(dtype).name)
    return {"name": value.name, "dtype": name, "shape": shape}


class SessionPredictor(shared.NamedTensors):
    """A session behind the predictor's interface."""

    def __init__(self, open_, options):
        self._open = open_
        session = open_()
        outputs = session.get_outputs()
        wanted = options.get("outputs") or [o.name for o in outputs]
        unknown = sorted(set(wanted) - {o.name for o in outputs})
        if unknown:
            raise KeyError("no output %s; there are: %s" % (", ".join(unknown), ", ".join(o.name for o in outputs)))
        self.outputs = list(wanted)
        answered = [spec_of(o) for o in outputs if o.name in self.outputs]
        shared.NamedTensors.__init__(self, session, [spec_of(i) for i in session.get_inputs()], answered)

    def predict(self, batch):
        """Answer a dict of arrays (``{"": 2-D}`` for a model of one input), a frame, a 2-D array or a list of dicts."""
        return self._answer(self.model, self.feeds(batch))

    def _answer(self, session, feeds):
        values = [plain(value) for value in session.run(self.outputs, feeds)]
        return values[0] if len(values) == 1 else dict(zip(self.outputs, values))

    def profile_ops(self, batches):
        """Self times by operator, per call, from ONNX Runtime's own profile; one row per operator type."""
        batches = list(batches)
        with tempfile.TemporaryDirectory(prefix="ort-profile-") as folder:
            session = self._open(profile_prefix=os.path.join(folder, "run"))
            for batch in batches[:1] + batches:
                self._answer(session, self.feeds(batch))
            path = session.end_profiling()
            if not path or not os.path.exists(path):
                return []
            with open(path) as file:
                return profile_rows(json.load(file), max(len(batches), 1))


def plain(value):
    """An output as an array: a sequence of maps (ZipMap) becomes one column per key."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return np.asarray([list(row.values()) for row in value])
    return value


def profile_rows(events, calls):
    """Rows by operator type, and one for what the runtime itself took around them; the first run is the warm-up."""
    spent, times, whole = {}, {}, 0.0
    runs = [event for event in events if event.get("name") == "model_run"]
    start = runs[0]["ts"] + runs[0]["dur"] if len(runs) > 1 else 0
    for event in events:
        if event.get("ts", 0) < start:
            continue
        if event.get("cat") == "Session" and event.get("name") == "model_run":
            whole += event["dur"]
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            kind = event["args"].get("op_name", "?")
            spent[kind] = spent.get(kind, 0.0) + event["dur"]
            times[kind] = times.get(kind, 0) + 1
    rows = [row(kind, us, times[kind], calls, classify(kind)) for kind, us in spent.items()]
    rows.append(row("session", max(0.0, whole - sum(spent.values())), calls, calls, "framework"))
    return sorted(rows, key=lambda found: -found["self_ms"])


def row(name, microseconds, times, calls, kind):
    """One row of a profile."""
    return {
        "name": name,
        "where": "onnxruntime",
        "self_ms": microseconds / 1000.0 / calls,
        "calls": times / float(calls),
        "class": kind,
    }


def classify(op):
    """The class of work that an operator does."""
    if op in HOST_DEVICE:
        return "host_device"
    if op in COPIES:
        return "copies_casts"
    return "indexing" if op in INDEXING else "op_compute"
