"""What a model answered, as arrays that can be compared: with another answer, and with a label."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from excise.core.errors import NotComparable, UsageError
from excise.core.measurement import Outputs
from excise.stats.skill import LOSSES, Loss, best_constant_loss, disagreement, is_labels, is_probabilities

Array = NDArray[Any]
Floats = NDArray[np.float64]

AGREEMENT = 1e-6
"""Numbers closer than this share of their own and the output's mean size are the same: float32 rounding."""
TELLING = ("prob", "score", "proba")
"""Names under which models give what is more than a label."""


@dataclass(frozen=True, slots=True, eq=False)
class Losses:
    """Losses per row on the rows that can be judged.

    Attributes:
        output: which output was compared.
        metric: with which loss.
        kept: which rows were judged, shape (n,).
        candidate: shape (kept,).
        incumbent: shape (kept,).
        constant: shape (kept,); of the best constant.
    """

    output: str
    metric: str
    kept: NDArray[np.bool_]
    candidate: Floats
    incumbent: Floats
    constant: Floats


def plain(outputs: Outputs) -> dict[str, Array]:
    """Outputs as arrays of numbers, booleans or text.

    Rows that are dicts become one output per key (``output.key``), or one matrix where all values are
    probabilities; lists of numbers become matrices; what is left is compared as JSON text.
    """
    found: dict[str, Array] = {}
    for name, values in outputs.values.items():
        array = np.asarray(values)
        found |= {name: array} if array.dtype.kind != "O" else _unpacked(name, array)
    return found


def _unpacked(name: str, array: Array) -> dict[str, Array]:
    rows = array.tolist()
    if not rows or not all(isinstance(row, Mapping) and row.keys() == rows[0].keys() for row in rows):
        return {name: _settled(rows)}
    columns = {key: _settled([row[key] for row in rows]) for key in rows[0]}
    flat = list(columns.values())
    if len(flat) > 1 and all(column.dtype.kind == "f" and column.ndim == 1 for column in flat):
        matrix = np.column_stack(flat)
        if is_probabilities(matrix):
            return {name: matrix}
    return {f"{name}.{key}" if name else str(key): column for key, column in columns.items()}


def _settled(rows: list[Any]) -> Array:
    """Rows as numbers or booleans where all of them are, else as text."""
    try:
        array = np.array([np.nan if row is None else row for row in rows])
    except ValueError:
        array = np.array(0)
    if array.dtype.kind in "biuf" and array.ndim >= 1:
        return array
    return np.array([row if isinstance(row, str) else json.dumps(row, sort_keys=True, default=str) for row in rows])


def agreeing(candidate: Array, incumbent: Array) -> NDArray[np.bool_]:
    """Which rows of two outputs are the same: equal, both missing, or within float32 rounding. Shape (n,)."""
    if candidate.shape != incumbent.shape:
        return np.zeros(incumbent.shape[0], dtype=np.bool_)
    if not (_is_number(candidate) and _is_number(incumbent)):
        return _by_row(candidate.astype(str) == incumbent.astype(str))
    mine, theirs = candidate.astype(np.float64), incumbent.astype(np.float64)
    finite = np.abs(theirs[np.isfinite(theirs)])
    size = 1.0 if soft(incumbent) else float(finite.mean()) if finite.size else 0.0
    with np.errstate(invalid="ignore"):
        close = np.abs(mine - theirs) <= AGREEMENT * (np.abs(theirs) + size)
    return _by_row(close | (mine == theirs) | (np.isnan(mine) & np.isnan(theirs)))


def _by_row(same: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(same.reshape(same.shape[0], -1).all(axis=1), dtype=np.bool_)


def _is_number(array: Array) -> bool:
    return array.dtype.kind in "biuf"


def losses(
    candidate: Mapping[str, Array], incumbent: Mapping[str, Array], target: Array | None, metric: str | None
) -> Losses:
    """Losses of both models by the rule below.

    The output that is compared: for a target of labels the first that gives probabilities (names with "prob" or
    "score" before others): a matrix with a column per class, classes in sorted order, or, for two classes that
    are numbers, a vector with the probability of the greater one; then the first that gives labels. The first
    of these on which the incumbent beats a constant counts (a "probability" may be that of its own answer). For
    a target of numbers the first numeric output; few whole numbers are labels, unless the model answers with
    fractions of them. Without a target, probabilities, then numbers, then labels:
    against the incumbent. The loss: ``metric``, or brier, squared, zero_one for probabilities, numbers, labels.

    Args:
        candidate: outputs by name, from ``plain``.
        incumbent: likewise, the same names and rows.
        target: shape (n,); None, NaN and empty text are rows without a label. None without labels.
        metric: a loss by name, None to choose.
    Raises:
        UsageError: there is no such metric.
        NotComparable: no output fits the target or the metric.
    """
    forced = loss_named(metric)
    if target is None:
        return _against_incumbent(candidate, incumbent)
    kept, truth = labeled(target)
    if not kept.any():
        raise NotComparable("no row has a label", hint="name another --target, or leave it out")
    mine, theirs = ({name: array[kept] for name, array in side.items()} for side in (candidate, incumbent))
    fits = list(_fits(theirs, truth, forced))
    if not fits:
        raise NotComparable(
            "no output can be held against the target" + (f" by {forced}" if forced else ""),
            hint="name another --target or --metric, or leave them out",
        )
    found = [_scored(name, loss, coded, mine, theirs, kept=kept) for name, loss, coded in fits]
    return next((one for one in found if one.incumbent.mean() < one.constant.mean()), found[0])


def _scored(name: str, loss: Loss, truth: Array, *sides: Mapping[str, Array], kept: NDArray[np.bool_]) -> Losses:
    ours, base = (_ready(side[name], loss) for side in sides)
    classes = base.shape[1] if base.ndim > 1 and loss in {Loss.BRIER, Loss.LOG_LOSS} else None
    measure = LOSSES[loss]
    found = measure(truth, ours), measure(truth, base), best_constant_loss(truth, loss, classes=classes)
    return _finite(Losses(name, loss.value, kept, *found))


def metric_of(labels: Array | None, metric: str | None) -> str | None:
    """The metric that all samples of these labels share, None where each may choose by its outputs.

    A few rows of an amount may hold as few kinds as labels do; the whole column tells which they are.

    >>> metric_of(np.arange(100), None), metric_of(np.array([0, 1, 1]), None), metric_of(np.arange(100), "absolute")
    ('squared', None, 'absolute')
    """
    if metric is not None or labels is None or labels.dtype.kind not in "iuf" or is_labels(labels):
        return metric
    return Loss.SQUARED.value


def loss_named(metric: str | None) -> Loss | None:
    """The loss of that name; None for the automatic choice.

    Raises:
        UsageError: there is none.
    """
    if metric is None or metric == "auto":
        return None
    try:
        return Loss(metric)
    except ValueError:
        raise UsageError(f"there is no metric {metric!r}", hint=f"one of {', '.join(Loss)}") from None


def _against_incumbent(candidate: Mapping[str, Array], incumbent: Mapping[str, Array]) -> Losses:
    order = _preferred(incumbent)
    ranked = [name for name in order if soft(incumbent[name])]
    ranked += [name for name in order if incumbent[name].dtype.kind == "f"]
    name = (ranked or order)[0]
    found = disagreement(candidate[name], incumbent[name])
    return _finite(Losses(name, "disagreement", np.ones(found[0].size, dtype=np.bool_), *found))


def _finite(found: Losses) -> Losses:
    """Without the rows on which the incumbent itself gave no number; a candidate that gives none there loses."""
    fine = np.isfinite(found.incumbent)
    kept = found.kept.copy()
    kept[kept] = fine
    worst = np.maximum(found.constant, found.incumbent)[fine].max(initial=0.0)
    candidate = np.nan_to_num(found.candidate[fine], nan=worst, posinf=worst)
    return Losses(found.output, found.metric, kept, candidate, found.incumbent[fine], found.constant[fine])


def labeled(target: Array) -> tuple[NDArray[np.bool_], Array]:
    """Which rows have a label, and the labels of those rows."""
    array = np.asarray(target)
    if array.dtype.kind == "f":
        kept = ~np.isnan(array)
        return kept, array[kept]
    if array.dtype.kind != "O":
        return np.ones(array.shape[0], dtype=np.bool_), array
    rows = array.tolist()
    kept = np.array([not (row is None or row == "" or row != row) for row in rows], dtype=np.bool_)  # noqa: PLR0124
    return kept, _settled([row for row, keep in zip(rows, kept, strict=True) if keep])


def _fits(outputs: Mapping[str, Array], truth: Array, forced: Loss | None) -> Iterator[tuple[str, Loss, Array]]:
    """Outputs that can be held against the target, the one that says most first, with the target in its terms."""
    order = _preferred(outputs)
    amounts = _is_number(truth) and (not is_labels(truth) or _amounts(truth, outputs))
    if is_labels(truth) and forced not in {Loss.SQUARED, Loss.ABSOLUTE}:
        if forced is not Loss.ZERO_ONE:
            yield from _soft_fits(outputs, truth, order, forced or Loss.BRIER)
        if forced is Loss.ZERO_ONE or (forced is None and not amounts):
            yield from _label_fits(outputs, truth, order)
    if forced in {Loss.SQUARED, Loss.ABSOLUTE} or (forced is None and amounts):
        yield from _number_fits(outputs, truth, order, forced or Loss.SQUARED)


def _amounts(truth: Array, outputs: Mapping[str, Array]) -> bool:
    """Whether few whole numbers are amounts all the same, as ratings are: the model answers with fractions of them."""
    numbers = [array for array in outputs.values() if array.dtype.kind == "f" and not soft(array)]
    return truth.dtype.kind in "iuf" and any(bool((array[np.isfinite(array)] % 1 != 0).any()) for array in numbers)


def _number_fits(
    outputs: Mapping[str, Array], truth: Array, order: list[str], loss: Loss
) -> Iterator[tuple[str, Loss, Array]]:
    for name in order:
        if _is_number(truth) and _is_number(outputs[name]) and column(outputs[name]).ndim == truth.ndim:
            yield name, loss, truth.astype(np.float64)


def _soft_fits(
    outputs: Mapping[str, Array], truth: Array, order: list[str], loss: Loss
) -> Iterator[tuple[str, Loss, Array]]:
    for name in order:
        coded = _coded(truth, outputs[name])
        if coded is not None:
            yield name, loss, coded


def _label_fits(outputs: Mapping[str, Array], truth: Array, order: list[str]) -> Iterator[tuple[str, Loss, Array]]:
    for name in sorted(order, key=lambda name: soft(outputs[name])):
        coded = _coded(truth, outputs[name])
        if coded is not None:
            yield name, Loss.ZERO_ONE, coded
        elif column(outputs[name]).ndim == 1 and _same_kind(outputs[name], truth):
            yield name, Loss.ZERO_ONE, truth.astype(np.float64) if _is_number(truth) else truth


def _same_kind(output: Array, truth: Array) -> bool:
    return _is_number(output) == _is_number(truth)


def _coded(truth: Array, output: Array) -> Array | None:
    """The target as class numbers where this output gives a probability per class; None where it does not."""
    found = column(output)
    if not soft(found):
        return None
    classes, codes = np.unique(truth, return_inverse=True)
    columns = found.shape[1] if found.ndim > 1 else 2
    if found.ndim == 1 and truth.dtype.kind not in "biuf":
        return None
    if truth.dtype.kind in "biuf" and classes.min() >= 0 and classes.max() < columns:
        return np.asarray(truth, dtype=np.int64)
    return codes if classes.size == columns else None


def soft(output: Array) -> bool:
    """Whether an output gives probabilities."""
    return is_probabilities(column(output))


def column(output: Array) -> Array:
    """A matrix of one column as a vector."""
    return output[:, 0] if output.ndim == 2 and output.shape[1] == 1 else output  # noqa: PLR2004  rows by one


def _ready(output: Array, loss: Loss) -> Array:
    """An output as its loss takes it: labels for zero_one, numbers for all else."""
    found = column(output)
    if loss is not Loss.ZERO_ONE:
        return found.astype(np.float64)
    if soft(found):
        return found.argmax(axis=1) if found.ndim > 1 else (found >= 0.5).astype(np.int64)  # noqa: PLR2004  even odds
    return found.astype(np.float64) if _is_number(found) else found


def _preferred(outputs: Mapping[str, Array]) -> list[str]:
    return sorted(outputs, key=lambda name: not any(word in name.lower() for word in TELLING))
