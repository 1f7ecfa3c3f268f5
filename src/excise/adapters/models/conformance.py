"""The suite that every predictor can be held against; third parties run it on theirs.

check_predictor(load(target, {}), batches=[one_row, other_row], whole=both_rows, broken={"a missing column": bad})
check_worker(load(target, {}), LoaderSpec(loader=file, target=target), table, kind=InputKind.FRAME)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import numpy as np

from excise.core.errors import Mismatch
from excise.core.predictor import InputKind, LoaderSpec, Predictor
from excise.core.signature import Signature
from excise.measure.process import Worker, wire_columns
from excise.measure.worker import inputs, outputs
from excise.tables import Table

TOLERANCE = 1e-5
"""Relative: batched kernels may add in another order."""
THREADS = 4
REPEATS = 8
WORKER_S = 60.0
"""Within which a worker answers the rows of one check."""
STAGES = ("preprocess", "predict", "postprocess")


def check_predictor(
    predictor: Any,
    *,
    batches: Sequence[Any],
    whole: Any,
    broken: Mapping[str, Any] | None = None,
    tolerance: float = TOLERANCE,
) -> list[str]:
    """Hold a predictor against the contract.

    Args:
        predictor: loaded; it is not closed.
        batches: batches of one row each, at least two.
        whole: the same rows as one batch.
        broken: what must raise, by what is wrong with it (wrong shape, wrong dtype, missing column).
        tolerance: relative difference allowed between a row alone and the row in a batch.
    Returns:
        Names of the checks that passed.
    Raises:
        Mismatch: the first check that failed, with what was seen.
    """
    checks: list[tuple[str, Callable[[], None]]] = [
        ("interface", lambda: _interface(predictor)),
        ("signature", lambda: _signature(predictor)),
        ("repeatable", lambda: _repeatable(predictor, whole)),
        ("batch of 1 and of N agree", lambda: _batches_agree(predictor, batches, whole, tolerance)),
        ("stages", lambda: _stages(predictor, whole)),
        ("inputs are left alone", lambda: _inputs_untouched(predictor, whole)),
        *(
            (f"raises on {what}", lambda bad=bad, what=what: _raises(predictor, bad, what))
            for what, bad in (broken or {}).items()
        ),
        ("answers after an error", lambda: _repeatable(predictor, whole)),
        ("threads", lambda: _threads(predictor, whole)),
    ]
    for _, check in checks:
        check()
    return [name for name, _ in checks]


def check_worker(
    predictor: Any, spec: LoaderSpec, table: Table, *, kind: InputKind, python: str = sys.executable
) -> None:
    """Hold the answers of a fresh worker against those in this process: equal bytes, row by row.

    Args:
        predictor: loaded here.
        spec: how the worker loads the same.
        table: the rows of one call.
        kind: the form in which both get them.
        python: the interpreter of the worker; its libraries must be the ones here.
    Raises:
        Mismatch: an output differs, or there is another set of outputs.
    """
    names = [tensor["name"] for tensor in predictor.signature["inputs"]]
    rows = inputs.Rows(wire_columns(table), str(kind), names, list(range(table.rows)))
    here = outputs.by_name(predictor.predict(rows.call(list(range(table.rows)))), table.rows)
    with Worker(python) as worker:
        worker.load(spec)
        worker.data(table, kind=kind)
        answer = worker.outputs("current", range(table.rows), batch=table.rows, shadow=True, seconds=WORKER_S)
    there = answer["values"]
    if sorted(here) != sorted(there):
        raise Mismatch(f"outputs are {sorted(here)} in process and {sorted(there)} in a worker")
    differ = [name for name in here if not equal_bytes(here[name], there[name])]
    if differ:
        raise Mismatch(f"output {differ[0]!r} differs between this process and a worker")


def equal_bytes(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    """Whether two arrays are the same to the last bit; texts and lists where they are equal."""
    if object in (one.dtype, other.dtype):
        return same(list(one), list(other))
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def same(one: Any, other: Any, tolerance: float = 0.0) -> bool:
    """Whether two outputs are equal; ``tolerance`` is relative to the largest number."""
    left, right = list(leaves(one)), list(leaves(other))
    return len(left) == len(right) and all(_same_array(a, b, tolerance) for a, b in zip(left, right, strict=True))


def leaves(output: Any) -> Iterator[np.ndarray[Any, Any]]:
    """Every array of an output, in order; rows that are dicts are read by column, rows that are lists are one array."""
    if _rows_of(Mapping, output):
        output = {name: [row.get(name) for row in output] for name in output[0]}
    if isinstance(output, Mapping):
        for value in output.values():
            yield from leaves(value)
    elif _rows_of(list, output):
        ragged = len({len(row) for row in output}) > 1
        yield np.asarray([repr(row) for row in output] if ragged else output)
    elif isinstance(output, list | tuple) and output and not isinstance(output[0], int | float | str | bool | None):
        for value in output:
            yield from leaves(value)
    else:
        yield np.asarray(output)


def _rows_of(kind: type, output: Any) -> bool:
    """Whether an output is a list of rows of this kind."""
    return isinstance(output, list) and bool(output) and all(isinstance(row, kind) for row in output)


def _same_array(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any], tolerance: float) -> bool:
    if one.shape != other.shape:
        return False
    if one.dtype.kind not in "iufb" or other.dtype.kind not in "iufb":
        return bool((one.astype(object) == other.astype(object)).all())
    scale = max(1.0, float(np.abs(one).max(initial=0.0)))
    return bool(np.allclose(one, other, rtol=0.0, atol=tolerance * scale, equal_nan=True))


def _interface(predictor: Any) -> None:
    if not isinstance(predictor, Predictor):
        lacking = [name for name in ("signature", "thread_safe", "predict", "close") if not hasattr(predictor, name)]
        raise Mismatch(f"a predictor needs {', '.join(lacking)}")
    form = getattr(predictor, "default_input", InputKind.TENSORS)
    if form not in list(InputKind):
        raise Mismatch(f"default_input is {form!r}, not one of {', '.join(InputKind)}")


def _signature(predictor: Any) -> None:
    try:
        msgspec.convert(predictor.signature, Signature)
        msgspec.json.encode(predictor.signature)
    except (msgspec.ValidationError, TypeError) as error:
        raise Mismatch(f"the signature is not one: {error}") from None


def _repeatable(predictor: Any, whole: Any) -> None:
    if not same(predictor.predict(whole), predictor.predict(whole)):
        raise Mismatch("two calls on the same rows answer differently")


def _batches_agree(predictor: Any, batches: Sequence[Any], whole: Any, tolerance: float) -> None:
    together = list(leaves(predictor.predict(whole)))
    alone = [list(leaves(predictor.predict(batch))) for batch in batches]
    for place, expected in enumerate(together):
        joined = np.concatenate([np.atleast_1d(one[place]) for one in alone])
        if not _same_array(expected, joined, tolerance):
            raise Mismatch(f"output {place}: {len(batches)} rows one by one differ from the rows in one batch")


def _stages(predictor: Any, whole: Any) -> None:
    if not hasattr(predictor, "staged"):
        return
    seen: list[str] = []
    output = predictor.staged(whole, seen.append)
    stages = list(getattr(predictor, "stages", ()))
    if not set(stages) <= set(STAGES) or seen[: len(stages)] != stages:
        raise Mismatch(f"stages are declared as {stages} and ran as {seen}")
    if not same(output, predictor.predict(whole)):
        raise Mismatch("the staged call answers differently from the call that production makes")


def _inputs_untouched(predictor: Any, whole: Any) -> None:
    before = repr(whole)
    predictor.predict(whole)
    if repr(whole) != before:
        raise Mismatch("predict() changes its inputs")


def _raises(predictor: Any, bad: Any, what: str) -> None:
    try:
        output = predictor.predict(bad)
    except Exception as error:  # noqa: BLE001  any exception of any library will do, if it says something
        if not str(error).strip():
            raise Mismatch(f"{what}: the exception says nothing") from None
        return
    raise Mismatch(f"{what}: answered {str(output)[:80]!r} instead of raising")


def _threads(predictor: Any, whole: Any) -> None:
    if not predictor.thread_safe:
        return
    expected = predictor.predict(whole)
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda _: predictor.predict(whole), range(THREADS * REPEATS)))
    if not all(same(expected, answer) for answer in answers):
        raise Mismatch("it says thread_safe, but answers differ when threads call at once")
