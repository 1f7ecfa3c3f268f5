"""The measuring end of a worker: starts it, asks, waits no longer than allowed, ends it."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from excise.core.errors import CallFailed, CallTimeout, WorkerDied, WorkerError
from excise.core.predictor import InputKind, LoaderSpec
from excise.measure.worker import wire
from excise.tables import Table

Rows = Sequence[int] | NDArray[np.int64]
PROGRAM = Path(__file__).parent / "worker" / "program.py"
LOAD_TIMEOUT_S = 300.0
"""Importing a large framework on a busy machine takes tens of seconds."""
GRACE_S = 2.0
"""How long a worker may take to close before it is killed."""
NICE = 10
"""Priority of a guest; the measured model must not push production aside."""

STANDS_STILL = sys.platform == "linux"
"""Elsewhere the kernel does not end a stopped process together with ours: one would be left behind after a kill."""


def wire_columns(table: Table) -> list[dict[str, Any]]:
    """A table's columns as the worker program takes them."""
    return [
        {"name": c.name, "kind": str(c.kind), "dtype": c.dtype, "values": c.values, "nulls": c.nulls}
        for c in table.columns
    ]


class Worker:
    """One fresh process with one model; stopped while it is not asked anything.

    Threads of a BLAS or of OpenMP spin on for 0.1 s and more after a call: a process that merely waits for its next
    block would hold a core of the one that is measured (on two cores the A/A stream moved by up to 48 %).

    On Linux the kernel ends it together with the thread that made it, so make it in a thread that outlives it.

    Args:
        python: the interpreter of the environment to measure in.
        variables: environment variables on top of ours.
        timeout_s: how long one call of the model may take.
        cores: the cores that it may use; None for all of ours.
        project: folder put first on the worker's ``sys.path`` when loading.
    """

    def __init__(
        self,
        python: str,
        *,
        variables: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
        cores: Sequence[int] | None = None,
        project: Path | None = None,
    ) -> None:
        self.timeout_s = timeout_s
        self.project = project
        self.facts: dict[str, Any] = {}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the process
        self._process, self._write, self._read = self._start(python, dict(variables or {}))
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._read, selectors.EVENT_READ)
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._cores = list(cores) if cores else None

    def _start(self, python: str, variables: dict[str, str]) -> tuple[subprocess.Popen[bytes], int, int]:
        request_read, request_write = os.pipe()
        answer_read, answer_write = os.pipe()
        try:
            process = subprocess.Popen(
                [python, "-u", str(PROGRAM), str(request_read), str(answer_write)],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                env=os.environ | {"PYTHONUNBUFFERED": "1"} | variables,
                cwd=self.project,
                pass_fds=(request_read, answer_write),
                start_new_session=True,
            )
        except OSError as error:
            os.close(request_write)
            os.close(answer_read)
            self._log.close()
            message = f"cannot start {python}: {error.strerror}"
            raise WorkerError(message, hint="name an interpreter that runs on this machine") from error
        finally:
            os.close(request_read)
            os.close(answer_write)
        return process, request_write, answer_read

    @property
    def pid(self) -> int:
        """Of the process, which leads a group of its own."""
        return self._process.pid

    def __enter__(self) -> Self:
        """The worker itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it, by force where needed."""
        self.close()

    def load(
        self, spec: LoaderSpec, *, drop: Sequence[Mapping[str, Any]] = (), watched: bool = False
    ) -> dict[str, Any]:
        """Load the model; ``load_ms``, memory, signature, stages and distributions come back.

        Args:
            spec: the loader.
            drop: calls that are left out where a command says no to ``shadow``, as a survey wrote them.
            watched: whether its calls will be surveyed.
        Raises:
            CallFailed: the loader raised.
            WorkerDied, CallTimeout: it ended, or took longer than five minutes.
        """
        self._ask("polite", LOAD_TIMEOUT_S, nice=NICE, cores=self._cores)
        self.facts = self._ask(
            "load",
            LOAD_TIMEOUT_S,
            loader=spec.loader,
            target=spec.target,
            options=spec.options,
            project=str(self.project) if self.project else None,
            drop=list(drop),
            watched=watched,
        )
        return self.facts

    def data(self, table: Table, *, kind: InputKind, name: str = "current", rows: Rows | None = None) -> None:
        """Send a sample, or these rows of it.

        Later commands index into what was sent; a failing call is reported by the row's number in ``table``.
        """
        ids = [int(row) for row in (range(table.rows) if rows is None else rows)]
        sent = table if rows is None else table.take(np.asarray(ids))
        self._ask("data", LOAD_TIMEOUT_S, name=name, kind=str(kind), columns=wire_columns(sent), ids=ids)

    def warm(self, sample: str, rows: Rows, *, batch: int, shadow: bool, seconds: float) -> dict[str, Any]:
        """Call until the times are flat or ``seconds`` are spent."""
        wait = self.timeout_s + seconds
        return self._ask("warm", wait, sample=sample, rows=rows, batch=batch, shadow=shadow, seconds=seconds)

    def run(
        self,
        sample: str,
        rows: Rows,
        *,
        batch: int,
        shadow: bool,
        cores: Sequence[int] | None = None,
        lead: Rows = (),
    ) -> dict[str, Any]:
        """One timed block: nanoseconds per call and the block's memory and switches; calls on ``lead`` come first."""
        wait = self.timeout_s * max(1, (len(rows) + len(lead)) // batch)
        return self._ask("run", wait, sample=sample, rows=rows, batch=batch, shadow=shadow, cores=cores, lead=lead)

    def outputs(self, sample: str, rows: Rows, *, batch: int, shadow: bool, seconds: float) -> dict[str, Any]:
        """Answers by output name, and the rows for which there was time."""
        wait = self.timeout_s + seconds
        return self._ask("outputs", wait, sample=sample, rows=rows, batch=batch, shadow=shadow, seconds=seconds)

    def profile(self, sample: str, rows: Rows, *, batch: int) -> dict[str, Any]:
        """The profiled pass."""
        wait = self.timeout_s * (2 + len(rows))
        return self._ask("profile", wait, sample=sample, rows=rows, batch=batch)

    def unneeded(self, seconds: float) -> dict[str, Any]:
        """Calls of a service that no answer depends on, once it was profiled; so many seconds are looked for more."""
        return self._ask("unneeded", self.timeout_s + seconds, seconds=seconds)

    def transform(
        self,
        script: Path,
        sample: str,
        rows: Rows,
        *,
        batch: int,
        out_dir: Path,
        options: Mapping[str, Any],
        timeout_s: float,
    ) -> dict[str, Any]:
        """Run a transform's script on the loaded model."""
        return self._ask(
            "transform",
            timeout_s,
            script=str(script),
            sample=sample,
            rows=rows,
            batch=batch,
            out_dir=str(out_dir),
            options=dict(options),
        )

    def close(self) -> None:
        """End the process, politely first; afterwards nothing of it is left."""
        if not self._log.closed and self._process.poll() is None:
            with contextlib.suppress(WorkerError, OSError, TimeoutError, subprocess.TimeoutExpired):
                self._signal(signal.SIGCONT)
                self._send({"command": "close"}, time.monotonic() + GRACE_S)
                self._process.wait(GRACE_S)
        self.kill()

    def stop(self) -> None:
        """End the process from another thread than the one that asks it: that one sees it die, and closes it."""
        if self._process.returncode is None:
            self._signal(signal.SIGKILL)

    def kill(self) -> None:
        """End the process and whatever it started."""
        if self._log.closed:
            return
        self._signal(signal.SIGKILL)
        self._process.wait()
        for descriptor in (self._write, self._read):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._selector.close()
        self._log.close()

    def _ask(self, command: str, wait_s: float, **arguments: Any) -> dict[str, Any]:
        deadline = time.monotonic() + wait_s
        arguments |= {name: [int(row) for row in arguments[name]] for name in ("rows", "lead") if name in arguments}
        self._signal(signal.SIGCONT)
        try:
            self._send({"command": command, **arguments}, deadline)
            answer = wire.decode(lambda size: self._receive(size, deadline))
        except TimeoutError:
            message = f"no answer within {wait_s:g} s"
            raise CallTimeout(message, hint="raise --timeout, or look at why the model hangs") from None
        except (BrokenPipeError, EOFError):
            raise self._death() from None
        if STANDS_STILL:
            self._signal(signal.SIGSTOP)
        if "error" in answer:
            raise self._failed(answer["error"])
        made: dict[str, Any] = answer["ok"]
        return made

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and whatever it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _failed(self, error: Mapping[str, Any]) -> CallFailed:
        row = "" if error["row"] is None else f" on row {error['row']}"
        where = f" ({error['where']})" if error["where"] else ""
        said = f"the model raised {error['type']}{row}: {error['message']}{where}"
        failed = CallFailed(said, row=error["row"], hint="run it by hand, or again with --debug for its traceback")
        failed.add_note(error["traceback"])
        return failed

    def _death(self) -> WorkerDied:
        try:
            code = self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            return WorkerDied("the model closed its process's pipes", hint="it must leave open files alone")
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        self._log.seek(0)
        said = [line for line in self._log.read()[-2000:].decode(errors="replace").splitlines() if line[:1].strip()]
        last = f"; it last said: {said[-1][:200]}" if said else ""
        return WorkerDied(f"the model's process ended with {how}{last}", hint="run the model alone on the same rows")

    def _send(self, message: Mapping[str, Any], deadline: float) -> None:
        for part in wire.encode(message):
            view = memoryview(part)
            while view:
                try:
                    view = view[os.write(self._write, view[: 1 << 16]) :]
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise TimeoutError from None
                    time.sleep(0.001)

    def _receive(self, size: int, deadline: float) -> bytes:
        parts: list[bytes] = []
        while size:
            try:
                part = os.read(self._read, min(size, 1 << 20))
            except BlockingIOError:
                self._wait(deadline)
                continue
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _wait(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0 or not self._selector.select(left):
            raise TimeoutError
