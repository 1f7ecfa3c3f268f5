"""Why a feature's content differs, once a test has said so: what vanished, what left the range, what moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from excise.core.drift import Cause, CauseKind
from excise.features.causes import Pair, percent
from excise.features.embeddings import Vectors
from excise.features.numbers import Numbers

SURELY_EXPECTED = 20.0
"""Rows of a level that were to be expected: e to the minus 20 is the chance that none of them came."""
SHARE_OUTSIDE = 0.001
EXPLAINING = {CauseKind.ALL_NULL, CauseKind.TYPE_CHANGED, CauseKind.UNIT_CHANGE, CauseKind.COLUMN_MISSING}
"""Causes next to which content says nothing more."""
BESIDE = {CauseKind.NULLS, CauseKind.INFINITE, CauseKind.PRECISION, CauseKind.NON_INTEGER, CauseKind.RANGE}
"""Causes that do not explain why the other values moved."""


def content_causes(pair: Pair, known: Sequence[Cause], *, moved: bool) -> Iterator[Cause]:
    """The causes of content, the sharp ones first; a plain shift where nothing else explains it."""
    if EXPLAINING & {one.cause for one in known}:
        return
    if not known and (changed := retyped(pair)) is not None:
        yield changed
        return
    found = [*vanished(pair), *out_of_range(pair)]
    yield from found
    explained = {one.cause for one in (*known, *found)} - BESIDE
    if not explained and (moved or not (known or found)):
        yield Cause(cause=CauseKind.DISTRIBUTION, what=what_moved(pair), share=None)


def retyped(pair: Pair) -> Cause | None:
    """Another form than the reference's, where no rule of form has a better word for it."""
    before, now = pair
    if before.form == now.form or {before.form, now.form} == {"int", "float"}:
        return None
    share = 1 - sum(min(before.types.get(name, 0) / before.rows, count / now.rows) for name, count in now.types.items())
    what = f"{now.form} where the reference is {before.form}"
    return Cause(cause=CauseKind.TYPE_CHANGED, what=what, share=min(max(share, 0.0), 1.0) or None)


def vanished(pair: Pair) -> Iterator[Cause]:
    """Levels that the reference has and that are not there any more."""
    before, now = pair
    if before.form != "text" or not now.texts.rows:
        return
    seen = now.texts.categories.counts()
    folded = {name.strip().casefold() for name in seen}
    gone = {
        name: count
        for name, count in before.texts.categories.counts().items()
        if name.strip().casefold() not in folded and count / before.rows * now.rows >= SURELY_EXPECTED
    }
    if gone:
        share = sum(gone.values()) / before.rows
        first = max(gone, key=lambda name: gone[name])
        what = f"{len(gone)} of its levels came no more" if len(gone) > 1 else "a level came no more"
        yield Cause(cause=CauseKind.VANISHED_CATEGORY, what=what, share=share, example=first)


def out_of_range(pair: Pair) -> Iterator[Cause]:
    """Numbers beyond the reference's smallest and largest."""
    before, now = pair.reference.numbers, pair.current.numbers
    edges = before.bins.values()
    if before.minimum is None or before.maximum is None or not now.finite or not len(edges):
        return
    outside = now.bins.counts[0] + now.bins.counts[-1]
    share = outside / now.finite - (before.bins.counts[0] + before.bins.counts[-1]) / before.finite
    if share > SHARE_OUTSIDE:
        ends = f"{before.minimum:.4g} to {before.maximum:.4g}"
        outermost = now.maximum if (now.maximum or 0.0) > before.maximum else now.minimum
        if outermost is None or before.minimum <= outermost <= before.maximum:
            return
        what = f"outside {ends}, the range of the reference"
        yield Cause(cause=CauseKind.RANGE, what=what, share=share, example=f"{outermost:.6g}")


def what_moved(pair: Pair) -> str:
    """What moved, in a few words."""
    before, now = pair
    if before.vectors is not None and now.vectors is not None and before.vectors.parts:
        return moved_vectors(before.vectors, now.vectors)
    if before.numbers.finite and now.numbers.finite and before.form != "text":
        return moved_numbers(before.numbers, now.numbers)
    sides = [one.texts.categories.counts() for one in pair]
    gaps = {
        name: sides[1].get(name, 0) / now.rows - sides[0].get(name, 0) / before.rows for name in sides[0] | sides[1]
    }
    if not gaps:
        return "other shares of types"
    name = max(gaps, key=lambda one: abs(gaps[one]))
    was, is_now = sides[0].get(name, 0) / before.rows, sides[1].get(name, 0) / now.rows
    return f"{name!r}: {percent(was)} of the rows, now {percent(is_now)}"


def moved_vectors(before: Vectors, now: Vectors) -> str:
    """The norm's way, or that of the direction along which the mean moved the most."""
    pairs = list(zip(before.parts, now.parts, strict=True))
    shifts = [((b.mean or 0.0) - (a.mean or 0.0)) / (a.std or 1.0) for a, b in pairs]
    widest = max(range(len(pairs)), key=lambda index: abs(shifts[index]))
    if widest == len(pairs) - 1:
        return f"norm: {moved_numbers(*pairs[-1])}"
    return f"they point elsewhere: by {abs(shifts[widest]):.2g} standard deviations along one of 16 directions"


def moved_numbers(before: Numbers, now: Numbers) -> str:
    """The mean's way in the reference's standard deviations, or the spread's."""
    means, spread = (before.mean or 0.0, now.mean or 0.0), before.std or 0.0
    ratio = (now.std or 0.0) / spread if spread else 1.0
    shift = (means[1] - means[0]) / spread if spread else 0.0
    if abs(shift) >= abs(ratio - 1) / 2:
        return f"mean {means[0]:.4g}, now {means[1]:.4g} ({shift:+.2g} standard deviations)"
    return f"standard deviation {spread:.4g}, now {now.std or 0.0:.4g}"
