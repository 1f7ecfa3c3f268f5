"""Whether a remedy may count: it must keep the incumbent's skill, overall and in every slice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from excise.core.errors import NotComparable
from excise.core.estimate import Estimate
from excise.core.measurement import Outputs
from excise.stats.skill import Bound, non_inferior, skill
from excise.tax.outputs import Losses, agreeing, losses, plain

Mask = NDArray[np.bool_]
Array = NDArray[Any]


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one candidate's outputs.

    Attributes:
        admissible: every bound is at most delta.
        why: one line; for a rejection what was lost and where.
        output: which output was compared; None where nothing could be.
        metric: the loss behind the skill, ``disagreement`` without labels.
        skill: the candidate's own skill; None without labels.
        loss_of_skill: share of the incumbent's skill that is lost, overall.
        worst_slice: the slice with the highest bound, None without slices.
        first_disagreement: the first row whose outputs differ; None where all agree.
        disagreeing: share of the rows whose outputs differ beyond float32 rounding.
    """

    admissible: bool
    why: str
    output: str | None = None
    metric: str | None = None
    skill: Estimate | None = None
    loss_of_skill: Estimate | None = None
    worst_slice: str | None = None
    first_disagreement: int | None = None
    disagreeing: float = 0.0


def admit(
    incumbent: Outputs,
    candidate: Outputs,
    target: Array | None,
    *,
    delta: float = 0.005,
    slices: Mapping[str, Mask] | None = None,
    metric: str | None = None,
) -> Admission:
    """Whether the candidate loses at most ``delta`` of the incumbent's skill, overall and in every slice.

    A slice on which the incumbent alone does not show any skill is held against what a row's skill is worth
    overall. Slices need no correction for their number: all of them must hold.

    Args:
        incumbent: production's outputs.
        candidate: the remedy's outputs; must hold the same rows.
        target: label of each of the incumbent's rows, shape (n,); None without labels: then the incumbent's
            outputs take their place.
        delta: share of skill that may be lost.
        slices: rows of each slice, by name, shape (n,) each.
        metric: a loss by name, None to choose (``tax.outputs.losses`` says how).
    Raises:
        UsageError: there is no such metric.
        NotComparable: no output can be held against the target.
    """
    base, found = plain(incumbent), plain(candidate)
    missing = [name for name in base if name not in found]
    if missing or not np.array_equal(incumbent.rows, candidate.rows):
        what = f"it does not answer {', '.join(missing)}" if missing else "it answered other rows than production"
        return Admission(admissible=False, why=what, disagreeing=1.0)
    same = np.logical_and.reduce([agreeing(found[name], base[name]) for name in base])
    odd = [name for name in base if found[name].shape != base[name].shape]
    seen: dict[str, Any] = {"first_disagreement": _first(incumbent.rows, same), "disagreeing": float(1 - same.mean())}
    if odd:
        shapes = f"{found[odd[0]].shape} for {base[odd[0]].shape}"
        return Admission(admissible=False, why=f"{odd[0]} has another shape: {shapes}", **seen)
    judged = losses(found, base, target, metric)
    return _judged(judged, same, delta, slices or {}, has_labels=target is not None, seen=seen)


def _first(rows: NDArray[np.int64], same: Mask) -> int | None:
    return None if same.all() else int(rows[np.argmin(same)])


def _judged(
    found: Losses, same: Mask, delta: float, slices: Mapping[str, Mask], *, has_labels: bool, seen: dict[str, Any]
) -> Admission:
    bounds = {"": _bound(found, np.ones(found.candidate.size, dtype=np.bool_), delta, None)}
    overall = bounds[""]
    worth = float((found.constant - found.incumbent).mean())
    for name, rows in slices.items():
        inside = np.asarray(rows, dtype=np.bool_)[found.kept]
        if inside.any():
            bounds[name] = _bound(found, inside, delta, worth)
    worst = max((name for name in bounds if name), key=lambda name: bounds[name].upper, default=None)
    failed = next((name for name in ("", worst or "") if not bounds[name].admissible), None)
    admissible = bool(same.all()) or failed is None
    return Admission(
        admissible=admissible,
        why=_why(bounds, failed, same, overall),
        output=found.output,
        metric=found.metric,
        skill=_skill(found) if has_labels else None,
        loss_of_skill=overall.loss_of_skill if np.isfinite(overall.loss_of_skill.value) else None,
        worst_slice=worst,
        **seen,
    )


def _why(bounds: Mapping[str, Bound], failed: str | None, same: Mask, overall: Bound) -> str:
    if same.all():
        return "every output agrees"
    if failed is None:
        return overall.why
    return bounds[failed].why + (f", in slice {failed}" if failed else "")


def _bound(found: Losses, rows: Mask, delta: float, worth: float | None) -> Bound:
    """The bound on some rows; by the worth of a row overall where these rows show no skill of their own."""
    parts = found.candidate[rows], found.incumbent[rows], found.constant[rows]
    bound = non_inferior(*parts, delta=delta)
    if worth is not None and worth > 0 and np.isinf(bound.upper):
        return non_inferior(*parts, delta=delta, worth=worth)
    return bound


def _skill(found: Losses) -> Estimate | None:
    try:
        return skill(found.candidate, found.constant)
    except NotComparable:
        return None
