"""Looking every day: no false alarms to speak of, real ones soon, and a state that can be kept."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from excise.core.errors import DataError, NotComparable, UsageError
from excise.features import FeatureProfile
from excise.features.stream import DriftStream
from excise.tables import read

LEVELS = np.array(["sea", "lake", "river", "pond"])


def rows(seed, count, shift=0.0, sea=0.4, missing=0.0):
    """Numbers, whole numbers with a heavy zero, and levels."""
    generator = np.random.default_rng(seed)
    numbers = np.where(generator.random(count) < missing, np.nan, generator.normal(shift, 1, count))
    levels = LEVELS[generator.choice(4, count, p=[sea, 0.9 - sea, 0.08, 0.02])]
    return {"length": numbers, "visits": generator.poisson(0.7, count), "water": levels.tolist()}


@cache
def reference():
    return FeatureProfile.build(read(rows(0, 20_000)))


def window(seed, count=1000, **changed):
    table = read(rows(seed, max(count, 1), **changed)).take(np.arange(count))
    return FeatureProfile.build(table, edges_from=reference())


def watched(stream, days, first_seed=1, **changed):
    """Look once a day; the alarms of each day."""
    return [stream.look(window(first_seed + day, **changed), f"day {day:02d}") for day in days]


def test_nothing_alarms_while_nothing_changes():
    stream = DriftStream.of(reference())
    assert watched(stream, range(90)) == [()] * 90
    assert stream.threshold == 3 * 90 / 0.05
    assert stream.evidence < stream.threshold


@pytest.mark.parametrize(
    ("changed", "feature", "words"),
    [
        ({"shift": 0.3}, "length", "more values above"),
        ({"shift": -0.3}, "length", "more values below"),
        ({"missing": 0.01}, "length", "more missing or of another type"),
        ({"sea": 0.5}, "water", "more of 'sea'"),
        ({"sea": 0.2}, "water", "more of others than 'sea'"),
    ],
)
def test_a_change_is_found_soon_and_told_in_words(changed, feature, words):
    stream = DriftStream.of(reference())
    assert watched(stream, range(20)) == [()] * 20
    (alarm,) = watched(stream, range(20, 26), **changed)[-1]
    assert alarm.feature == feature
    assert alarm.direction.startswith(words)
    assert alarm.evidence >= stream.threshold
    assert "day 15" <= alarm.since <= "day 20"


def test_a_column_that_is_gone_or_has_become_text_is_missing():
    stream = DriftStream.of(reference())
    table = rows(1, 1000)
    table["length"] = [f" {value} " for value in table["length"]]
    del table["visits"]
    found = stream.look(FeatureProfile.build(read(table), edges_from=reference()), "today")
    assert [alarm.feature for alarm in found] == ["length", "visits"]
    assert {alarm.direction for alarm in found} == {"more missing or of another type"}


def test_looking_twice_at_one_label_changes_nothing():
    stream = DriftStream.of(reference())
    alarms = watched(stream, range(3), shift=0.4)
    before = stream.encode()
    assert stream.look(window(99, shift=3.0), "day 01") == alarms[-1]
    assert stream.look(window(99, count=0), "day 77") == alarms[-1]
    assert stream.encode() == before


def test_a_stream_that_was_kept_goes_on_as_if_it_had_not_been():
    kept, other = DriftStream.of(reference()), DriftStream.of(reference())
    for day in range(6):
        kept = DriftStream.decode(kept.encode())
        assert watched(kept, [day], shift=0.2) == watched(other, [day], shift=0.2)
    assert kept == other
    assert len(kept.encode()) < 10_000


def test_a_changed_byte_and_another_version_are_refused():
    data = bytearray(DriftStream.of(reference()).encode())
    data[-3] ^= 1
    with pytest.raises(DataError, match="changed"):
        DriftStream.decode(bytes(data))
    with pytest.raises(DataError, match="version"):
        DriftStream.decode(reference().encode())


def test_a_window_with_its_own_edges_is_refused_and_leaves_no_trace():
    stream = DriftStream.of(reference())
    before = stream.encode()
    with pytest.raises(NotComparable, match="edges of length"):
        stream.look(FeatureProfile.build(read(rows(1, 1000))), "today")
    assert stream.encode() == before


def test_dependence_between_rows_needs_more_evidence():
    changed = {"shift": 0.3}
    plain, widened = DriftStream.of(reference()), DriftStream.of(reference(), inflation={"length": 4.0})
    first = [
        next(day for day, found in enumerate(watched(one, range(20), **changed)) if found) for one in (plain, widened)
    ]
    assert first[0] < first[1]


def test_small_changes_of_several_features_add_up_to_an_alarm():
    names = [f"feature {number}" for number in range(12)]

    def sample(seed, count, moved=0):
        still, shifted = (np.random.default_rng(seed).normal(shift, 1, count) for shift in (0.0, 0.1))
        return read({name: shifted if number < moved else still for number, name in enumerate(names)})

    approved = FeatureProfile.build(sample(0, 20_000))

    def days_to_alarm(moved):
        stream = DriftStream.of(approved)
        looks = (
            stream.look(FeatureProfile.build(sample(1 + day, 1000, moved), edges_from=approved), f"day {day}")
            for day in range(60)
        )
        return next(day for day, alarms in enumerate(looks) if alarms)

    assert days_to_alarm(12) < days_to_alarm(1)


def test_a_feature_that_was_dealt_with_starts_anew():
    stream = DriftStream.of(reference())
    assert watched(stream, range(5), shift=0.5)[-1]
    stream.restart("length")
    assert list(stream.alarms()) == []
    assert watched(stream, range(5, 8)) == [()] * 3
    assert watched(stream, range(8, 14), shift=0.5)[-1][0].since >= "day 07"
    with pytest.raises(UsageError, match="no 'lenght'"):
        stream.restart("lenght")


def test_a_reference_is_the_same_wherever_it_was_read_from():
    moved = FeatureProfile.build(read(rows(0, 20_000)).with_source("elsewhere.parquet"))
    assert DriftStream.of(moved).digest == DriftStream.of(reference()).digest


@pytest.mark.parametrize("wrong", [{"false_alarms": 0.0}, {"looks_per_quarter": 0}, {"tolerance": 1.0}])
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError):
        DriftStream.of(reference(), **wrong)


def test_a_reference_without_rows_is_refused():
    with pytest.raises(DataError, match="without rows"):
        DriftStream.of(window(1, count=0))


def test_nested_and_mixed_columns_are_watched_for_presence_alone():
    cells = [{"a": [1]}, {"a": "x"}, {"a": 2}] * 100
    stream = DriftStream.of(FeatureProfile.build(read(cells)))
    gone = FeatureProfile.build(read([{"a": None}] * 300), edges_from=FeatureProfile.build(read(cells)))
    assert [alarm.direction for alarm in stream.look(gone, "today")] == ["more missing or of another type"]
