"""Verdicts: clean data stays silent, shifts are found, trivial ones are told apart, and every fat feature is named."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from excise.core.drift import CauseKind, Drifted
from excise.features import FeatureProfile
from excise.features.dependence import inflation
from excise.features.drift import Rules, drift
from excise.tables import read
from excise.tables.arrays import from_array

ROWS = 5000
GENERATOR = np.random.default_rng(7)
COUNTS = GENERATOR.integers(0, 500, ROWS)
PRICES = np.round(GENERATOR.gamma(2.0, 20.0, ROWS) + 1, 2)
LEVELS = GENERATOR.choice(["A", "B", "C"], ROWS)
SOME = np.arange(ROWS) % 50 == 0


def held(reference, current, **rules):
    profile = FeatureProfile.build(read(reference))
    return drift(profile, FeatureProfile.build(read(current), edges_from=profile), Rules(**rules))


def mixed(base, replaced):
    values = np.asarray(base).tolist()
    return [other if some else value for value, other, some in zip(values, replaced, SOME.tolist(), strict=True)]


FAT = {
    "integers as text with blanks": (COUNTS, [f" {n} " for n in COUNTS], CauseKind.BLANKS),
    "two in a hundred as text": (PRICES, mixed(PRICES, [str(p) for p in PRICES]), CauseKind.STRINGS_IN_NUMBERS),
    "a fifth null": (PRICES, [None if i % 5 == 0 else p for i, p in enumerate(PRICES.tolist())], CauseKind.NULLS),
    "all null": (PRICES, [None] * ROWS, CauseKind.ALL_NULL),
    "integers as floats": (COUNTS, COUNTS.astype(float), CauseKind.TYPE_CHANGED),
    "integers with jitter": (COUNTS, COUNTS + GENERATOR.normal(0, 1e-7, ROWS), CauseKind.NON_INTEGER),
    "full precision": (PRICES, PRICES + GENERATOR.normal(0, 1e-5, ROWS), CauseKind.PRECISION),
    "infinity": (PRICES, np.where(np.arange(ROWS) % 200 == 0, np.inf, PRICES), CauseKind.INFINITE),
    "levels with blanks": (LEVELS, [f"{level} " for level in LEVELS], CauseKind.BLANKS),
    "levels in another case": (LEVELS, mixed(LEVELS.tolist(), [x.lower() for x in LEVELS]), CauseKind.CASE_VARIANTS),
    "a new level": (LEVELS, mixed(LEVELS.tolist(), ["D"] * ROWS), CauseKind.NEW_CATEGORY),
    "all in another unit": (PRICES, PRICES * 1000, CauseKind.UNIT_CHANGE),
    "some in another unit": (
        PRICES, np.where(np.arange(ROWS) % 33 == 0, PRICES * 1000, PRICES), CauseKind.UNIT_CHANGE
    ),
    "numbers as text": (COUNTS, [str(n) for n in COUNTS], CauseKind.TYPE_CHANGED),
    "a level that is gone": (LEVELS, np.where(LEVELS == "C", "A", LEVELS), CauseKind.VANISHED_CATEGORY),
    "beyond the range": (PRICES, PRICES + np.where(SOME, 900.0, 0.0), CauseKind.RANGE),
    "another mean": (PRICES, PRICES * 1.2, CauseKind.DISTRIBUTION),
}  # fmt: skip


@pytest.mark.parametrize("case", FAT)
def test_every_fat_feature_is_named_with_its_cause(case):
    reference, current, cause = FAT[case]
    (feature,) = held({"x": reference}, {"x": current})
    assert cause in {one.cause for one in feature.causes}, feature.causes
    assert feature.verdict is Drifted.MATERIAL
    for one in feature.causes:
        assert one.share is None or 0 < one.share <= 1
        assert "\n" not in one.what


def test_columns_that_come_and_go():
    found = {one.name: one for one in held({"a": COUNTS, "b": COUNTS}, {"a": COUNTS, "c": COUNTS})}
    assert found["a"].verdict is Drifted.NONE
    assert (found["b"].verdict, found["b"].causes[0].cause) == (Drifted.MATERIAL, CauseKind.COLUMN_MISSING)
    assert (found["c"].verdict, found["c"].causes[0].cause) == (Drifted.IMMATERIAL, CauseKind.COLUMN_EXTRA)


def clean(seed, rows):
    random = np.random.default_rng(seed)
    levels = {width: random.integers(0, width, rows) for width in (2, 20, 200)}
    return {
        "normal": random.normal(size=rows),
        "ties": random.poisson(3, rows),
        "zeros": np.where(random.random(rows) < 0.8, 0.0, random.exponential(1, rows)),
        "nulls": np.where(random.random(rows) < 0.05, np.nan, random.normal(size=rows)),
        "flags": random.random(rows) < 0.3,
        "rare": [f"z{n}" for n in random.zipf(1.6, rows)],
        **{f"levels {width}": [f"l{n}" for n in codes] for width, codes in levels.items()},
    }


def test_a_clean_sample_alarms_in_five_of_a_hundred_at_most():
    runs = 80
    alarms = sum(
        any(one.verdict.alarms for one in held(clean((seed, 0), 1000), clean((seed, 1), 1000))) for seed in range(runs)
    )
    assert alarms <= stats.binom.ppf(0.999, runs, 0.05)


def test_a_tenth_of_a_sigma_is_found_among_fifty_features():
    random = np.random.default_rng(3)
    before, now = random.normal(size=(10_000, 50)), random.normal(size=(10_000, 50))
    now[:, :15] += 0.1
    found = held(before, now)
    assert sum(one.verdict.alarms for one in found[:15]) >= 14
    assert not any(one.verdict.alarms for one in found[15:])


def test_a_fiftieth_of_a_sigma_is_immaterial_however_many_rows_there_are():
    random = np.random.default_rng(4)
    found = held(random.normal(size=(100_000, 8)), random.normal(0.02, 1, size=(100_000, 8)))
    assert {one.verdict for one in found} <= {Drifted.NONE, Drifted.IMMATERIAL}
    assert any(one.verdict is Drifted.IMMATERIAL for one in found)


def test_the_floor_is_the_users():
    random = np.random.default_rng(5)
    samples = random.normal(size=(20_000, 1)), random.normal(0.1, 1, size=(20_000, 1))
    assert held(*samples)[0].verdict is Drifted.MATERIAL
    assert held(*samples, floor=0.2)[0].verdict is Drifted.IMMATERIAL


def test_nulls_do_not_hide_that_the_rest_moved():
    current = np.where(np.arange(ROWS) % 5 == 0, np.nan, PRICES * 1.5)
    (feature,) = held({"x": PRICES}, {"x": current})
    assert {one.cause for one in feature.causes} >= {CauseKind.NULLS, CauseKind.DISTRIBUTION}


def test_what_holds_nothing_is_not_measured_or_silent():
    (feature,) = held({"x": [None, None]}, {"x": [None, None]})
    assert feature.verdict is Drifted.NONE
    (feature,) = held({"x": [1.0]}, {"x": [1.0]})
    assert feature.verdict is Drifted.NONE


def test_nested_cells_and_times_have_a_verdict():
    times = np.datetime64("2013-01-01T00:00:00", "us") + np.arange(1000) * np.timedelta64(1, "h")
    reference = pa.table({"when": times, "lists": [[1, 2]] * 1000})
    current = pa.table({"when": times + np.timedelta64(90, "D"), "lists": [[1, 2]] * 1000})
    found = {one.name: one for one in held(reference, current)}
    assert found["when"].verdict is Drifted.MATERIAL
    assert found["lists"].verdict is Drifted.NOT_MEASURED


@pytest.mark.parametrize(
    ("reference", "current"),
    [([None] * ROWS, COUNTS), ([[1]] * ROWS, COUNTS), ([1, "a", None, 2.5] * (ROWS // 4), ["x"] * ROWS)],
)
def test_another_form_altogether_is_named(reference, current):
    (feature,) = held({"x": reference}, {"x": current})
    assert feature.causes[0].cause is CauseKind.TYPE_CHANGED
    assert feature.verdict is Drifted.MATERIAL


@pytest.mark.parametrize("value", [1e308, 5e-324, 2**63 + 5, np.inf])
def test_numbers_at_the_ends_of_the_range_are_held(value):
    assert held({"x": [value, -1.0] * 200}, {"x": [value, -1.0] * 200})[0].verdict is Drifted.NONE


def test_a_mixed_column_is_compared_part_by_part():
    (feature,) = held({"x": [1, "a", 2, "b"] * 500}, {"x": [1, "a", 2, "c"] * 500})
    assert feature.verdict.alarms


def test_a_memory_between_rows_is_seen_and_its_absence_too():
    random = np.random.default_rng(6)
    noise = random.normal(size=20_000)
    walk = np.empty_like(noise)
    walk[0] = noise[0]
    for index in range(1, len(noise)):
        walk[index] = 0.7 * walk[index - 1] + noise[index]
    assert 3.5 < inflation(from_array("x", walk)) < 6.5
    assert inflation(from_array("x", noise)) < 1.6


def test_cells_show_both_distributions():
    (feature,) = held({"x": COUNTS}, {"x": COUNTS + 100})
    assert sum(cell.reference for cell in feature.cells) == pytest.approx(1)
    assert sum(cell.current for cell in feature.cells) == pytest.approx(1)
    assert len(feature.cells) <= 14
    (levels,) = held({"x": LEVELS}, {"x": mixed(LEVELS.tolist(), ["D"] * ROWS)})
    assert {"A", "B", "C", "D"} == {cell.name for cell in levels.cells}
