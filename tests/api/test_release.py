"""A release made through the front door: a real handler, loaded from its bundle, with its reference."""

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from excise.api import release as api
from excise.cli.release import command
from excise.core.errors import CallFailed, DataError, ExciseError, ModelError, NotFound
from excise.core.estimate import Estimate
from excise.core.release import Baseline
from excise.core.verdict import Outcome
from excise.features import FeatureProfile
from excise.tables import read

HANDLER = """
import json
from pathlib import Path
import features

WEIGHT = json.loads((Path(__file__).parent / "weights.json").read_text())

class Handler:
    def preprocess(self, rows):
        return features.make(rows)
    def predict(self, x):
        return [WEIGHT * v for v in x]

handler = Handler()
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "handler.py").write_text(HANDLER)
    (tmp_path / "features.py").write_text("def make(rows):\n    return [row['a'] for row in rows]\n")
    (tmp_path / "weights.json").write_text("2.5")
    (tmp_path / "reference.csv").write_text("a,b,y\n1,x,0\n2,y,1\n3,z,0\n")
    (tmp_path / ".excise").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def create(**more):
    return api.release("handler.py:handler", include=["weights.json"], name="flights", **more)


def test_it_keeps_rows_profile_and_what_was_measured(project):
    asked = []

    def measure(opened, rows, target):
        asked.append((Path(opened.loader.target.rpartition(":")[0]).is_file(), rows.rows, target))
        latency = Estimate(value=1.0, low=0.9, high=1.1, unit="ms", n=6)
        return Baseline(release="", measured="2026-11-22T00:00:00+00:00", latency_ms=latency)

    made = create(reference="reference.csv", target="y", baseline=measure)
    assert asked == [(True, 3, "y")]
    assert made.baseline.latency_ms.value == 1.0
    assert made.baseline.hardware is not None
    opened = api.store_of().open("flights@1")
    assert read(Path(opened.root) / opened.baseline.reference).names == ("a", "b", "y")
    profile = FeatureProfile.decode((Path(opened.root) / opened.baseline.profile).read_bytes())
    assert profile.encode() == FeatureProfile.build(read("reference.csv").drop(["y"])).encode()
    assert create(reference="reference.csv", target="y", baseline=measure).new is False
    assert len(asked) == 1, "an identical release that has a baseline is not measured again"


@pytest.mark.usefixtures("project")
def test_a_release_whose_baseline_fails_is_withdrawn():
    def fails(*_):
        raise CallFailed("no such column", hint="give it")

    with pytest.raises(CallFailed):
        create(reference="reference.csv", target="y", baseline=fails)
    assert api.list_releases().releases == ()
    assert create().release.version == "1"
    with pytest.raises(CallFailed):
        create(reference="reference.csv", target="y", baseline=fails)
    assert len(api.list_releases().releases) == 1, "what was there before stays"
    assert api.verify_release().outcome is Outcome.PASS


@pytest.mark.usefixtures("project")
def test_a_release_that_lacks_a_file_is_never_made():
    with pytest.raises(ModelError, match=r"weights\.json") as failure:
        api.release("handler.py:handler", name="flights")
    assert "--include" in failure.value.hint
    assert api.list_releases().releases == ()


@pytest.mark.usefixtures("project")
def test_bad_references_leave_no_release_behind():
    with pytest.raises(DataError, match="lable"):
        create(reference="reference.csv", target="lable")
    with pytest.raises(ExciseError):
        create(reference="nowhere.csv")
    assert api.list_releases().releases == ()


def test_documents_have_a_schema_and_leave_nothing_out(project):
    create()
    (project / "weights.json").write_text("3.5")
    create(parent="flights@1")
    documents = {
        "excise/release/v1": api.show_release("flights@2"),
        "excise/releases/v1": api.list_releases(),
        "excise/release-diff/v1": api.diff_releases("flights@1", "flights@2"),
        "excise/verification/v1": api.verify_release(),
        "excise/environment-diff/v1": api.diff_environments("flights@1"),
    }
    for schema, document in documents.items():
        assert json.loads(msgspec.json.encode(document))["schema"] == schema
    assert documents["excise/release/v1"].release.parent == api.show_release("flights@1").release.digest
    assert [change.name for change in documents["excise/release-diff/v1"].changes] == ["weights.json"]
    assert documents["excise/environment-diff/v1"].changes == ()
    with pytest.raises(NotFound):
        api.show_release("flights@3")


def test_the_lock_of_a_release_is_the_one_of_here(project):
    create()
    assert api.lock_environment("flights@1") == api.lock_environment()


def run(*words):
    return CliRunner().invoke(command, words)


def test_the_command_line_makes_lists_compares_and_verifies(project):
    words = ("create", "handler.py:handler", "--include", "weights.json", "--name", "flights")
    made = run(*words, "--reference", "reference.csv", "--target", "y", "--no-baseline", "--json")
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["release"]["name"] == "flights"
    assert "identical" in run(*words).stdout
    (project / "weights.json").write_text("3.5")
    assert run(*words).exit_code == 0
    assert run("list").stdout.split()[:2] == ["flights@1", json.loads(made.stdout)["release"]["digest"][:19]]
    assert "weights.json" in run("diff", "flights@1", "flights@2").stdout
    assert "features.py" in run("show", "flights@1").stdout
    assert run("verify").exit_code == 0
    assert 'lock-version = "1.0"' in run("env", "lock", "flights@1").stdout
    assert "nothing changed" in run("env", "diff", "flights@1").stdout


def test_a_changed_byte_ends_verify_with_one(project):
    release = create().release
    blob = project / ".excise" / "releases" / "blobs" / "sha256" / release.files[0].sha256
    blob.chmod(0o644)
    blob.write_bytes(b"x" + blob.read_bytes()[1:])
    found = run("verify", "flights@1", "--json")
    assert found.exit_code == 1
    document = json.loads(found.stdout)
    assert document["outcome"] == Outcome.FAIL
    assert f"{release.files[0].path} of flights@1" in document["why"]
    assert run("verify").exit_code == 1
