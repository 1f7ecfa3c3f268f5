"""``excise.drift`` on what users hold: frames, files, profiles, and a model that is asked."""

import subprocess
import sys

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import excise
from excise.api.drift import masked
from excise.core.drift import Drifted
from excise.core.errors import DataError, UsageError
from excise.core.verdict import Outcome
from excise.features import FeatureProfile
from excise.tables import partitions, read

RANDOM = np.random.default_rng(0)
BEFORE = {"a": RANDOM.normal(size=800), "b": RANDOM.choice(["x", "y"], 800).tolist(), "late": [0, 1] * 400}
NOW = {"a": RANDOM.normal(1, 1, 800), "b": [f"{level} " for level in BEFORE["b"]], "late": [0, 1] * 400}


def test_whatever_holds_the_rows_says_the_same():
    found = excise.drift(BEFORE, NOW, target="late")
    assert [(one.name, one.verdict) for one in found.features] == [("b", Drifted.MATERIAL), ("a", Drifted.MATERIAL)]
    for kind in (pa.table, pl.DataFrame):
        assert excise.drift(kind(BEFORE), kind(NOW), target="late").features == found.features


def test_a_profile_stands_for_its_rows(tmp_path):
    rows = read(BEFORE).drop(["late"])
    profile = FeatureProfile.build(rows)
    (tmp_path / "before.profile").write_bytes(profile.encode())
    found = excise.drift(BEFORE, NOW, target="late")
    for reference in (profile, tmp_path / "before.profile", str(tmp_path / "before.profile")):
        assert excise.drift(reference, NOW, target="late").features == found.features


def test_failing_is_asked_for():
    assert excise.drift(BEFORE, NOW).outcome is Outcome.PASS
    assert excise.drift(BEFORE, NOW, fail_on="material").outcome is Outcome.FAIL
    assert excise.drift(BEFORE, BEFORE, fail_on="immaterial").outcome is Outcome.PASS


def test_what_cannot_be_compared_is_refused_in_a_line(tmp_path):
    profile = tmp_path / "broken.profile"
    content = bytearray(FeatureProfile.build(read(BEFORE)).encode())
    content[-3] ^= 1
    profile.write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.profile: a feature profile whose bytes were changed"):
        excise.drift(profile, NOW)
    profile.write_bytes(b"excise/feature-profile/v0\n")
    with pytest.raises(DataError, match="not a feature profile of version"):
        excise.drift(profile, NOW)
    with pytest.raises(DataError, match="cannot read"):
        excise.drift(tmp_path / "nowhere.profile", NOW)
    with pytest.raises(DataError, match="the current sample is a profile"):
        excise.drift(BEFORE, FeatureProfile.build(read(NOW)))
    with pytest.raises(DataError, match="two columns named 'a'"):
        excise.drift(BEFORE, pa.table([[1], [2]], names=["a", "a"]))


@pytest.mark.parametrize(
    "wrong", [{"alpha": 0}, {"floor": 2}, {"correction": "none"}, {"fail_on": "none"}, {"top": 0}]
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(UsageError):
        excise.drift(BEFORE, NOW, **wrong)


def test_only_the_feature_that_matters_most():
    found = excise.drift(BEFORE, NOW, target="late", top=1)
    assert [one.name for one in found.features] == ["b"]
    assert found.why == "1 of 1 features drifted materially, 0 immaterially"


def test_examples_and_levels_are_masked():
    shown = str(masked(excise.drift({"b": ["Boston"] * 400}, {"b": [" Boston"] * 400})))
    assert "Boston" not in shown
    assert "Aaaa…" in shown


def test_a_model_says_what_features_are_worth_and_what_their_form_costs(tmp_path, monkeypatch):
    (tmp_path / "handler.py").write_text(
        "import time\n"
        "def handler(rows):\n"
        "    for row in rows:\n"
        "        if row['b'] != row['b'].strip():\n"
        "            time.sleep(0.002)\n"
        "    return [row['b'].strip() == 'x' for row in rows]\n"
    )
    monkeypatch.chdir(tmp_path)
    found = {one.name: one for one in excise.drift(BEFORE, NOW, target="late", model="handler.py:handler").features}
    assert found["a"].importance == 0
    assert 0.3 < found["b"].importance < 0.7
    cost = found["b"].causes[0].cost_ms
    assert 1.5 < cost.low <= cost.value < 10
    assert cost.n == 4


def test_the_first_call_loads_neither_pandas_nor_scipy_nor_numba():
    code = (
        "import sys, numpy as np, excise\n"
        "excise.drift({'x': np.arange(9.0)}, {'x': np.arange(9.0)})\n"
        "print([name for name in ('pandas', 'scipy', 'numba', 'polars') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_recorded_requests_that_are_read_in_parts_are_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(partitions, "LARGE_BYTES", 1)
    line = '{"method": "POST", "path": "/", "headers": {}, "body": {"a": 1.0}, "status": 200, "ms": 1.0}\n'
    (tmp_path / "requests.jsonl").write_text(line * 50)
    with pytest.raises(DataError, match="so many recorded requests"):
        excise.drift(BEFORE, str(tmp_path / "requests.jsonl"))
