"""`excise.profile`: one document about a sample's columns."""

from __future__ import annotations

import msgspec
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from excise.api.profile import Profile, profile, profiled, write_cast
from excise.core.errors import DataError, StoreError, UsageError

REFERENCE = {"count": [1, None, 3] * 50, "name": ["A", "B", "C"] * 50, "late": [0, 1, 0] * 50}
CURRENT = {"count": [" 7 ", "NA", "x"] * 50, "name": ["a", "B", "C"] * 50, "late": [1, 1, 0] * 50}


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, pa.table])
def test_findings_and_casts_from_three_libraries(library):
    document = profile(library(CURRENT), against=library(REFERENCE), target="late")
    assert {finding.kind for finding in document.findings} >= {"blank_padded_number", "null_word", "case_variant"}
    casts = {cast.column: cast for cast in document.casts}
    assert set(casts) == {"count", "name"}
    assert casts["count"].unparsed == 50
    assert [column.name for column in document.columns] == ["count", "name"]


def test_the_document_round_trips_and_says_all():
    document = profile(CURRENT, against=REFERENCE)
    text = msgspec.json.encode(document)
    assert msgspec.json.decode(text, type=Profile) == document
    assert document.schema == "excise/profile/v1"
    assert msgspec.json.decode(text)["columns"][0]["mean"] is None


def test_masking_leaves_shapes_only():
    document = profile(CURRENT, against=REFERENCE).masked()
    examples = {example for finding in document.findings for example in finding.examples}
    assert " 9 " in examples
    assert " 7 " not in examples


def test_a_sample_alone_has_facts_and_no_findings():
    document = profile(REFERENCE)
    assert (document.reference, document.findings) == (None, ())
    facts = {column.name: column for column in document.columns}
    assert (facts["count"].form, facts["count"].nulls, facts["count"].maximum) == ("int", 50, 3.0)
    assert facts["name"].distinct == 3


def test_a_missing_target_names_the_closest():
    with pytest.raises(DataError, match="no column 'lat'") as caught:
        profile(CURRENT, target="lat")
    assert caught.value.hint == "did you mean late?"


def test_the_caster_is_written_whole_and_over_its_own_kind_only(tmp_path):
    caster = profiled(CURRENT, against=REFERENCE).caster
    path = tmp_path / "cast.py"
    write_cast(caster, path)
    write_cast(caster, path)
    namespace = {}
    exec(path.read_text(), namespace)
    assert namespace["cast"]({"count": " 7 ", "name": "a"}) == {"count": 7, "name": "A"}
    path.write_text("mine = 1\n")
    with pytest.raises(UsageError, match="no emitted caster"):
        write_cast(caster, path)
    with pytest.raises(StoreError):
        write_cast(caster, tmp_path / "no" / "cast.py")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["cast.py"]


def test_an_origin_cannot_break_out_of_the_written_file():
    caster = profiled(pa.table(CURRENT), against=REFERENCE).caster
    object.__setattr__(caster, "source", 'x"""; raise SystemExit\n"""\\')
    namespace = {}
    exec(caster.emit(), namespace)
    assert namespace["cast"]({"count": "5"}) == {"count": 5}
