"""Profiles add up: in any order, to the same bits; and what they say is true of the values."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from fractions import Fraction

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from excise.core.errors import DataError, NotComparable
from excise.features import FeatureProfile
from excise.features.exact import ExactSum
from excise.features.numbers import Numbers
from excise.features.scan import digits_of
from excise.features.texts import TAIL, form_of
from excise.tables import read

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
CELLS = st.one_of(
    st.none(), FLOATS, st.integers(), st.booleans(), st.text(max_size=4), st.sampled_from([" 7 ", "NA", "A", "a "])
)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=40))
def test_sums_are_exact(values):
    total = ExactSum.of(np.array(values, float))
    assert total.fraction() == sum(map(Fraction, values), Fraction(0))
    shuffled = random.Random(0).sample(values, len(values))
    halves = ExactSum.of(np.array(shuffled[::2], float)) + ExactSum.of(np.array(shuffled[1::2], float))
    assert halves == total


@settings(max_examples=60)
@given(st.lists(CELLS, min_size=3, max_size=30), st.lists(CELLS, min_size=1, max_size=10), st.data())
def test_merging_is_addition_in_any_order(cells, reference, data):
    edges = FeatureProfile.build(read([{"a": cell} for cell in reference]))
    cut = sorted(data.draw(st.lists(st.integers(1, len(cells) - 1), min_size=2, max_size=2, unique=True)))
    parts = [cells[: cut[0]], cells[cut[0] : cut[1]], cells[cut[1] :]]
    first, second, third = (
        FeatureProfile.build(read([{"a": cell} for cell in part]), edges_from=edges) for part in parts
    )
    left = first.merge(second).merge(third).columns["a"]
    right = third.merge(first.merge(second)).columns["a"]
    assert msgspec.msgpack.encode(left) == msgspec.msgpack.encode(right)
    whole = FeatureProfile.build(read([{"a": cell} for cell in cells]), edges_from=edges).columns["a"]
    assert (whole.rows, whole.missing) == (left.rows, left.missing)
    assert whole.texts == left.texts
    if whole.types == left.types:  # integers among floats are floats in one table, integers in another
        assert whole.numbers == left.numbers


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
def test_moments_are_those_of_the_values(values):
    numbers = FeatureProfile.build(read({"a": np.array(values)})).columns["a"].numbers
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    # Each value is rounded to 2**-46 of how far the values reach.
    assert numbers.mean == pytest.approx(float(mean), rel=1e-12, abs=1e-9 + 1e-13 * (max(values) - min(values)))
    assert numbers.m2 == pytest.approx(float(sum((value - mean) ** 2 for value in exact)), rel=1e-9, abs=1e-9)


def test_variance_far_from_zero_keeps_its_digits():
    values = 1.7e9 + np.random.default_rng(0).normal(0, 1, 10_000)
    numbers = FeatureProfile.build(read({"a": values})).columns["a"].numbers
    assert numbers.std == pytest.approx(values.std(ddof=1), rel=1e-9)


def test_bins_are_equiprobable_and_an_atom_has_its_own():
    generator = np.random.default_rng(0)
    values = np.where(generator.random(50_000) < 0.4, 0.0, generator.normal(5, 1, 50_000))
    bins = Numbers.of(values, None).bins
    edges = bins.values()
    assert len(edges) <= 256
    assert np.all(np.diff(edges) > 0)
    assert sum(bins.counts) == values.size
    assert max(bins.counts) == (values == 0).sum()
    assert sorted(bins.counts)[-2] < 3 * values.size / 256


@given(st.integers(-(10**9), 10**9), st.integers(0, 6))
def test_decimals_are_those_of_the_shortest_writing(digits, places):
    value = digits / 10**places
    text = f"{value:.{places}f}".rstrip("0").partition(".")[2]
    assert digits_of(np.array([value]))[0][len(text)] == 1


def test_heavy_tails_of_texts_stay_exact_and_bounded():
    generator = np.random.default_rng(1)
    texts = [f"id-{number}" for number in generator.integers(0, 3000, 20_000)]
    edges = FeatureProfile.build(read({"a": texts[:500]}))
    parts = [FeatureProfile.build(read({"a": texts[i::4]}), edges_from=edges) for i in range(4)]
    merged = parts[2].merge(parts[0]).merge(parts[3]).merge(parts[1]).columns["a"].texts.categories
    truth = Counter(texts)
    assert merged == FeatureProfile.build(read({"a": texts}), edges_from=edges).columns["a"].texts.categories
    assert len(merged.tail) == TAIL
    assert merged.dropped
    assert all(truth[text] == count for text, count in merged.counts().items())


def test_types_are_what_the_values_are():
    column = FeatureProfile.build(read([{"a": cell} for cell in (1, 2.5, "x", " 7 ", None, True)])).columns["a"]
    assert column.types == {"bool": 1, "float": 1, "int": 1, "null": 1, "text": 2}
    assert column.texts.forms == {"number_padded": 1, "text": 1}
    assert column.form == "mixed"
    assert form_of("\t") == "blank_padded"


def test_the_state_is_small_for_fifty_features():
    generator = np.random.default_rng(0)
    columns = {f"n{i}": generator.normal(size=20_000) for i in range(40)}
    columns |= {f"c{i}": [f"level-{n}" for n in generator.integers(0, 200, 20_000)] for i in range(10)}
    assert len(FeatureProfile.build(read(columns)).encode()) <= 150_000


@given(st.lists(CELLS, min_size=1, max_size=10))
def test_encoding_round_trips(cells):
    profile = FeatureProfile.build(read([{"a": cell} for cell in cells]))
    assert FeatureProfile.decode(profile.encode()) == profile


def test_a_changed_byte_and_another_version_are_refused():
    data = bytearray(FeatureProfile.build(read({"a": [1, 2]})).encode())
    data[-3] ^= 1
    with pytest.raises(DataError, match="changed"):
        FeatureProfile.decode(bytes(data))
    with pytest.raises(DataError, match="version"):
        FeatureProfile.decode(b"excise/feature-profile/v0\n")


def test_profiles_with_other_edges_or_columns_do_not_merge():
    first = FeatureProfile.build(read({"a": [1.0, 2.0]}))
    with pytest.raises(NotComparable, match=r"edges|centers"):
        first.merge(FeatureProfile.build(read({"a": [10.0, 20.0]})))
    with pytest.raises(NotComparable, match="columns: a, b"):
        first.merge(FeatureProfile.build(read({"b": [1.0]})))


def test_three_frame_libraries_give_one_profile():
    rows = {"x": [1.5, None, 3.25], "s": ["a", "b ", None], "i": [1, 2, 3]}
    tables = [read(frame) for frame in (pd.DataFrame(rows), pl.DataFrame(rows), pa.table(rows))]
    profiles = [FeatureProfile.build(table) for table in tables]
    for name in rows:
        numbers = {json.dumps(str(profile.columns[name].numbers)) for profile in profiles}
        assert len(numbers) == 1
        assert profiles[0].columns[name].texts == profiles[1].columns[name].texts == profiles[2].columns[name].texts


@pytest.mark.parametrize("value", [5e-324, 1.7976931348623157e308, -0.0, math.inf, math.nan])
def test_extreme_floats_do_no_harm(value):
    profile = FeatureProfile.build(read({"a": np.array([value, 1.0])}))
    assert FeatureProfile.decode(profile.encode()).columns["a"].rows == 2
