"""What is read in parts is profiled to the same bits as what is read at once."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import excise
from excise.adapters.engines.local import LocalEngine
from excise.api.profile import profiled
from excise.api.profiling import profile_of
from excise.core.errors import DataError, UsageError
from excise.features import FeatureProfile
from excise.features.edges import edges_of
from excise.tables import delimited, json_lines, partitions, parts_in, read


@pytest.fixture
def large(monkeypatch):
    """Samples of any size are large, and blocks of text are small."""
    monkeypatch.setattr(partitions, "LARGE_ROWS", 1)
    monkeypatch.setattr(partitions, "LARGE_BYTES", 1)
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 1 << 12)
    monkeypatch.setattr(json_lines, "BLOCK_BYTES", 1 << 12)


@pytest.fixture(params=["small", "large"])
def size(request):
    """Both ways of reading."""
    if request.param == "large":
        request.getfixturevalue("large")


@pytest.fixture
def rows():
    random = np.random.default_rng(0)
    return pa.table(
        {
            "number": np.where(random.random(5000) < 0.1, np.nan, random.lognormal(0, 2, 5000)),
            "level": random.choice(["a", "b", "c "], 5000),
            "late": random.integers(0, 2, 5000),
        }
    )


@pytest.fixture
def file(rows, tmp_path):
    pq.write_table(rows, tmp_path / "rows.parquet", row_group_size=700)
    return tmp_path / "rows.parquet"


@pytest.fixture
def engine():
    """One that reads parts wherever it runs, as those of a cluster do."""
    made = LocalEngine(workers=2)
    made.name = "elsewhere"
    yield made
    made.close()


def test_parts_add_up_to_the_whole_bit_for_bit(file, large, engine):
    whole = read(file)
    edges = FeatureProfile.build(whole.take(np.arange(1000)))
    parts = parts_in(str(file), "exact").parts
    assert len(parts) == 8
    streamed = profile_of(parts, whole.source, engine, edges)
    assert streamed.encode() == FeatureProfile.build(whole, edges_from=edges).encode()


def test_edges_alone_are_those_of_the_whole_profile(file):
    whole = read(file)
    direct = FeatureProfile.build(whole)
    assert FeatureProfile.build(whole, edges_from=edges_of(whole)).encode() == direct.encode()


def test_a_large_sample_is_read_in_parts_and_says_the_same(file, request, monkeypatch):
    reference = FeatureProfile.build(read(file))
    at_once = excise.drift(reference, str(file)).features
    request.getfixturevalue("large")
    monkeypatch.setattr("excise.tables.partitions.from_path", None)  # nothing is read as a whole any more
    assert excise.drift(reference, str(file)).features == at_once
    both = excise.drift(str(file), str(file), target="late")
    assert [one.verdict for one in both.features] == ["none", "none"]
    assert both.current.rows == 5000
    with pytest.raises(UsageError, match="no order"):
        excise.drift(str(file), str(file), ordered=True)


def written(rows, folder):
    """The rows in three files of each form."""
    pieces = [rows.slice(start, 2000) for start in (0, 2000, 4000)]
    for number, piece in enumerate(pieces):
        pq.write_table(piece, folder / f"{number}.parquet", row_group_size=700)
        records = piece.to_pylist()
        text = "".join(f"{r['number']!r},{r['level']},{r['late']}\n" for r in records).replace("nan", "")
        (folder / f"{number}.csv").write_text("number,level,late\n" + text)
        (folder / f"{number}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
@pytest.mark.usefixtures("size")
def test_an_engine_elsewhere_gives_the_same_bits(rows, tmp_path, engine, form):
    written(rows, tmp_path)
    place = str(tmp_path / f"*.{form}")
    here, there = (profiled(place, engine=one).seen for one in ("local", engine))
    assert there.encode() == here.encode()
    assert here.rows == 5000
    found = [excise.drift(place, place, target="late", engine=one) for one in ("local", engine)]
    assert found[0].features == found[1].features
    assert [one.run.engine for one in found] == ["local", "elsewhere"]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_texts_are_counted_alike_block_by_block_and_at_once(rows, tmp_path, form, request):
    written(rows, tmp_path)
    edges = FeatureProfile.build(read(tmp_path / f"0.{form}"))
    at_once = FeatureProfile.build(read(tmp_path / f"1.{form}"), edges_from=edges)
    request.getfixturevalue("large")
    parts = parts_in(str(tmp_path / f"1.{form}"), "exact").parts
    assert len(list(parts[0].tables())) > 3
    assert profile_of(parts, at_once.source, LocalEngine(), edges).encode() == at_once.encode()


def test_the_edges_of_a_sorted_file_are_spread_over_all_of_it(tmp_path, large):
    (tmp_path / "sorted.csv").write_text("a\n" + "".join(f"{n}\n" for n in range(200_000)))
    seen = profiled(str(tmp_path / "sorted.csv")).seen
    shares = np.array(seen.columns["a"].numbers.bins.counts) / 200_000
    assert shares.max() < 0.02


def test_a_key_that_comes_late_was_null_before(tmp_path, request):
    lines = [json.dumps({"a": n} if n < 3000 else {"c": n / 2}) for n in range(5000)]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    at_once = FeatureProfile.build(read(tmp_path / "rows.jsonl"))
    request.getfixturevalue("large")
    parts = parts_in(str(tmp_path / "rows.jsonl"), "exact").parts
    assert profile_of(parts, at_once.source, LocalEngine(), at_once).encode() == at_once.encode()


def test_a_column_that_the_reference_lacks_is_counted_in_parts(file, large):
    reference = FeatureProfile.build(read(file).drop(["number"]))
    found = {one.name: one for one in excise.drift(reference, str(file)).features}
    assert [cause.cause for cause in found["number"].causes] == ["column_extra"]


@pytest.mark.usefixtures("size")
def test_a_type_that_changes_between_files_is_a_cause(rows, tmp_path):
    reference = FeatureProfile.build(read(rows))
    texts = pa.array([f" {value} " for value in rows["late"].to_pylist()])
    pq.write_table(rows, tmp_path / "a.parquet", row_group_size=2000)
    pq.write_table(rows.set_column(2, "late", texts), tmp_path / "b.parquet")
    found = {one.name: one for one in excise.drift(reference, str(tmp_path)).features}
    assert found["late"].verdict == "material"
    assert {(cause.cause, cause.share) for cause in found["late"].causes} == {("blanks", 0.5)}
    alone = {one.name: one for one in excise.drift(str(tmp_path), rows).features}
    assert alone["late"].kind == "mixed"


@pytest.mark.usefixtures("size")
def test_other_columns_are_an_error_that_names_file_and_column(tmp_path):
    (tmp_path / "a.csv").write_text("x,k\n1,2\n")
    (tmp_path / "b.csv").write_text("x,z\n1,2\n")
    with pytest.raises(DataError, match=r"b\.csv and .*a\.csv differ in columns: k, z"):
        excise.profile(str(tmp_path))


def test_a_broken_part_is_told_as_without_an_engine(file, tmp_path, large, engine):
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 2000] = bytes(2000)  # the footer stays whole
    (tmp_path / "broken.parquet").write_bytes(content)
    said = []
    for one in ("local", engine):
        with pytest.raises(DataError, match=r"broken\.parquet is not a readable Parquet file") as caught:
            excise.drift(FeatureProfile.build(read(file)), str(tmp_path / "broken.parquet"), engine=one)
        said.append((caught.value.message, caught.value.hint))
    assert said[0] == said[1]


@pytest.mark.usefixtures("size")
def test_no_rows_in_any_part_are_one_line(rows, tmp_path, engine):
    pq.write_table(rows.slice(0, 0), tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_text("number,level,late\n")
    for one in ("local", engine):
        for name in ("a.parquet", "b.csv"):
            with pytest.raises(DataError, match=rf"{name} has no rows"):
                excise.drift(str(tmp_path / name), rows, engine=one)


def test_what_does_not_parse_is_counted_in_parts_too(tmp_path, engine, request):
    (tmp_path / "now.csv").write_text("a\n" + " 7 \n" * 2000 + "x\n" * 500)
    documents = [excise.profile(str(tmp_path / "now.csv"), against={"a": [1, 2, 3]})]
    request.getfixturevalue("large")
    documents += [
        excise.profile(str(tmp_path / "now.csv"), against={"a": [1, 2, 3]}, engine=one) for one in ("local", engine)
    ]
    assert [document.casts[0].unparsed for document in documents] == [500] * 3
    assert documents[0] == documents[1] == documents[2]


def test_an_engine_that_is_not_there_is_named_with_those_that_are(file):
    with pytest.raises(UsageError, match="unknown engine 'spork'") as caught:
        excise.drift(str(file), str(file), engine="spork")
    assert "local" in caught.value.hint
