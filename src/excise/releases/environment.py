"""Environments: which interpreter, which packages, on what kind of machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from excise.core.environment import Environment
from excise.core.errors import StoreError
from excise.releases import installed
from excise.releases import pylock as lockfile
from excise.releases.hardware import hardware

__all__ = ["capture", "capture_with_lock", "describe", "hardware", "isolated", "pylock", "same_interpreter"]

CAPTURE_TIMEOUT_S = 120
SCRIPT = Path(installed.__file__)
ASK = "import json, sys; print(json.dumps(describe()))"


def capture(executable: str | os.PathLike[str] = sys.executable, name: str = "current") -> Environment:
    """What an interpreter has installed, and the machine.

    Raises:
        StoreError: the interpreter does not start or is older than Python 3.8.
    """
    return capture_with_lock(executable, name)[0]


def capture_with_lock(
    executable: str | os.PathLike[str] = sys.executable, name: str = "current"
) -> tuple[Environment, str]:
    """An environment and its ``pylock.toml``, from one look."""
    facts = describe(executable)
    return to_environment(facts, name), lockfile.write(facts)


def pylock(environment: Environment | str | os.PathLike[str]) -> str:
    """The PEP 751 lock of an environment's interpreter, as it is now."""
    executable = environment.executable if isinstance(environment, Environment) else environment
    return lockfile.write(describe(executable))


def to_environment(facts: dict[str, Any], name: str) -> Environment:
    """Facts that ``installed.describe`` gave, as an Environment."""
    lock = lockfile.write(facts)
    return Environment(
        name=name,
        executable=facts["executable"],
        python=facts["python"],
        platform=facts["platform"],
        packages=lockfile.read(lock)[1],
        lock_digest=lockfile.digest(lock),
        hardware=hardware(),
    )


def describe(executable: str | os.PathLike[str] = sys.executable) -> dict[str, Any]:
    """What ``installed.describe`` says inside an interpreter; in process when it is our own.

    Raises:
        StoreError: the interpreter does not start, or cannot run the description.
    """
    if same_interpreter(executable):
        return installed.describe()
    source = SCRIPT.read_text(encoding="utf-8")
    command = [os.fspath(executable), "-c", f"{source}\n{ASK}"]
    try:
        # Elsewhere than here: a folder of ours on the path could shadow what is asked about.
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=CAPTURE_TIMEOUT_S,
            check=True,
            cwd=tempfile.gettempdir(),
            env=isolated(),
        )
        return dict(json.loads(done.stdout.strip().rpartition("\n")[2]))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().rpartition("\n")[2]
        raise StoreError(
            f"{os.fspath(executable)} does not say what it has installed: {said}",
            hint="give a Python of version 3.8 or newer",
        ) from error


def isolated() -> dict[str, str]:
    """Our environment variables without those that would lend another interpreter our packages."""
    return {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}


def same_interpreter(executable: str | os.PathLike[str]) -> bool:
    """Whether this is the interpreter that runs us; a venv's own link counts as another than its target."""
    return Path(executable).absolute() == Path(sys.executable).absolute()
