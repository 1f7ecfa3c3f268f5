"""From a month's rows to a profile, a verdict and a cast, on real flights."""

import json
import re

import numpy as np
import pytest
from pyarrow import parquet


def test_a_profile_is_kept_and_held_against_later_months(excise, months):
    made = excise("profile", str(months / "even.parquet"), "-o", "even.profile")
    assert made.code == 0, made.err
    same = excise("drift", "even.profile", str(months / "odd.parquet"), "--fail-on", "immaterial", "--json")
    assert (same.code, same.document["verdict"]) == (0, "none"), same.out
    july = excise("drift", "even.profile", str(months / "july.parquet"), "--fail-on", "material", "--json")
    assert july.code == 1
    found = {one["name"]: one for one in july.document["features"]}
    assert found["dep_delay"]["verdict"] == "material"
    assert found["hour"]["verdict"] in {"none", "immaterial"}
    assert set(found["dep_delay"]) >= {"name", "kind", "verdict", "p_adjusted", "effect", "causes"}
    assert {cause["cause"] for cause in found["dep_delay"]["causes"]} == {"nulls", "distribution"}
    direct = excise("drift", str(months / "even.parquet"), str(months / "july.parquet"), "--json").document
    assert direct["features"] == july.document["features"]


def test_a_fat_feature_is_named_and_the_command_that_it_prints_casts_it(excise, folder, months):
    for name in ("january.parquet", "fat.csv"):
        (folder / name).write_bytes((months / name).read_bytes())
    done = excise("drift", "january.parquet", "fat.csv", "--html", "drift.html")
    assert done.code == 0
    assert "surrounding blanks in 100 % of the rows" in done.out
    page = (folder / "drift.html").read_text()
    assert "<script" not in page
    assert "UA " not in page  # levels of a page that gets passed on are masked
    command = re.search(r"excise (profile fat\.csv --against january\.parquet --emit-cast cast\.py)", done.out)[1]
    assert excise(*command.split()).code == 0
    assert "carrier" in (folder / "cast.py").read_text()


BAD = {
    "no such file": (("nowhere.parquet", "current.csv"), "nowhere.parquet"),
    "no such target": (("reference.csv", "current.csv", "--target", "z"), "no column 'z'"),
    "a cut file": (("cut.parquet", "current.csv"), "not a readable Parquet file"),
    "a flipped byte": (("broken.profile", "current.csv"), "broken.profile"),
    "no rows": (("empty.csv", "current.csv"), "empty"),
    "a profile for the current rows": (("reference.csv", "broken.profile"), "the current sample is a profile"),
    "a profile under another name": (("reference.csv",), "Missing argument"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_with_exit_2(excise, folder, months, case):
    (folder / "cut.parquet").write_bytes((months / "july.parquet").read_bytes()[:4000])
    (folder / "broken.profile").write_bytes(b"excise/feature-profile/v1\nnothing")
    (folder / "empty.csv").write_text("a,b,y\n")
    words, said = BAD[case]
    done = excise("drift", *words)
    assert done.code == 2, done.out
    assert said in done.err
    assert "Traceback" not in done.err


def shuffled(rows):
    return rows.take(np.random.default_rng(0).permutation(rows.num_rows))


def test_a_stream_alarms_after_some_days_and_no_sooner_than_that(excise, folder, months):
    def look(day, rows, *more):
        parquet.write_table(rows, folder / "today.parquet")
        words = "drift", "even.profile", "today.parquet", "--stream", "flights.stream", "--at", f"2013-02-{day:02d}"
        return excise(*words, "--fail-on", "material", *more)

    assert excise("profile", str(months / "even.parquet"), "-o", "even.profile").code == 0
    january, july = (shuffled(parquet.read_table(months / f"{name}.parquet")) for name in ("odd", "july"))
    for day in range(1, 5):
        same = look(day, january.slice(700 * day, 700), "--json")
        assert same.code == 0, same.out
        assert (same.document["looks"]["looked"], same.document["looks"]["alarms"]) == (day, [])
    codes = [look(day, july.slice(700 * day, 700)).code for day in range(5, 9)]
    assert codes[-1] == 1
    shown = look(8, july.slice(0, 700), "--html", "drift.html")
    assert shown.code == 1
    assert "2013-02-08 was looked at before: nothing was added" in shown.out
    assert "since 2013-02-0" in shown.out
    assert "What has changed since 2013-02-01?" in (folder / "drift.html").read_text()
    assert excise("drift", "even.profile", "today.parquet", "--json").document["looks"] is None
    other = excise("drift", str(months / "july.parquet"), "today.parquet", "--stream", "flights.stream")
    assert other.code == 4
    assert "flights.stream watches drift from another reference" in other.err
    (folder / "flights.stream").write_bytes((folder / "flights.stream").read_bytes()[:-1] + b"!")
    broken = look(9, january.slice(0, 700))
    assert broken.code == 2
    assert "flights.stream: a drift stream whose bytes were changed" in broken.err


def test_a_file_that_is_no_profile_is_left_alone(excise, folder):
    (folder / "mine.profile").write_text("my own notes")
    done = excise("profile", "reference.csv", "-o", "mine.profile")
    assert done.code == 2
    assert (folder / "mine.profile").read_text() == "my own notes"
    assert excise("profile", "reference.csv", "-o", "reference.dat").code == 2
    assert json.loads(excise("drift", "reference.csv", "current.csv", "--json").out)["schema"] == "excise/drift/v1"
