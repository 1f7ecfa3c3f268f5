"""Spark: parts as the rows of a frame, mapped by ``mapInArrow``; in the session that runs, or in one of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

from excise.core.errors import InputError, MissingExtra, NotMeasured, first_line

WAVE = 256
"""Parts whose profiles are brought back at once."""
CLUSTER = ("MASTER", "SPARK_REMOTE", "PYSPARK_SUBMIT_ARGS")
"""Variables that say where Spark runs."""
ALONE = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
}
"""Settings of a session that speaks to this machine alone."""


class SparkEngine:
    """Tasks of Spark; this package has to be installed in the Python of every executor.

    Args:
        session: the one to use; else the active one, else one that is started, and stopped when the engine is closed.
    Raises:
        MissingExtra: PySpark is not installed.
    """

    name = "spark"

    def __init__(self, session: Any = None) -> None:
        if session is None and find_spec("pyspark") is None:
            raise MissingExtra("pyspark", extra="spark")
        self._session, self._ours = session, False

    def map(self, function: Callable[[bytes], bytes], items: Sequence[bytes]) -> Iterator[bytes]:
        """Apply a function to every item, a partition each; answers come in the order of the items, in waves.

        Raises:
            InputError: Spark cannot be started.
            NotMeasured: a job failed for good.
        """
        for start in range(0, len(items), WAVE):
            yield from self._wave(function, items[start : start + WAVE])

    def close(self) -> None:
        """Stop the session that this engine started."""
        if self._ours:
            self._session.stop()
            self._session, self._ours = None, False

    def _wave(self, function: Callable[[bytes], bytes], items: Sequence[bytes]) -> list[bytes]:
        """The answers to some items, from one job."""
        from pyspark.errors import PySparkException  # noqa: PLC0415  loading it takes a second

        rows = [(place, bytearray(item)) for place, item in enumerate(items)]
        try:
            frame = self._running().createDataFrame(rows, "place long, item binary").repartition(len(items))
            found = frame.mapInArrow(partial(answered, function), "place long, answer binary").collect()
        except PySparkException as error:
            raise failure(error) from error
        return [bytes(row["answer"]) for row in sorted(found, key=lambda row: row["place"])]

    def _running(self) -> Any:
        """The session that is used."""
        from pyspark.sql import SparkSession  # noqa: PLC0415  as above

        if self._session is None:
            self._session = SparkSession.getActiveSession()
        if self._session is None:
            self._session, self._ours = started(SparkSession.builder.appName("excise")), True
        return self._session


def started(builder: Any) -> Any:
    """A session: where the environment says, or on the cores of this machine.

    Raises:
        InputError: it cannot be started.
    """
    if not any(os.environ.get(name) for name in CLUSTER):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = builder.master("local[*]")
        for name, value in ALONE.items():
            builder = builder.config(name, value)
    try:
        session = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    except Exception as error:  # the gateway, the JVM and the master each have errors of their own
        hint = "Spark needs Java 17 or newer: install it, or set JAVA_HOME"
        raise InputError(f"Spark cannot be started: {first_line(error)}", hint=hint) from error
    if hasattr(session, "sparkContext"):
        session.sparkContext.setLogLevel("OFF")  # what fails is told in one line
    return session


def answered(function: Callable[[bytes], bytes], batches: Iterator[Any]) -> Iterator[Any]:
    """Arrow batches of places and items as batches of places and answers."""
    for batch in batches:
        answers = [function(item) for item in batch.column("item").to_pylist()]
        yield type(batch).from_pydict({"place": batch.column("place"), "answer": answers})


def failure(error: Exception) -> NotMeasured:
    """One line for what Spark said: the last line of a Python traceback, or its first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    python = [line for line in lines if line.partition(":")[0].endswith(("Error", "Exception"))]
    return NotMeasured(
        f"spark could not finish: {(python or lines)[-1 if python else 0][:300]}",
        hint="is this version of excise installed for every executor, and the data within their reach?",
    )
