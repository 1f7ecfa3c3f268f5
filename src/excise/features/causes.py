"""Why features are fat: what differs in form between the reference and today, named and with its share.

A rule looks at one column in both profiles and yields findings. What a reference cannot hold by its type (text in a
column of numbers) is reported from the first cell on; what it may hold by chance is reported when it rose by more
than chance and by more than a floor.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from excise.core.audit import Finding
from excise.features.magnitudes import CELLS_PER_DECADE
from excise.features.profile import ColumnProfile, FeatureProfile
from excise.features.texts import NUMERIC_FORMS, PADDED, Texts, form_of

Z_RISE = 4.0  # one false finding in 30,000 comparisons
FLOOR = 0.01  # a rise that nobody would act upon
FINE_FLOOR = 0.05
FEWEST = 20
MOST_DECIMALS = 6  # a reference with more has no habit that could be broken
CROWDED = 10  # rows per category, from which a column counts as categorical
UNIT_SHARE = 0.005
UNIT_MATCH = 0.35  # total variation, in eighths of a decade, that sampling and rounding may cause
UNIT_RATIOS = (1000.0, 100.0, 1e6, 60.0, 3600.0)
PERCENT = 100.0
NUMERIC = {"int", "float"}


class Pair(NamedTuple):
    """One column, then and now."""

    reference: ColumnProfile
    current: ColumnProfile

    def finding(self, kind: str, count: float, what: str, examples: tuple[str, ...] = ()) -> Finding:
        """A finding about ``count`` of the current rows."""
        return Finding(
            kind=kind, where=self.current.name, what=what, examples=examples, share=count / self.current.rows
        )

    def rose(self, before: int, after: int, floor: float = FLOOR) -> bool:
        """Whether a count rose by more than chance and by more than a share of ``floor``."""
        rows_before, rows_after = self.reference.rows, self.current.rows
        rise = after / rows_after - before / rows_before
        pooled = (before + after) / (rows_before + rows_after)
        error = math.sqrt(pooled * (1 - pooled) * (1 / rows_before + 1 / rows_after))
        return rise > max(floor, Z_RISE * error)


Rule = Callable[[Pair], Iterator[Finding]]


def percent(share: float) -> str:
    """A share for people.

    >>> percent(1.0), percent(0.034), percent(0.00002)
    ('100 %', '3.4 %', '< 0.1 %')
    """
    if 0 < share < 1 / 1000:
        return "< 0.1 %"
    return f"{share * PERCENT:.3g} %"


def causes(reference: FeatureProfile, current: FeatureProfile) -> list[Finding]:
    """What differs in form between two profiles, the widest first.

    Args:
        reference: of the approved sample.
        current: of what comes in today; best built with ``edges_from=reference``.
    """
    found = list(columns_changed(reference, current))
    for name, column in current.columns.items():
        if name in reference.columns and column.rows and reference.columns[name].rows:
            found += column_causes(Pair(reference.columns[name], column))
    return sorted(found, key=lambda finding: -(finding.share or 0.0))


def columns_changed(reference: FeatureProfile, current: FeatureProfile) -> Iterator[Finding]:
    """Columns that are gone, and columns that came."""
    for name in reference.columns.keys() - current.columns.keys():
        yield Finding(kind="column_missing", where=name, what="the column is missing", share=1.0)
    for name in current.columns.keys() - reference.columns.keys():
        yield Finding(kind="column_extra", where=name, what="the reference has no such column", share=None)


def column_causes(pair: Pair) -> list[Finding]:
    """All findings of one column; where everything is null, that is the one."""
    if pair.current.missing == pair.current.rows:
        if pair.reference.missing == pair.reference.rows:
            return []
        return [pair.finding("all_null", pair.current.rows, "null")]
    return [finding for rule in RULES for finding in rule(pair)]


def nulls_rose(pair: Pair) -> Iterator[Finding]:
    """More nulls or NaN than the reference had."""
    before, after = pair.reference.missing, pair.current.missing
    if pair.rose(before, after):
        was = percent(before / pair.reference.rows)
        yield pair.finding("nulls_rose", after, f"nulls (reference {was})")


FORMS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("number_as_text", ("number", "code"), "numbers as text"),
    ("blank_padded_number", tuple(form + PADDED for form in NUMERIC_FORMS), "numbers as text with blanks"),
    ("thousands_separator", ("thousands",), "numbers as text with thousands separators"),
    ("decimal_comma", ("decimal_comma",), "numbers as text with a decimal comma"),
    ("percent_sign", ("percent",), "numbers as text with a percent sign"),
    ("null_word", ("null_word", "null_word" + PADDED, "blank", "blank" + PADDED), "a word for null as text"),
)


def numbers_as_text(pair: Pair) -> Iterator[Finding]:
    """Text in a column of numbers, by what the text says."""
    if pair.reference.form not in NUMERIC:
        return
    texts, explained = pair.current.texts, 0
    for kind, forms, what in settled(texts):
        count = sum(texts.forms.get(form, 0) for form in forms)
        before = sum(pair.reference.texts.forms.get(form, 0) for form in forms)
        explained += count
        if count and (before == 0 or pair.rose(before, count)):
            if kind == "null_word" and before:
                yield words_rose(pair, before, count, texts.shown(*forms))
            else:
                yield pair.finding(kind, count, what, texts.shown(*forms))
    other = texts.rows - explained
    if other:
        yield pair.finding("mixed_types", other, "text among numbers", other_texts(pair.current))


def settled(texts: Texts) -> tuple[tuple[str, tuple[str, ...], str], ...]:
    """The forms to tell apart; where some cells say ``3,5``, a cell that says ``1,234`` has a decimal comma too."""
    if not texts.count("decimal_comma"):
        return FORMS
    merged = {"thousands_separator": (), "decimal_comma": ("decimal_comma", "thousands")}
    return tuple((kind, merged.get(kind, forms), what) for kind, forms, what in FORMS)


def words_rose(pair: Pair, before: int, after: int, shown: tuple[str, ...]) -> Finding:
    """More nulls, where the reference too writes them as words."""
    was = percent(before / pair.reference.rows)
    return pair.finding("nulls_rose", after, f"nulls written as text (reference {was})", shown)


def other_texts(column: ColumnProfile) -> tuple[str, ...]:
    """Up to three texts that say no number and no null."""
    known = {form for _, forms, _ in FORMS for form in forms}
    texts = sorted(column.texts.categories.counts(), key=lambda text: (len(text), text))
    return tuple(text for text in texts if form_of(text) not in known)[:3]


def truths_and_times_as_text(pair: Pair) -> Iterator[Finding]:
    """Text in a column of booleans or of times."""
    known = {
        "bool": ("truth", "bool_as_text", "true and false as words"),
        "datetime": ("date", "date_as_text", "times as text"),
    }
    if pair.reference.form not in known or not pair.current.texts.rows:
        return
    form, kind, what = known[pair.reference.form]
    texts = pair.current.texts
    said = texts.count(form)
    if said:
        yield pair.finding(kind, said, what, texts.shown(form, form + PADDED))
    if texts.rows > said:
        yield pair.finding(
            "mixed_types", texts.rows - said, f"text in a {pair.reference.form} column", other_texts(pair.current)
        )


def numbers_among_others(pair: Pair) -> Iterator[Finding]:
    """Numbers where the reference has text, booleans or times."""
    count = pair.current.count("int", "float") - pair.current.numbers.nan
    if pair.reference.form in {"text", "bool", "datetime"} and count > 0:
        kind = "text_as_number" if pair.reference.form == "text" else "mixed_types"
        yield pair.finding(kind, count, f"numbers where the reference has {pair.reference.form}")


def nested_appeared(pair: Pair) -> Iterator[Finding]:
    """Lists or objects where the reference has plain values."""
    count = pair.current.count("nested")
    if count and not pair.reference.count("nested"):
        yield pair.finding("mixed_types", count, f"lists or objects where the reference has {pair.reference.form}")


def vectors_changed(pair: Pair) -> Iterator[Finding]:
    """Vectors of another length, with NaN or infinity, or of nothing but zeros; and anything else among vectors."""
    before, now = pair.reference.vectors, pair.current.vectors
    if before is None or now is None or before.length is None or not pair.reference.count("embedding"):
        return
    others = {length: count for length, count in now.lengths.items() if length not in before.lengths}
    if others:
        found = ", ".join(str(length) for length in sorted(others)[:3])
        what = f"vectors of {found} numbers where the reference has {before.length}"
        yield pair.finding("vector_length", sum(others.values()), what)
    if pair.rose(before.broken, now.broken):
        yield pair.finding("vector_broken", now.broken, "vectors with NaN or infinity")
    if pair.rose(before.zeros, now.zeros):
        yield pair.finding("vector_zeros", now.zeros, "vectors of nothing but zeros")
    strange = pair.current.count("nested", "int", "float", "bool", "text", "datetime")
    if strange and pair.reference.form == "embedding":
        yield pair.finding("mixed_types", strange, "other values than vectors")


def integers_as_floats(pair: Pair) -> Iterator[Finding]:
    """Floats where the reference has integers: by type alone, or with decimals."""
    floats = pair.current.count("float") - pair.current.numbers.nan
    if pair.reference.form != "int" or pair.reference.count("float") or floats <= 0:
        return
    numbers = pair.current.numbers
    if numbers.non_integers:
        yield pair.finding(
            "non_integer", numbers.non_integers, "decimals where the reference has integers", shown_finest(pair)
        )
    else:
        yield pair.finding("int_as_float", floats, "integers as floats")


def shown_finest(pair: Pair) -> tuple[str, ...]:
    """Values with the most decimals."""
    return tuple(repr(value) for value in pair.current.numbers.finest)


def excess_precision(pair: Pair) -> Iterator[Finding]:
    """More decimals than the reference ever used."""
    used = pair.reference.numbers.most_decimals
    if pair.reference.form != "float" or used > MOST_DECIMALS or not pair.reference.numbers.finite:
        return
    finer = pair.current.numbers.finer_than(used)
    if finer >= FEWEST and pair.rose(0, finer, FINE_FLOOR):
        yield pair.finding("excess_precision", finer, f"more than {used} decimals", shown_finest(pair))


def infinities(pair: Pair) -> Iterator[Finding]:
    """Infinity where the reference has none."""
    count = pair.current.numbers.infinite
    if count and not pair.reference.numbers.infinite:
        signs = (("inf", pair.current.numbers.positive_inf), ("-inf", pair.current.numbers.negative_inf))
        yield pair.finding("inf_appeared", count, "infinity", tuple(sign for sign, n in signs if n))


def text_forms(pair: Pair) -> Iterator[Finding]:
    """Blanks around texts, and words for null, that the reference did not have."""
    if pair.reference.form != "text":
        return
    before, after = pair.reference.texts, pair.current.texts
    if pair.rose(before.padded, after.padded, 0.0):
        padded = tuple(form for form in after.forms if form.endswith(PADDED))
        yield pair.finding("text_padded", after.padded, "surrounding blanks", padded_texts(pair.current, padded))
    had, words = before.count("null_word", "blank"), after.count("null_word", "blank")
    if pair.rose(had, words):
        shown = after.shown("null_word", "blank")
        rise = pair.finding("null_word", words, "a word for null as text", shown)
        yield words_rose(pair, had, words, shown) if had else rise


def padded_texts(column: ColumnProfile, forms: tuple[str, ...]) -> tuple[str, ...]:
    """Up to three texts with blanks around them."""
    return column.texts.shown(*forms) or tuple(t for t in column.texts.categories.counts() if t != t.strip())[:3]


def new_texts(pair: Pair) -> Iterator[Finding]:
    """Texts that the reference does not know: known ones in another case, or new ones."""
    known, seen = pair.reference.texts.categories, pair.current.texts.categories
    if pair.reference.form != "text" or not known.complete:
        return
    spelled = known.counts()
    folded = {text.casefold() for text in spelled}
    unseen = {t: n for t, n in seen.counts().items() if t not in spelled and t.strip() not in spelled}
    variants = {text: count for text, count in unseen.items() if text.strip().casefold() in folded}
    if pair.rose(0, sum(variants.values()), 0.0):
        yield pair.finding("case_variant", sum(variants.values()), "another spelling by case", commonest(variants))
    new = {text: count for text, count in unseen.items() if text not in variants and not says_null(text)}
    if len(spelled) * CROWDED <= pair.reference.texts.rows and beyond_chance(pair, spelled, sum(new.values())):
        yield pair.finding("new_category", sum(new.values()), "values that the reference does not know", commonest(new))


def says_null(text: str) -> bool:
    """Whether a text is a word for null."""
    return form_of(text).removesuffix(PADDED) in {"null_word", "blank"}


def beyond_chance(pair: Pair, spelled: dict[str, int], new: int) -> bool:
    """Whether more rows are new than a sample of this size would leave unseen.

    The number of singles is itself a sample's, and an unseen value comes more than once: both widen the error.

    Source: Good 1953: the unseen mass is about the share of values that were seen once.
    """
    once = sum(1 for count in spelled.values() if count == 1)
    ratio = pair.current.rows / pair.reference.rows
    expected = (once + 1) * ratio
    return new > expected + Z_RISE * math.sqrt(expected * (2 + ratio)) + 1


def commonest(counts: dict[str, int]) -> tuple[str, ...]:
    """The three texts that stand in most rows."""
    return tuple(sorted(counts, key=lambda text: (-counts[text], text))[:3])


def unit_changed(pair: Pair) -> Iterator[Finding]:
    """Values out of the reference's range that fit it once they are divided by a usual ratio of units."""
    if pair.reference.form not in NUMERIC or pair.current.numbers.finite < FEWEST:
        return
    before, after = pair.reference.numbers.magnitudes, pair.current.numbers.magnitudes
    if not before or not after:
        return
    low, high = min(before), max(before)
    for sign in (1, -1):
        outside = {cell: n for cell, n in after.items() if (cell > high if sign > 0 else cell < low)}
        count = sum(outside.values())
        if count < max(FEWEST, UNIT_SHARE * pair.current.rows):
            continue
        ratio = matching_ratio(before, outside, sign)
        if ratio is not None:
            yield pair.finding("unit_changed", count, f"values {ratio} the reference's", extreme(pair, sign))


def matching_ratio(before: dict[int, int], outside: dict[int, int], sign: int) -> str | None:
    """The ratio under which the outside values have the reference's distribution, None without one.

    Only values that the ratio carries out of the range can be outside, so the reference is cut the same way.
    """
    best: tuple[float, float] | None = None
    for ratio in UNIT_RATIOS:
        shift = sign * round(CELLS_PER_DECADE * math.log10(ratio))
        cut = {
            c + shift: n
            for c, n in before.items()
            if (c + shift > max(before) if sign > 0 else c + shift < min(before))
        }
        if sum(cut.values()) < sum(before.values()) / 2:
            continue
        distance = smoothed_distance(cut, outside)
        if distance < UNIT_MATCH and (best is None or distance < best[0]):
            best = (distance, ratio)
    if best is None:
        return None
    return f"{best[1]:g} times" if sign > 0 else f"1/{best[1]:g} of"


def smoothed_distance(first: dict[int, int], second: dict[int, int]) -> float:
    """Total variation between two histograms, each blurred by one cell."""
    blurred = []
    for counts in (first, second):
        total = sum(counts.values())
        cells: dict[int, float] = {}
        for cell, count in counts.items():
            for near, weight in ((cell - 1, 0.25), (cell, 0.5), (cell + 1, 0.25)):
                cells[near] = cells.get(near, 0.0) + weight * count / total
        blurred.append(cells)
    mine, theirs = blurred
    return sum(abs(mine.get(cell, 0.0) - theirs.get(cell, 0.0)) for cell in mine.keys() | theirs.keys()) / 2


def extreme(pair: Pair, sign: int) -> tuple[str, ...]:
    """The largest value, where values grew."""
    numbers = pair.current.numbers
    candidates = [value for value in (numbers.minimum, numbers.maximum) if value is not None]
    return (f"{max(candidates, key=abs):g}",) if sign > 0 else ()


def wide_floats(pair: Pair) -> Iterator[Finding]:
    """Advice only: float64 where the reference is float32."""
    if pair.reference.dtype in {"float32", "float16"} and pair.current.dtype == "float64":
        yield pair.finding(
            "float64_for_float32",
            pair.current.dtypes["float64"],
            f"float64 where the reference is {pair.reference.dtype}",
        )


RULES: tuple[Rule, ...] = (
    numbers_as_text,
    truths_and_times_as_text,
    numbers_among_others,
    nested_appeared,
    vectors_changed,
    nulls_rose,
    infinities,
    integers_as_floats,
    excess_precision,
    text_forms,
    new_texts,
    unit_changed,
    wide_floats,
)
