"""``hf:`` leads into the local cache, by its documented layout, and downloads nothing."""

import pytest

from excise.adapters.models import find
from excise.adapters.models.contents import model_in
from excise.adapters.registries import registry_of
from excise.adapters.registries.conformance import check_registry
from excise.adapters.registries.hf import HuggingFace
from excise.api.subjects import open_model
from excise.core.errors import InvalidRef, Mismatch, ModelError, NotFound
from excise.core.refs import ModelRef
from excise.core.registry import Terms

COMMIT = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"


@pytest.fixture
def hub(tmp_path, models, monkeypatch):
    """A cache with one model: its file is a link to a blob, as the Hub's library makes it."""
    folder = tmp_path / "hub" / "models--acme--delays"
    blob = folder / "blobs" / ("ab" * 32)
    snapshot = folder / "snapshots" / COMMIT
    for made in (blob.parent, snapshot / "onnx", folder / "refs"):
        made.mkdir(parents=True)
    blob.write_bytes((models / "boosting.skops").read_bytes())
    (snapshot / "model.skops").symlink_to(f"../../blobs/{blob.name}")
    (snapshot / "README.md").write_text("# delays\n")
    (folder / "refs" / "main").write_text(COMMIT)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return folder


def fetch(text, folder="."):
    return HuggingFace().fetch(ModelRef.parse(text), Terms(folder=folder))


def test_it_keeps_the_contract(hub, tmp_path):
    missing = ["hf:acme/lost", "hf:acme/delays@v2", "hf:acme/delays/model.onnx", "hf:../delays", "hf:a/b/../../c"]
    passed = check_registry(
        registry_of(ModelRef.parse("hf:acme/delays")), ModelRef.parse("hf:acme/delays"), tmp_path, missing=missing
    )
    assert "brings the model here" in passed


@pytest.mark.parametrize("text", ["hf:acme/delays", "hf:acme/delays@main", f"hf:acme/delays@{COMMIT[:8]}"])
def test_a_branch_a_commit_or_nothing_lead_to_the_snapshot(hub, text):
    found = fetch(text)
    assert found.path == str(hub / "snapshots" / COMMIT)
    assert found.origin == f"huggingface.co/acme/delays at {COMMIT}"
    assert found.name == "delays"


def test_the_one_model_in_it_keeps_its_own_name_and_loads(hub, load, cancer):
    subject = open_model("hf:acme/delays", trust_pickle=False, project=hub).subject
    assert (subject.kind, subject.ref.name) == ("sklearn", "delays")
    assert subject.files == (str(hub / "snapshots" / COMMIT / "model.skops"),)
    assert load(subject.variant.loader).predict({"": cancer.array[:2]}).shape == (2, 2)


def test_two_models_are_named_and_a_path_chooses(hub, models):
    snapshot = hub / "snapshots" / COMMIT
    (snapshot / "other.skops").write_bytes((models / "histogram.skops").read_bytes())
    ref = ModelRef.parse("hf:acme/delays")
    with pytest.raises(ModelError, match=r"holds 2 models: model\.skops, other\.skops") as caught:
        model_in(snapshot, ref)
    assert caught.value.hint == "name one: hf:acme/delays/model.skops"
    assert fetch("hf:acme/delays@main/other.skops").path == str(snapshot / "other.skops")


def test_what_is_not_in_the_cache_says_how_to_fetch_it(hub):
    with pytest.raises(NotFound, match="nothing is downloaded") as caught:
        fetch("hf:acme/delay")
    assert caught.value.hint == "fetch it with: hf download acme/delay; or did you mean acme/delays?"
    with pytest.raises(NotFound) as caught:
        fetch("hf:acme/delays@v2")
    assert caught.value.hint.startswith(
        f"there: main, {COMMIT}; or fetch it with: hf download acme/delays --revision v2"
    )


def test_a_link_out_of_the_models_folder_is_refused(hub, tmp_path):
    (tmp_path / "secret.skops").write_text("x")
    (hub / "snapshots" / COMMIT / "odd.skops").symlink_to(tmp_path / "secret.skops")
    with pytest.raises(Mismatch, match="leads out of"):
        fetch("hf:acme/delays")


def test_a_blob_that_was_removed_is_missed(hub):
    (hub / "blobs" / ("ab" * 32)).unlink()
    with pytest.raises(NotFound, match=r"model\.skops is not there"):
        fetch("hf:acme/delays")


def test_models_of_this_machine_lead_to_no_registry(models):
    assert registry_of(ModelRef.parse("model.onnx")) is None
    assert registry_of(ModelRef.parse("asgi:service:app")) is None
    with pytest.raises(InvalidRef, match="kept elsewhere"):
        find(ModelRef.parse("hf:acme/delays"))
