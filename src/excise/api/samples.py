"""The rows of an audit: read, aligned with the reference, cast, and split into two halves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from excise.core.audit import Finding
from excise.core.drift import Drifted
from excise.core.errors import DataError
from excise.features import Caster, FeatureProfile, causes
from excise.features.drift import drift
from excise.tables import Table

LARGE_SLICE = 0.05
"""A slice that holds this share of the rows is checked without being named."""
FEW_VALUES = 20
"""A column with more values than this has no slices of its own unless it is named."""


@dataclass(frozen=True, slots=True)
class Samples:
    """What production gets, and what it was approved on.

    Attributes:
        tables: ``current``; ``cast`` where casting changes something; ``reference`` resampled to the same length.
        labels: of the current rows, None without a target.
        reference_labels: of the rows of ``tables["reference"]``.
        reference_picked: for each row of ``tables["reference"]``, which of the reference as it was given it is.
        reference_rows: of the reference as it was given, None without.
        findings: causes of fat features.
        drifted: features that drifted materially, the largest effect first; empty without labels of the reference.
        casts: what the caster does, by column, in words.
        choice, estimate: row indices of the two halves.
        slices: masks over all rows, by name.
    """

    tables: Mapping[str, Table]
    labels: NDArray[Any] | None
    reference_labels: NDArray[Any] | None
    reference_picked: NDArray[np.int64] | None
    reference_rows: int | None
    findings: tuple[Finding, ...]
    drifted: tuple[str, ...]
    casts: tuple[str, ...]
    choice: NDArray[np.int64]
    estimate: NDArray[np.int64]
    slices: Mapping[str, NDArray[np.bool_]]


def prepare(
    rows: Table,
    approved: Table | None,
    *,
    target: str | None,
    slices: Sequence[str],
    random: np.random.Generator,
) -> Samples:
    """Get the current rows and those from when the model was approved ready.

    Raises:
        DataError: empty, a column missing from the current inputs, labels that are NaN or of one class.
    """
    labels = _labels(rows, target, "current")
    features = rows.drop([target]) if target is not None and target in rows.names else rows
    tables = {"current": features}
    findings: tuple[Finding, ...] = ()
    casts: tuple[str, ...] = ()
    drifted: tuple[str, ...] = ()
    reference_labels = reference_rows = picked = None
    if approved is not None:
        reference_labels, reference_rows = _labels(approved, target, "reference"), approved.rows
        approved = approved.drop([target]) if target is not None and target in approved.names else approved
        features = aligned(features, approved)
        tables["current"] = features
        before, now = FeatureProfile.build(approved), FeatureProfile.build(features)
        findings = tuple(causes(before, now))
        caster = Caster.learn(before, now)
        if caster:
            tables["cast"] = caster.apply(features)
            casts = tuple(f"{name}: {cast}" for name, cast in caster.casts.items())
        picked = random.integers(approved.rows, size=features.rows)
        tables["reference"] = approved.take(picked)
        if reference_labels is not None:
            reference_labels = reference_labels[picked]
            drifted = drifted_features(before, FeatureProfile.build(features, edges_from=before))
    order = random.permutation(features.rows)
    half = len(order) // 2
    return Samples(
        tables=tables,
        labels=labels,
        reference_labels=reference_labels,
        reference_picked=picked,
        reference_rows=reference_rows,
        findings=findings,
        drifted=drifted,
        casts=casts,
        choice=order[:half] if half else order,
        estimate=order[half:],
        slices=_slices(tables.get("cast", features), slices),
    )


def drifted_features(before: FeatureProfile, now: FeatureProfile) -> tuple[str, ...]:
    """Features that drifted materially, the largest effect first."""
    found = [one for one in drift(before, now) if one.verdict is Drifted.MATERIAL]
    return tuple(one.name for one in sorted(found, key=lambda one: -(one.effect.value if one.effect else 1.0)))


def aligned(current: Table, reference: Table) -> Table:
    """The current columns in the reference's order.

    Raises:
        DataError: a reference column is missing; the hint names what is there.
    """
    missing = [name for name in reference.names if name not in current.names]
    if missing:
        raise DataError(
            f"{current.source} lacks {len(missing)} of the reference's columns: {', '.join(missing[:5])}",
            hint=f"it has: {', '.join(current.names[:12])}",
        )
    extra = [name for name in current.names if name not in reference.names]
    return current.select([*reference.names, *extra])


def _labels(table: Table, target: str | None, role: str) -> NDArray[Any] | None:
    if target is None:
        return None
    if target not in table.names and role == "current":
        return None
    column = table.column(target)
    missing = 0 if column.nulls is None else int(column.nulls.sum())
    if column.values.dtype.kind == "f":
        missing += int(np.isnan(column.values[column.present()]).sum())
    if missing:
        raise DataError(
            f"{missing} of {table.rows} labels in {target!r} of the {role} rows are missing",
            hint="drop the rows without a label, or leave --target out to use agreement",
        )
    if len(set(column.values[:100_000].tolist())) < 2:  # noqa: PLR2004  one class
        raise DataError(
            f"all labels in {target!r} of the {role} rows are {column.values[0]!r}",
            hint="give rows of every class, or leave --target out to use agreement",
        )
    return column.values


def _slices(table: Table, named: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Rows by slice: every value of a named column, and large values of columns with few values."""
    found: dict[str, NDArray[np.bool_]] = {}
    for name in named:
        table.column(name)
    for column in table.columns:
        if column.name not in named and column.kind not in {"text", "bool"}:
            continue
        values = np.array([str(value) for value in column.plain()], dtype=object)
        kinds, counts = np.unique(values, return_counts=True)
        if column.name not in named and len(kinds) > FEW_VALUES:
            continue
        for kind, count in zip(kinds.tolist(), counts.tolist(), strict=True):
            if column.name in named or count >= LARGE_SLICE * table.rows:
                found[f"{column.name}={kind}"] = values == kind
    return found
