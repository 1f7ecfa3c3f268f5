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


@pytest.fixture(scope="session")
def late(tmp_path_factory, year):
    """A classifier of late flights from January, its reference, and July with and without labels."""
    import joblib
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folder = tmp_path_factory.mktemp("late")
    flights = year.to_pandas()
    flights = flights[flights.arr_delay.notna()].assign(late=lambda table: (table.arr_delay > 15).astype(int))
    names = ["dep_delay", "distance", "hour"]
    january, july = (flights[flights.month == month] for month in (1, 7))
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(january[names][::2], january.late[::2])
    joblib.dump(model, folder / "late.joblib")
    january[1::2][[*names, "late"]].to_csv(folder / "approved.csv", index=False)
    july[[*names, "late"]].to_csv(folder / "july.csv", index=False)
    july[names].to_csv(folder / "july_unlabeled.csv", index=False)
    return folder


def test_a_release_is_judged_by_the_labels_that_came_and_by_its_scores_before(excise, folder, late):
    for file in late.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    words = ("--trust-pickle", "--reference", "approved.csv", "--target", "late", "--name", "late", "--no-baseline")
    made = excise("release", "create", "late.joblib", *words)
    assert made.code == 0, made.err
    asked = ("--model", "late@1", "--trust-pickle", "--fail-on", "harm")
    done = excise("drift", "late@1", "july.csv", *asked, "--json", "--html", "harm.html")
    assert done.code == 1, done.err
    harm = done.document["harm"]
    assert (harm["how"], harm["outcome"]) == ("labels", "harm")
    assert harm["bet"]["most"] > harm["bet"]["threshold"]
    assert "dep_delay" in harm["features"]
    assert "late" not in {one["name"] for one in done.document["features"]}
    assert "10,000 rows and 10 s at most" in harm["cut"]
    page = (folder / "harm.html").read_text()
    assert "Does the model do worse?" in page
    before = excise("drift", "approved.csv", "july_unlabeled.csv", *asked, "--target", "late")
    assert "estimated from calibrated scores, without labels" in before.out
    assert "no concept change cannot be checked" in before.out
    assert before.code in {0, 1}, before.err


def test_harm_that_cannot_be_told_is_no_pass(excise, folder, late):
    for file in late.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    none = excise("drift", "july_unlabeled.csv", "july.csv", "--model", "late.joblib", "--trust-pickle",
                  "--target", "late", "--fail-on", "harm")  # fmt: skip
    assert none.code == 4, none.err
    assert "the reference has no labels" in none.out
    usage = excise("drift", "approved.csv", "july.csv", "--target", "late", "--fail-on", "harm")
    assert usage.code == 2
    assert "Hint: --model MODEL" in usage.err
    (folder / "odd.csv").write_text("dep_delay,distance,hour,late\n" + "1,2,3,perhaps\n" * 3)
    odd = excise("drift", "approved.csv", "odd.csv", "--model", "late.joblib", "--trust-pickle", "--target", "late",
                 "--fail-on", "harm")  # fmt: skip
    assert odd.code == 4, odd.out
    assert "labels are none that the reference knows" in odd.out
    assert "Traceback" not in odd.err
