"""Drift, feature by feature: a test with its p-value, an effect with its bound, and the causes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from excise.core.audit import Finding
from excise.core.drift import Cause, CauseKind, Drifted, FeatureDrift
from excise.core.estimate import Estimate
from excise.features.causes import Pair, causes
from excise.features.cells import cells_of
from excise.features.profile import ColumnProfile, FeatureProfile
from excise.features.shifts import content_causes
from excise.stats.multiplicity import benjamini_hochberg, holm
from excise.stats.two_samples import (
    NOTHING,
    Difference,
    beyond,
    jensen_shannon,
    levels,
    ordered_counts,
    population_stability_index,
    wasserstein,
)

ALPHA = 0.05
FLOOR = 0.01
TESTS = 3
"""Of one feature at most: its content, its types, its ends."""
CORRECTIONS: dict[str, Callable[[list[float]], NDArray[np.float64]]] = {"holm": holm, "bh": benjamini_hochberg}
CAUSE_OF = {
    "column_missing": CauseKind.COLUMN_MISSING,
    "column_extra": CauseKind.COLUMN_EXTRA,
    "all_null": CauseKind.ALL_NULL,
    "number_as_text": CauseKind.STRINGS_IN_NUMBERS,
    "blank_padded_number": CauseKind.BLANKS,
    "thousands_separator": CauseKind.STRINGS_IN_NUMBERS,
    "decimal_comma": CauseKind.STRINGS_IN_NUMBERS,
    "percent_sign": CauseKind.STRINGS_IN_NUMBERS,
    "null_word": CauseKind.NULLS,
    "nulls_rose": CauseKind.NULLS,
    "mixed_types": CauseKind.TYPE_CHANGED,
    "vector_length": CauseKind.TYPE_CHANGED,
    "vector_broken": CauseKind.INFINITE,
    "vector_zeros": CauseKind.NULLS,
    "bool_as_text": CauseKind.TYPE_CHANGED,
    "date_as_text": CauseKind.TYPE_CHANGED,
    "text_as_number": CauseKind.TYPE_CHANGED,
    "int_as_float": CauseKind.TYPE_CHANGED,
    "non_integer": CauseKind.NON_INTEGER,
    "excess_precision": CauseKind.PRECISION,
    "float64_for_float32": CauseKind.WIDER_TYPE,
    "inf_appeared": CauseKind.INFINITE,
    "text_padded": CauseKind.BLANKS,
    "case_variant": CauseKind.CASE_VARIANTS,
    "new_category": CauseKind.NEW_CATEGORY,
    "unit_changed": CauseKind.UNIT_CHANGE,
}
"""The cause behind each form of a fat feature."""
BREAKING = {
    CauseKind.COLUMN_MISSING,
    CauseKind.ALL_NULL,
    CauseKind.TYPE_CHANGED,
    CauseKind.STRINGS_IN_NUMBERS,
    CauseKind.BLANKS,
    CauseKind.INFINITE,
    CauseKind.UNIT_CHANGE,
}
"""Causes that a model may fail on from the first row."""
UNCOUNTED = {
    CauseKind.COLUMN_EXTRA,
    CauseKind.WIDER_TYPE,
    CauseKind.DISTRIBUTION,
    CauseKind.VANISHED_CATEGORY,
}
"""Causes whose rows say nothing of how much they matter: they do no harm, or the test has judged them."""
ORDERED = {"int", "float", "bool", "datetime"}


class Rules(NamedTuple):
    """When a feature alarms.

    Attributes:
        alpha: chance of any false alarm over all features.
        correction: ``holm`` or ``bh``.
        floor: what the effect, or a cause's share of the rows, must reach to be material.
    """

    alpha: float = ALPHA
    correction: str = "holm"
    floor: float = FLOOR


class Tested(NamedTuple):
    """One feature's comparison before the others are known.

    Attributes:
        difference: of contents and of types together. content: of contents alone.
        measure: ``ks``, ``tv`` or ``auc``.
    """

    difference: Difference
    content: Difference
    measure: str


def drift(
    reference: FeatureProfile,
    current: FeatureProfile,
    rules: Rules = Rules(),  # noqa: B008  a frozen value
    inflation: Mapping[str, float] | None = None,
    separations: Mapping[str, Difference] | None = None,
) -> tuple[FeatureDrift, ...]:
    """Hold two profiles against each other.

    Args:
        reference: of the approved sample.
        current: of today's, built with ``edges_from=reference``.
        rules: when a feature alarms.
        inflation: by feature, how much dependence between rows widens errors; 1 where it is not named.
        separations: by feature, how well a classifier tells the rows of both samples apart, where one was asked.
    Returns:
        One result per feature of either, in the reference's order; new ones come last.
    """
    widened = inflation or {}
    both = (name for name in reference.columns if name in current.columns)
    pairs = {name: Pair(reference.columns[name], current.columns[name]) for name in both}
    told_apart = separations or {}
    tested = {name: compared(pair, widened.get(name, 1.0), told_apart.get(name)) for name, pair in pairs.items()}
    judged = {name: one for name, one in tested.items() if one is not None}
    adjusted = adjust({name: one.difference.p_value for name, one in judged.items()}, rules)
    seen: dict[str, list[Finding]] = {}
    for finding in causes(reference, current):
        seen.setdefault(finding.where, []).append(finding)
    found = []
    for name in [*reference.columns, *(name for name in current.columns if name not in reference.columns)]:
        whys = [cause_of(finding) for finding in seen.get(name, ())]
        if name in judged:
            moved = TESTS * len(judged) * judged[name].content.p_value <= rules.alpha
            found.append(told(pairs[name], judged[name], adjusted[name], whys, rules, moved=moved))
        else:
            column = reference.columns.get(name) or current.columns[name]
            found.append(untested(column, whys, rules))
    return tuple(found)


def adjust(p_values: Mapping[str, float], rules: Rules) -> dict[str, float]:
    """P-values over all features."""
    found = CORRECTIONS[rules.correction](list(p_values.values()))
    return dict(zip(p_values, found.tolist(), strict=True))


def cause_of(finding: Finding) -> Cause:
    """A finding as a cause; a column that is text throughout has changed its type."""
    kind = CAUSE_OF[finding.kind]
    if kind is CauseKind.STRINGS_IN_NUMBERS and finding.share == 1.0:
        kind = CauseKind.TYPE_CHANGED
    example = finding.examples[0] if finding.examples else None
    return Cause(cause=kind, what=finding.what, share=finding.share, example=example)


def compared(pair: Pair, inflation: float, separation: Difference | None = None) -> Tested | None:
    """The test of a pair; None where a side is empty or nothing can be compared.

    A classifier that tells the rows of both apart, where there is one, says how large the effect is.
    """
    before, now = pair
    if not (before.rows and now.rows):
        return None
    measure, tails = "tv", None
    if separation is not None:
        margins = together(embeddings_compared(pair, inflation), presence(pair, inflation))
        both = together(margins, separation)
        return Tested(both._replace(effect=separation.effect, low=separation.low), both, "auc")
    if before.form in ORDERED:
        measure, tails = "ks", tails_compared(pair, inflation)
        content = numbers_compared(pair, inflation)
    elif before.form == "embedding":
        measure, content = "ks", embeddings_compared(pair, inflation)
    elif before.form == "text":
        content = texts_compared(pair, inflation)
    elif before.form == "mixed":
        content = together(numbers_compared(pair, inflation), texts_compared(pair, inflation))
    else:
        content = NOTHING
    return Tested(together(content, presence(pair, inflation), tails), content, measure)


def numbers_compared(pair: Pair, inflation: float) -> Difference:
    """Numbers between the reference's edges."""
    return ordered_counts(*(one.numbers.bins.counts for one in pair), inflation=inflation)


def embeddings_compared(pair: Pair, inflation: float) -> Difference:
    """Where vectors lie along each direction, and their norms: one test over all of them."""
    sides = [one.vectors.parts if one.vectors else () for one in pair]
    tests = [
        ordered_counts(before.bins.counts, now.bins.counts, inflation=inflation)
        for before, now in zip(*sides, strict=False)
        if before.finite and now.finite
    ]
    return together(*tests) if tests else NOTHING


def texts_compared(pair: Pair, inflation: float) -> Difference:
    """The levels that the reference knows, all others pooled."""
    return levels(*level_counts(pair), rest=[one.texts.categories.tail_rows for one in pair], inflation=inflation)


def level_counts(pair: Pair) -> list[list[int]]:
    """Of both samples, rows with each level that the reference knows."""
    before, now = (one.texts.categories.known for one in pair)
    return [list(before.values()), [now.get(name, 0) for name in before]]


def presence(pair: Pair, inflation: float) -> Difference | None:
    """Whether cells are there, and of which type; None where both samples hold one type alone."""
    sides = [kinds_of(one) for one in pair]
    names = sorted(sides[0].keys() | sides[1].keys())
    if len(names) < 2:  # noqa: PLR2004  one type everywhere
        return None
    return levels(*([side.get(name, 0) for name in names] for side in sides), inflation=inflation)


def kinds_of(column: ColumnProfile) -> dict[str, int]:
    """Cells by type; NaN counts as null, an integer in a float column is a float."""
    kinds = {name: count for name, count in column.types.items() if name != "null"}
    if "float" in kinds and "int" in kinds:
        kinds["float"] += kinds.pop("int")
    if "float" in kinds:
        kinds["float"] -= column.numbers.nan + column.numbers.infinite
    return {**kinds, "null": column.missing, "infinite": column.numbers.infinite}


def tails_compared(pair: Pair, inflation: float) -> Difference | None:
    """Whether more values than chance brings lie beyond the reference's smallest and largest; None without a range.

    It has no effect of its own.
    """
    before, now = (one.numbers for one in pair)
    if not (before.finite and now.finite and before.bins.edges):
        return None
    sizes = before.finite, now.finite
    ends = [(before.bins.counts[end], now.bins.counts[end]) for end in (0, -1)]
    return NOTHING._replace(p_value=min(1.0, 2 * min(beyond(had, int(has / inflation), sizes) for had, has in ends)))


def together(*tests: Difference | None) -> Difference:
    """The tests that there are as one: Bonferroni over them, and the larger effect."""
    p_values, effects, lows = zip(*(one for one in tests if one is not None), strict=True)
    return Difference(min(1.0, len(p_values) * min(p_values)), max(effects), max(lows))


def told(
    pair: Pair, tested: Tested, p_adjusted: float, whys: list[Cause], rules: Rules, *, moved: bool
) -> FeatureDrift:
    """One feature's result; ``moved`` says that its content alone differs beyond chance."""
    difference, rejected = tested.difference, p_adjusted <= rules.alpha
    if pair.reference.form == "nested" and not (rejected or whys):
        return untested(pair.reference, whys, rules)
    if rejected:
        whys = [*whys, *content_causes(pair, whys, moved=moved)]
    return FeatureDrift(
        name=pair.current.name,
        kind=pair.reference.form,
        verdict=verdict_of(rejected and difference.low >= rules.floor, rejected, whys, rules),
        p_value=difference.p_value,
        p_adjusted=p_adjusted,
        effect=Estimate(
            value=difference.effect, low=difference.low, high=None, unit="ratio", n=min(pair[0].rows, pair[1].rows)
        ),
        measure=tested.measure,
        others=distances(pair),
        causes=tuple(whys),
        cells=cells_of(pair),
    )


def untested(column: ColumnProfile, whys: list[Cause], rules: Rules) -> FeatureDrift:
    """A column that only one of the two has, or whose cells cannot be compared."""
    verdict = verdict_of(False, False, whys, rules) if whys else Drifted.NOT_MEASURED
    return FeatureDrift(
        name=column.name,
        kind=column.form,
        verdict=verdict,
        p_value=None,
        p_adjusted=None,
        effect=None,
        measure=None,
        others={},
        causes=tuple(whys),
    )


def verdict_of(large: bool, rejected: bool, whys: list[Cause], rules: Rules) -> Drifted:
    """Material where the effect is surely large, or where a cause breaks models or meets more rows than the floor."""
    for why in whys:
        wide = why.cause not in UNCOUNTED and (why.share or 0.0) >= rules.floor
        large = large or wide or why.cause in BREAKING
    if large:
        return Drifted.MATERIAL
    return Drifted.IMMATERIAL if rejected or whys else Drifted.NONE


def distances(pair: Pair) -> dict[str, float]:
    """Further distances, for those used to them."""
    before, now = pair
    if before.form in ORDERED and before.numbers.finite and now.numbers.finite:
        counts = np.array([before.numbers.bins.counts, now.numbers.bins.counts], np.float64)
        found = {"psi": population_stability_index(*coarse(counts)), "jensen_shannon": jensen_shannon(*counts)}
        spread = before.numbers.std
        if spread and np.isfinite(spread):
            found["wasserstein"] = wasserstein(counts[0], counts[1], before.numbers.bins.values()) / spread
        return found
    if before.form == "text" and now.texts.rows:
        sides = [
            [*counts, one.texts.categories.tail_rows] for counts, one in zip(level_counts(pair), pair, strict=True)
        ]
        return {"psi": population_stability_index(*sides), "jensen_shannon": jensen_shannon(*sides)}
    return {}


DECILES = 10


def coarse(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bins, shape (2, bins), put together to about ten with equal shares of the reference, as PSI is used."""
    before = np.cumsum(counts[0])
    group = np.minimum((before - counts[0] / 2) * DECILES // max(before[-1], 1), DECILES - 1).astype(int)
    return np.array([np.bincount(group, weights=side, minlength=DECILES) for side in counts])
