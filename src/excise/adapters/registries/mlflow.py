"""MLflow's model registry and the artifacts of its runs: ``mlflow:models:/name@alias``, ``mlflow:runs:/id/path``.

MLflow itself runs in a process of its own: it takes seconds to import, and reports usage unless it is told not to.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from excise.adapters.models.inspection import demand_packages
from excise.adapters.registries.cache import kept, kept_by_content, size_of
from excise.core.errors import InputError, InvalidRef, NotFound
from excise.core.refs import ModelRef
from excise.core.registry import Fetched, Terms, demand_online, demand_room

SCRIPT = Path(__file__).parent / "scripts" / "mlflow_artifacts.py"
URIS = ("models:/", "runs:/")
CONNECT_S = 3.0
ANSWER_S = 120.0
"""To import MLflow on a busy machine and to ask a server."""
DOWNLOAD_S = 3600.0
ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
"""Its own defaults keep a caller waiting for minutes; what the user has set stays."""
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


class Mlflow:
    """Registered models and artifacts of the tracking server that ``MLFLOW_TRACKING_URI`` names."""

    name = "mlflow"

    def fetch(self, ref: ModelRef, terms: Terms) -> Fetched:
        """Download a model version, or what a run has logged; a version that is here is not downloaded again.

        Raises:
            InvalidRef: neither ``models:/…`` nor ``runs:/…``.
            NotFound: no such model, alias, version or run; the hint names those that there are.
            InputError: out of reach, offline, or too large.
            MissingExtra: MLflow is not installed.
        """
        if not ref.target.startswith(URIS):
            raise InvalidRef(f"{ref.text} names nothing in MLflow", hint="write mlflow:models:/name@alias or /name/3")
        server = urlsplit(os.environ.get("MLFLOW_TRACKING_URI", ""))
        if server.scheme in {"http", "https"}:
            demand_online(ref, terms, "fetch it while online and name the folder")
            demand_reach(server.hostname or "", server.port or (443 if server.scheme == "https" else 80))
        demand_packages("mlflow", "mlflow")
        with Artifacts(ref.target).opened() as artifacts:
            return brought(ref, artifacts, terms)


def brought(ref: ModelRef, artifacts: Artifacts, terms: Terms) -> Fetched:
    """What a reference leads to, downloaded where it is not here yet."""
    found = artifacts.answer(ANSWER_S)
    demand_room(ref, found["size_bytes"], terms)
    tracked = hashlib.sha256(found["tracking"].encode()).hexdigest()[:8]
    key = f"{found['name']}-{found['version']}-{tracked}"

    def fill(fresh: Path) -> None:
        terms.tell(f"fetching {found['name']} {found['version']}, {found['size_bytes'] / 1e6:,.1f} MB")
        artifacts.download(fresh)

    path = whole((kept if found["fixed"] else kept_by_content)(terms.folder / Mlflow.name, key, fill))
    return Fetched(
        path=str(path),
        name=found["name"],
        origin=f"{found['artifacts']} in {without_password(found['tracking'])}",
        size_bytes=size_of(path),
    )


class Artifacts:
    """The process in which MLflow runs, asked and answering by lines."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    @contextmanager
    def opened(self) -> Iterator[Artifacts]:
        """Started for the time of the block."""
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT), self.uri],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT | os.environ | QUIET,
            text=True,
            start_new_session=True,
        )
        try:
            yield self
        finally:
            self._process.kill()
            self._process.communicate()

    def download(self, folder: Path) -> None:
        """Download into a folder."""
        if self._process.stdin is not None:
            self._process.stdin.write(f"{folder}\n")
            self._process.stdin.flush()
        self.answer(DOWNLOAD_S)

    def answer(self, seconds: float) -> Mapping[str, Any]:
        """The next line.

        Raises:
            NotFound: there is no such thing. InputError: MLflow failed, or did not answer in time.
        """
        late = threading.Timer(seconds, self._process.kill)
        late.start()
        try:
            line = self._process.stdout.readline() if self._process.stdout else ""
        finally:
            late.cancel()
        if not line:
            raise InputError(f"MLflow gave no answer within {seconds:g} s", hint="is MLFLOW_TRACKING_URI right?")
        found: dict[str, Any] = json.loads(line)
        if "error" in found:
            kind = NotFound if found["missing"] else InputError
            raise kind(found["error"].splitlines()[0], hint=found["hint"] or "is MLFLOW_TRACKING_URI right?")
        return found


def demand_reach(host: str, port: int) -> None:
    """Refuse a server that nobody answers on, before MLflow is imported and tries again and again.

    Raises:
        InputError: no connection within seconds. Behind a proxy only MLflow itself can tell.
    """
    if {"http", "https", "all"} & set(getproxies()) and not proxy_bypass(host):
        return
    try:
        socket.create_connection((host, port), CONNECT_S).close()
    except OSError as error:
        why = error.strerror or error
        raise InputError(
            f"cannot reach MLflow at {host}:{port}: {why}", hint="start it, or set MLFLOW_TRACKING_URI to where it is"
        ) from error


def whole(folder: Path) -> Path:
    """A single file instead of the folder that it was downloaded into."""
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 else folder


def without_password(uri: str) -> str:
    """A tracking URI as it may be shown.

    >>> without_password("https://me:secret@mlflow.example.org/x")
    'https://mlflow.example.org/x'
    """
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
