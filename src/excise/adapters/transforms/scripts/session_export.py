"""The ONNX file behind a session that production already runs. Self-contained, Python 3.8 syntax."""

import importlib.util
import os
import sys


def export(calls, production, folder):
    """The file itself; a session inside a handler names its own file."""
    path = (
        production["target"]
        if str(production["target"]).endswith(".onnx")
        else getattr(calls.model, "_model_path", None)
    )
    if not path or not os.path.exists(path):
        key = "_excise_script_rejection"
        sys.modules[key].reject("the session inside the handler was not opened from a file")
    options = {"outputs": list(calls.records[0][1][0] or [])} if calls.records[0][1] else {}
    return {"path": path, "loader_options": options, "notes": []}
