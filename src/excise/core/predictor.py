"""The seams that third parties fill: how a model is loaded, run and transformed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec

from excise.core.refs import ModelRef


class InputKind(StrEnum):
    """In which form production hands rows to the model."""

    RECORDS = "records"
    FRAME = "frame"
    TENSORS = "tensors"


@runtime_checkable
class Predictor(Protocol):
    """A loaded model. The server calls one in process, a worker calls one in any environment.

    A predictor comes out of a *loader file*: a Python file that imports nothing of excise, is written
    for Python 3.8, and defines ``load(target, options) -> Predictor``.
    """

    signature: Mapping[str, Any]
    """``{"inputs": [{"name", "dtype", "shape"}], "outputs": [...], "batch_axis": 0}``."""
    thread_safe: bool
    """Whether two threads may call ``predict`` at once."""

    def predict(self, batch: Any) -> Any:
        """Answer one call; ``batch`` is a list of dicts, a frame, or a dict of arrays."""

    def close(self) -> None:
        """Free what ``load`` took."""


class Asking(Predictor, Protocol):
    """A predictor that hands its rows to a service or an endpoint; a worker uses what it finds of these members."""

    last_failure: str | None
    """Status and first words of the last answer that failed."""

    def prepare(self, rows: Any) -> Any:
        """What ``predict`` and ``ask`` take instead of rows: made before the clock runs (rendered and encoded)."""

    def ask(self, batch: Any) -> Any:
        """A call as the clock sees it: exchanged, and its answer left unread.

        Where the predictor has ``on_loop(make)`` (runs the coroutine that ``make()`` returns and waits for it), this is
        a coroutine function, and it returns the moment at which the answer was complete (``time.perf_counter_ns``).
        """

    def failures(self) -> Mapping[str, int]:
        """Requests that failed since the last question, by reason; a failure is counted and never raised."""

    def meters(self) -> Mapping[str, Sequence[float]]:
        """What the answers said of single calls since the last question (``ttft_ms``, ``output_tokens``)."""


class LoaderSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker needs in order to load a model.

    Attributes:
        loader: path of the self-contained loader file.
        target: what its ``load`` gets first: a path, or ``file.py:attr`` / ``module:attr``.
        options: what its ``load`` gets second; plain JSON.
    """

    loader: str
    target: str
    options: dict[str, Any] = {}


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One executable form of a model.

    Attributes:
        name: ``production``, or what was done to it (``onnx+int8``).
        loader: how a worker loads it.
        lineage: the transforms that led here, oldest first.
        size_bytes: of the model's files; 0 where there are none.
        variables: environment variables that its process is started with (thread counts).
        drop: calls that it is run without where its shadow pipeline is dropped, as a survey wrote them.
    """

    name: str
    loader: LoaderSpec
    lineage: tuple[str, ...] = ()
    size_bytes: int = 0
    variables: dict[str, str] = {}
    drop: tuple[dict[str, Any], ...] = ()


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A model as an adapter describes it, before anything was run.

    Attributes:
        ref: what the user wrote, parsed.
        kind: the adapter's name (``sklearn``, ``onnx``, ``torch``, ``python``).
        variant: production's own form.
        default_input: the form of input that it takes unless the user says otherwise.
        files: the model's files, for digests and releases.
    """

    ref: ModelRef
    kind: str
    variant: Variant
    default_input: InputKind
    files: tuple[str, ...] = ()


HOLDERS = ("python", "service")
"""Kinds of subjects that hold a model: a leaner one can be put in its place inside."""


@runtime_checkable
class ModelAdapter(Protocol):
    """One kind of model; found through the entry-point group ``excise.models``."""

    name: str

    def matches(self, ref: ModelRef) -> bool:
        """Whether this adapter is the one for ``ref``; looks at names and first bytes, loads nothing."""

    def describe(self, ref: ModelRef, *, trust_pickle: bool = False) -> Subject:
        """Describe the model without loading it.

        Raises:
            ModelError: the file is missing, truncated or of another type.
            UntrustedPickle: it is a pickle and ``trust_pickle`` is false.
            MissingExtra: the library that loads it is not installed.
        """


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """What a transform's script made: a variant's loader, or the reason why there is none.

    Attributes:
        loader: how to load what was made; None where it was rejected.
        size_bytes: of the files made.
        reason: why it was rejected, in one line.
        notes: what a person should know (fusion counts, opset).
    """

    loader: LoaderSpec | None
    size_bytes: int = 0
    reason: str | None = None
    notes: tuple[str, ...] = ()


@runtime_checkable
class Transform(Protocol):
    """A way to a leaner variant; found through the entry-point group ``excise.transforms``.

    ``script`` is a self-contained file (Python 3.8, nothing of excise) that runs inside a worker which
    has loaded the model: ``apply(predictor, batches, out_dir, options) -> dict`` with the fields of Product.
    """

    name: str
    culprit: str
    """Which line it removes: ``model_bloat`` for all of ours."""
    script: Path
    options: Mapping[str, Any]
    needs: Sequence[str]
    """Modules that must be importable in the worker's environment."""

    def applies(self, subject: Subject) -> str | None:
        """None where the transform may be tried, else one line that says why not."""

    def variables(self) -> Mapping[str, str]:
        """Environment variables that the variant's process is started with."""
