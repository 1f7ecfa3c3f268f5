"""Twelve and more fat features, each named with its cause; clean data, real and made, stays silent."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from excise.features import FeatureProfile, causes
from excise.tables import read

ROWS = 5000
GENERATOR = np.random.default_rng(7)
COUNTS = GENERATOR.integers(0, 500, ROWS)
PRICES = np.round(GENERATOR.gamma(2.0, 20.0, ROWS) + 1, 2)
LEVELS = GENERATOR.choice(["A", "B", "C"], ROWS)
FLAGS = GENERATOR.random(ROWS) < 0.3
SOME = np.arange(ROWS) % 50 == 0


def found(reference, current):
    profile = FeatureProfile.build(read({"x": reference}))
    return causes(profile, FeatureProfile.build(read({"x": current}), edges_from=profile))


def mixed(base, replaced):
    return [other if some else value for value, other, some in zip(list(base), replaced, SOME.tolist(), strict=True)]


FAT = {
    "blank_padded_number": (COUNTS, [f" {n} " for n in COUNTS], 1.0),
    "number_as_text": (PRICES, mixed(PRICES.tolist(), [str(p) for p in PRICES]), 0.02),
    "mixed_types": (PRICES, mixed(PRICES.tolist(), ["broken"] * ROWS), 0.02),
    "nulls_rose": (PRICES, [None if i % 5 == 0 else p for i, p in enumerate(PRICES.tolist())], 0.2),
    "all_null": (PRICES, [None] * ROWS, 1.0),
    "int_as_float": (COUNTS, COUNTS.astype(float), 1.0),
    "non_integer": (COUNTS, COUNTS + GENERATOR.normal(0, 1e-7, ROWS), 1.0),
    "excess_precision": (PRICES, PRICES + GENERATOR.normal(0, 1e-5, ROWS), 1.0),
    "inf_appeared": (PRICES, np.where(np.arange(ROWS) % 200 == 0, np.inf, PRICES), 0.005),
    "text_padded": (LEVELS, [f"{level} " for level in LEVELS], 1.0),
    "case_variant": (LEVELS, mixed(LEVELS.tolist(), [level.lower() for level in LEVELS]), 0.02),
    "new_category": (LEVELS, mixed(LEVELS.tolist(), ["D"] * ROWS), 0.02),
    "unit_changed": (PRICES, np.where(np.arange(ROWS) % 33 == 0, PRICES * 1000, PRICES), 0.03),
    "date_as_text": (np.full(ROWS, np.datetime64("2013-01-01")), ["2013-01-01T10:00:00Z"] * ROWS, 1.0),
    "bool_as_text": (FLAGS, [str(flag) for flag in FLAGS], 1.0),
    "decimal_comma": (PRICES, [f"{p}".replace(".", ",") for p in PRICES + 0.001], 1.0),
    "thousands_separator": (COUNTS + 5000, [f"{n + 5000:,}" for n in COUNTS], 1.0),
    "percent_sign": (COUNTS / 500, [f"{n / 5} %" for n in COUNTS], 1.0),
    "null_word": ([None, *PRICES.tolist()[1:]], mixed(PRICES.tolist(), ["NA"] * ROWS), 0.02),
    "text_as_number": ([f"{n:05}" for n in COUNTS], COUNTS, 1.0),
}


@pytest.mark.parametrize("kind", FAT)
def test_each_fat_feature_is_named_with_its_share(kind):
    reference, current, share = FAT[kind]
    findings = found(reference, current)
    assert [finding.kind for finding in findings] == [kind]
    assert findings[0].share == pytest.approx(share, rel=0.25)
    assert findings[0].where == "x"
    assert len(findings[0].examples) <= 3
    assert "\n" not in findings[0].what


def test_a_whole_column_in_another_unit():
    (finding,) = found(PRICES, PRICES * 1000)
    assert (finding.kind, finding.share) == ("unit_changed", 1.0)
    assert "1000 times" in finding.what
    (finding,) = found(PRICES, PRICES / 1000)[-1:]
    assert "unit_changed" in {finding.kind for finding in found(PRICES * 1000, PRICES)}


def test_columns_that_come_and_go_and_wide_floats():
    reference = FeatureProfile.build(read(pa.table({"a": pa.array([0.5, 0.1], pa.float32()), "b": [1, 2]})))
    current = FeatureProfile.build(read(pa.table({"a": [0.5, 0.1], "c": [1, 2]})))
    kinds = {(finding.kind, finding.where) for finding in causes(reference, current)}
    assert {("column_missing", "b"), ("column_extra", "c"), ("float64_for_float32", "a")} <= kinds


CLEAN = {
    "counts": lambda generator: generator.poisson(3, ROWS),
    "prices": lambda generator: np.round(generator.lognormal(3, 1, ROWS), 2),
    "full precision": lambda generator: generator.normal(0, 1, ROWS),
    "heavy tail": lambda generator: generator.pareto(1.0, ROWS),
    "200 levels": lambda generator: [f"level {n}" for n in generator.integers(0, 200, ROWS)],
    "rare levels": lambda generator: [f"{n}" + "x" for n in generator.zipf(1.6, ROWS)],
    "nulls": lambda generator: [None if u < 0.05 else round(u, 3) for u in generator.random(ROWS)],
    "zero-inflated": lambda generator: np.where(generator.random(ROWS) < 0.8, 0.0, generator.exponential(1, ROWS)),
}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_data_stays_silent(name):
    for seed in range(6):
        reference, current = (CLEAN[name](np.random.default_rng((seed, side))) for side in (0, 1))
        assert found(reference, current) == []


def test_real_months_report_only_what_is_real(flights):
    months = flights.column("month").values
    january = FeatureProfile.build(flights.take(months == 1))
    for month in (4, 7):
        current = FeatureProfile.build(flights.take(months == month), edges_from=january)
        findings = causes(january, current)
        assert {finding.kind for finding in findings} <= {"nulls_rose", "new_category"}
        assert {finding.where for finding in findings if finding.kind == "new_category"} == {"dest"}
    assert {finding.kind for finding in findings} == {"nulls_rose", "new_category"}
    odd, even = (FeatureProfile.build(flights.take(np.flatnonzero(months == 1)[side::2])) for side in (0, 1))
    assert causes(odd, even) == []
