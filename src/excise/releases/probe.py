"""Loads a model once, in a process of its own, to learn its signature and what it is made with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from excise.core.errors import ModelError
from excise.core.predictor import LoaderSpec
from excise.core.signature import Signature
from excise.releases.environment import SCRIPT, isolated, same_interpreter

TIMEOUT_S = 300
LOAD = """
import importlib.util
import os

def load(loader, target, options):
    name = "_excise_loader_" + os.path.splitext(os.path.basename(loader))[0]
    spec = importlib.util.spec_from_file_location(name, loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module.load(target, options)

asked = json.loads(sys.argv[1])
before = set(sys.modules)
predictor = load(asked["loader"], asked["target"], asked["options"])
answer = {"signature": dict(predictor.signature), "roots": roots()}
predictor.close()
with open(sys.argv[2], "w") as stream:
    json.dump(answer, stream)
"""
"""Python 3.8. The answer goes to a file, since a handler may print."""


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What loading a model showed.

    Attributes:
        signature: as the model tells it; empty where it tells nothing.
        roots: distributions whose modules were loaded, normalized names, sorted.
    """

    signature: Signature
    roots: tuple[str, ...]


def probe(loader: LoaderSpec, *, executable: str = sys.executable, folder: Path | None = None) -> Probe:
    """Load a model in a fresh process and ask it.

    Args:
        loader: what to load.
        executable: the interpreter to load it with.
        folder: its working directory.

    Raises:
        ModelError: it does not load, with the last line that it said.
    """
    with tempfile.TemporaryDirectory() as scratch:
        answer = Path(scratch) / "answer.json"
        source = SCRIPT.read_text(encoding="utf-8") + LOAD
        command = [executable, "-c", source, json.dumps(msgspec.to_builtins(loader)), str(answer)]
        own = same_interpreter(executable)
        environment = dict(os.environ) if own else isolated()
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        try:
            subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=True
            )
            return msgspec.json.decode(answer.read_bytes(), type=Probe)
        except (OSError, subprocess.SubprocessError, msgspec.DecodeError) as error:
            said = (getattr(error, "stderr", None) or str(error)).strip().rpartition("\n")[2]
            raise ModelError(
                f"the model does not load from its release: {said}",
                hint="name every file that it opens with --include",
            ) from error
