"""Makes variants: runs a transform's script inside a worker that has loaded the model, and keeps what it made.

What was made is kept by the digest of everything that it depends on (the model's files, the transform's script and
options, the sample, the environment) and written under a temporary name first, so that an interrupted preparation
leaves nothing that looks finished.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import msgspec

from excise.core.errors import CallFailed, CallTimeout, ExciseError, WorkerError
from excise.core.predictor import HOLDERS, InputKind, LoaderSpec, Product, Subject, Transform, Variant
from excise.tables import Table

PREPARE_BUDGET_S = 120.0
"""Wall time of all preparations together (``--prepare-budget``)."""
PRODUCT = "product.json"
EXPORTS = "exports"
READ_BYTES = 1 << 20
SAMPLE = "current"


class Preparer(Protocol):
    """What a worker offers to preparations."""

    def __enter__(self) -> Self:
        """The worker, started."""

    def __exit__(self, *exception: object) -> None:
        """End it."""

    def load(self, spec: LoaderSpec) -> Mapping[str, Any]:
        """Load the model."""

    def data(self, table: Table, *, kind: InputKind, name: str, rows: Sequence[int]) -> object:
        """Send rows of a table."""

    def transform(
        self,
        script: Path,
        sample: str,
        rows: Sequence[int],
        *,
        batch: int,
        out_dir: Path,
        options: Mapping[str, Any],
        timeout_s: float,
    ) -> Mapping[str, Any]:
        """Run a script's ``apply`` and answer the fields of a Product."""


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A variant that was not made.

    Attributes:
        transform: its name.
        reason: one line.
        seconds: spent on it.
    """

    transform: str
    reason: str
    seconds: float = 0.0


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A variant that was made.

    Attributes:
        variant: how to load it.
        notes: what a person should know.
        seconds: spent on it; 0 where it was kept from before.
    """

    variant: Variant
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Sample:
    """The rows that a script exports and compares with.

    Attributes:
        table: where they are.
        kind: the form in which production gets them.
        rows: which of its rows.
        batch: rows per call.
    """

    table: Table
    kind: InputKind
    rows: tuple[int, ...]
    batch: int = 1

    def digest(self) -> str:
        """Of the table, the choice of rows and the form."""
        return digest_of([self.table.digest(), self.kind, str(self.batch), *map(str, self.rows)])


def prepare(
    subject: Subject,
    transform: Transform,
    *,
    open_worker: Callable[[], Preparer],
    sample: Sample,
    out_dir: Path,
    timeout_s: float = PREPARE_BUDGET_S,
    environment: str = "",
) -> Prepared | Rejected:
    """Make one variant, or take it from the last time; arguments as ``prepare_all``'s."""
    bench = Bench(subject, open_worker, sample=sample, out_dir=out_dir, environment=environment)
    with bench:
        return bench.make(transform, timeout_s)


def prepare_all(
    subject: Subject,
    transforms: Iterable[Transform],
    *,
    open_worker: Callable[[], Preparer],
    sample: Sample,
    out_dir: Path,
    budget_s: float = PREPARE_BUDGET_S,
    environment: str = "",
) -> list[Prepared | Rejected]:
    """Make variants in order, in one worker as long as it lives, until the budget is spent.

    A script that hangs or kills its worker is rejected with the reason; the next one gets a fresh worker.

    Args:
        subject: the model.
        transforms: what is done to it, one variant each.
        open_worker: starts an empty worker; not called where all variants are kept already.
        sample: the rows to export and compare with.
        out_dir: ``.excise/variants``.
        budget_s: wall time allowed for all.
        environment: digest of the environment's lock; versions decide what an exporter writes.
    """
    deadline = time.monotonic() + budget_s
    with Bench(subject, open_worker, sample=sample, out_dir=out_dir, environment=environment) as bench:
        return [bench.make(transform, deadline - time.monotonic()) for transform in transforms]


class Bench:
    """One worker for several scripts; started when the first one needs it, again when one was lost.

    A handler's model files are not known, so nothing of it is kept by its inputs: its variants are made anew and named
    by what came out.
    """

    def __init__(
        self,
        subject: Subject,
        open_worker: Callable[[], Preparer],
        *,
        sample: Sample,
        out_dir: Path,
        environment: str = "",
    ) -> None:
        self.subject = subject
        self.sample = sample
        self.out_dir = Path(out_dir).absolute()
        self._open = open_worker
        self._worker: Preparer | None = None
        self._lasting = subject.kind not in HOLDERS
        self._key = digest_of([_digest_model(subject), sample.digest(), environment])
        self._exports: Path | None = None

    def __enter__(self) -> Self:
        """The bench; no worker runs yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the worker; exports that may not be kept are removed."""
        self._drop()
        if self._exports is not None and not self._lasting:
            shutil.rmtree(self._exports, ignore_errors=True)

    def make(self, transform: Transform, timeout_s: float) -> Prepared | Rejected:
        """One variant, made or kept from the last time, or why not."""
        key = digest_of([self._key, _digest_transform(transform)])
        place = self.out_dir / f"{transform.name}-{key[:16]}"
        kept = _kept(transform, place) if self._lasting else None
        if kept is not None:
            return kept
        if timeout_s <= 0:
            return Rejected(transform=transform.name, reason="no time left for preparing (--prepare-budget)")
        started = time.monotonic()
        try:
            made = self._made(transform, place, timeout_s)
        except CallTimeout:
            made = f"not made within {timeout_s:.0f} s"
        except (ExciseError, msgspec.ValidationError, OSError) as error:
            made = str(getattr(error, "message", error))
        seconds = time.monotonic() - started
        if isinstance(made, str):
            return Rejected(transform=transform.name, reason=made, seconds=seconds)
        return Prepared(variant=_variant(transform, made), notes=made.notes, seconds=seconds)

    def _made(self, transform: Transform, place: Path, timeout_s: float) -> Product | str:
        """Run the script in a scratch folder and rename that when the product is whole."""
        self.out_dir.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{transform.name}-", dir=self.out_dir))
        try:
            product = self._run(transform, scratch, timeout_s)
            if product.loader is None:
                return product.reason or "no reason given"
            if not self._lasting:
                place = self.out_dir / f"{transform.name}-{_digest_folder(scratch)[:16]}"
            return _publish(product, scratch, place)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _run(self, transform: Transform, scratch: Path, timeout_s: float) -> Product:
        production = msgspec.to_builtins(self.subject.variant.loader)
        options = {**transform.options, "production": production, "shared": str(self._shared())}
        try:
            answer = self._ready().transform(
                transform.script,
                SAMPLE,
                range(len(self.sample.rows)),
                batch=self.sample.batch,
                out_dir=scratch,
                options=options,
                timeout_s=timeout_s,
            )
        except CallFailed:
            raise  # the script raised; its worker lives on
        except WorkerError:
            self._drop()
            raise
        return msgspec.convert(answer, Product)

    def _shared(self) -> Path:
        """Where scripts keep exports for one another."""
        if self._exports is None:
            if self._lasting:
                self._exports = self.out_dir / EXPORTS / self._key[:16]
            else:
                self._exports = Path(tempfile.mkdtemp(prefix=f".{EXPORTS}-", dir=self.out_dir))
        return self._exports

    def _ready(self) -> Preparer:
        if self._worker is None:
            self._worker = self._open().__enter__()
            self._worker.load(self.subject.variant.loader)
            self._worker.data(self.sample.table, kind=self.sample.kind, name=SAMPLE, rows=self.sample.rows)
        return self._worker

    def _drop(self) -> None:
        if self._worker is not None:
            self._worker.__exit__(None, None, None)
            self._worker = None


def _publish(product: Product, scratch: Path, place: Path) -> Product:
    """Rename the scratch folder to its place; where another process was faster, its equal product stands."""
    moved = _moved(product, scratch, place)
    (scratch / PRODUCT).write_bytes(msgspec.json.encode(moved))
    try:
        scratch.rename(place)
    except OSError:
        if not (place / PRODUCT).exists():
            raise
    return moved


def _moved(product: Product, scratch: Path, place: Path) -> Product:
    """The product with its paths as they will be."""
    text = msgspec.json.encode(product).replace(os.fsencode(scratch), os.fsencode(place))
    return msgspec.json.decode(text, type=Product)


def _kept(transform: Transform, place: Path) -> Prepared | None:
    """What was made before, if it is whole."""
    try:
        product = msgspec.json.decode((place / PRODUCT).read_bytes(), type=Product)
    except (OSError, msgspec.DecodeError):
        return None
    return Prepared(variant=_variant(transform, product), notes=product.notes) if product.loader else None


def _variant(transform: Transform, product: Product) -> Variant:
    assert product.loader is not None  # noqa: S101  callers have looked
    return Variant(
        name=transform.name,
        loader=product.loader,
        lineage=(transform.name,),
        size_bytes=product.size_bytes,
        variables=dict(transform.variables()),
    )


def digest_of(parts: Iterable[str]) -> str:
    """One digest of several."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _digest_model(subject: Subject) -> str:
    """Of the model's files, its loader and its settings."""
    loader = subject.variant.loader
    options = msgspec.json.encode(loader.options, order="deterministic").decode()
    files = [_digest_file(Path(file)) for file in sorted(subject.files)]
    return digest_of([subject.kind, loader.target, options, _digest_file(Path(loader.loader)), *files])


def _digest_transform(transform: Transform) -> str:
    """Of the script, the files beside it, and the options."""
    scripts = [_digest_file(file) for file in sorted(_scripts(transform.script))]
    options = msgspec.json.encode(dict(transform.options), order="deterministic").decode()
    return digest_of([transform.name, options, *scripts])


def _scripts(script: Path) -> Iterator[Path]:
    """The script and what it may load from beside it."""
    yield from script.parent.glob("*.py")


def _digest_folder(folder: Path) -> str:
    """Of the names and bytes of all files below."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return digest_of(part for file in files for part in (str(file.relative_to(folder)), _digest_file(file)))


def _digest_file(file: Path) -> str:
    """Of a file's bytes."""
    hashed = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(READ_BYTES):
            hashed.update(block)
    return hashed.hexdigest()
