"""``oci:`` leads to image layouts in folders, ``oci://`` to registries: releases of excise, and plain model files."""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest

from excise.adapters.registries.conformance import check_registry
from excise.adapters.registries.oci import OciImages
from excise.api.release import release
from excise.api.subjects import open_model
from excise.core.errors import InputError, InvalidRef, Mismatch, NotFound
from excise.core.refs import ModelRef
from excise.core.registry import Terms
from excise.releases import oci
from excise.releases.layout import Layout

WEIGHTS = oci.ROLES["weights"]


@pytest.fixture(scope="session")
def released(models, cancer, tmp_path_factory):
    """A project with one release and its reference rows."""
    project = tmp_path_factory.mktemp("project")
    rows = cancer.frame.assign(label=cancer.labels)
    made = release(str(models / "boosting.skops"), reference=rows, target="label", name="flights", project=project)
    return SimpleNamespace(layout=project / ".excise" / "releases", digest=made.release.digest)


@pytest.fixture
def layout(tmp_path):
    """Makes a layout with one image of these layers, as ORAS would."""

    def make(files, media_type=WEIGHTS, annotation="org.opencontainers.image.title"):
        made = Layout(tmp_path / "layout")
        layers = tuple(made.put_bytes(content, media_type, **{annotation: name}) for name, content in files.items())
        config = made.put_bytes(b"{}", oci.EMPTY)
        image = made.put_bytes(oci.encode(oci.manifest("application/vnd.acme", config, layers)), oci.MANIFEST)
        with made.update() as entries:
            entries.append(oci.Descriptor(**{**fields(image), "annotations": {oci.REF_NAME: "v1"}}))
        return made.root

    return make


def fields(descriptor):
    return {name: getattr(descriptor, name) for name in descriptor.__struct_fields__}


def fetch(text, folder, **terms):
    return OciImages().fetch(ModelRef.parse(text), Terms(folder=folder, **terms))


def test_a_layout_in_a_folder_keeps_the_contract(released, tmp_path):
    ref = ModelRef.parse(f"oci:{released.layout}:flights@1")
    missing = [f"oci:{released.layout}:flights@2", f"oci:{tmp_path}:v1", "oci://host", "oci://host/../x:1"]
    assert "the same again" in check_registry(OciImages(), ref, tmp_path / "kept", missing=missing)


def test_a_release_from_elsewhere_brings_its_model_its_reference_and_its_target(released, tmp_path, load, cancer):
    opened = open_model(f"oci:{released.layout}", trust_pickle=False, project=tmp_path)
    assert opened.release.release.digest == released.digest
    assert opened.subject.ref.name == "flights"
    assert opened.target == "label"
    assert opened.reference.exists()
    assert opened.origin == f"{released.layout}@{released.digest}"
    assert load(opened.subject.variant.loader).predict({"": cancer.array[:2]}).shape == (2, 2)


def test_a_model_in_plain_layers_is_laid_out_under_its_names(layout, models, tmp_path):
    root = layout({"deep/model.skops": (models / "boosting.skops").read_bytes(), "README.md": b"# hello\n"})
    opened = open_model(f"oci:{root}:v1", trust_pickle=False, project=tmp_path)
    assert opened.subject.kind == "sklearn"
    assert opened.subject.files[0].endswith("/deep/model.skops")
    assert opened.release is None


@pytest.mark.parametrize("name", ["../out.skops", "/abs.skops", "a/../../b.skops"])
def test_a_name_that_leads_out_is_refused_and_nothing_is_written(layout, name, tmp_path):
    with pytest.raises(Mismatch, match="leaves the release"):
        fetch(f"oci:{layout({name: b'x'})}:v1", tmp_path / "kept")
    assert not list(tmp_path.rglob("*.skops"))


def test_archives_are_refused(layout, tmp_path):
    with pytest.raises(Mismatch, match="without a file of its own"):
        fetch(f"oci:{layout({'a': b'x'}, media_type='application/vnd.oci.image.layer.v1.tar+gzip')}", tmp_path / "kept")


def test_a_changed_blob_is_refused(layout, tmp_path):
    root = layout({"model.skops": b"as it was"})
    blob = next(path for path in (root / "blobs" / "sha256").iterdir() if path.read_bytes() == b"as it was")
    blob.chmod(0o644)
    blob.write_bytes(b"as it is ")
    with pytest.raises(Mismatch, match="not what its digest says"):
        fetch(f"oci:{root}:v1", tmp_path / "kept")


def test_what_is_too_large_is_refused_before_it_is_fetched(layout, tmp_path):
    with pytest.raises(InputError, match="at most"):
        fetch(f"oci:{layout({'model.skops': b'x' * 100})}:v1", tmp_path / "kept", largest_bytes=99)


def test_a_registry_that_nobody_runs_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot reach 127\.0\.0\.1:9/flights: .*refused"):
        fetch("oci://127.0.0.1:9/flights:1", tmp_path)


def test_offline_names_what_it_forbids(tmp_path):
    with pytest.raises(InputError, match="--offline forbids it") as caught:
        fetch("oci://127.0.0.1:9/flights:1", tmp_path, offline=True)
    assert "oci:FOLDER:TAG" in caught.value.hint


@pytest.mark.parametrize("text", ["oci://host/Upper:1", "oci://host/x@sha256:12", "oci://ho st/x"])
def test_what_names_no_image_is_refused(text, tmp_path):
    with pytest.raises(InvalidRef):
        fetch(text, tmp_path)


@pytest.fixture
def registry(tmp_path):
    """A real registry on loopback."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    settings = tmp_path / "registry.yml"
    stored = json.dumps({"filesystem": {"rootdirectory": str(tmp_path / "stored")}})
    settings.write_text(f"version: 0.1\nstorage: {stored}\nhttp: {json.dumps({'addr': host})}\n")
    running = subprocess.Popen([program, "serve", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://{host}/v2/", timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield host
    running.terminate()
    running.wait()


def push(host, repository, layout, tag):
    """Push an image of a layout and its records, as any client would."""
    store = Layout(layout)
    entries = store.index()
    (image,) = [one for one in entries if one.annotations.get(oci.REF_NAME) == tag]
    records = [one for one in entries if oci.REF_NAME not in one.annotations]
    for manifest in [image, *records]:
        document = json.loads(store.read(manifest, "manifest"))
        for blob in [document["config"], *document["layers"]]:
            push_blob(host, repository, blob["digest"], store.path(blob["digest"]).read_bytes())
        put(f"http://{host}/v2/{repository}/manifests/{manifest.digest}", store.read(manifest, ""), oci.MANIFEST)
    put(f"http://{host}/v2/{repository}/manifests/1", store.read(image, ""), oci.MANIFEST)
    found = oci.Index(schema_version=2, media_type=oci.INDEX, manifests=tuple(records))
    fallback = image.digest.replace(":", "-")
    put(f"http://{host}/v2/{repository}/manifests/{fallback}", oci.encode(found), oci.INDEX)
    return image.digest


def push_blob(host, repository, digest, content):
    started = urllib.request.Request(f"http://{host}/v2/{repository}/blobs/uploads/", method="POST")
    with urllib.request.urlopen(started) as answer:
        place = answer.headers["Location"]
    put(f"{place}&digest={digest}", content, "application/octet-stream")


def put(url, content, media_type):
    request = urllib.request.Request(url, content, {"Content-Type": media_type}, method="PUT")
    urllib.request.urlopen(request).close()


@pytest.mark.slow
def test_a_release_comes_whole_from_a_real_registry(registry, released, tmp_path):
    digest = push(registry, "team/flights", released.layout, "flights@1")
    told = []
    opened = open_model(f"oci://{registry}/team/flights:1", trust_pickle=False, project=tmp_path, tell=told.append)
    assert opened.release.release.digest == digest == released.digest
    assert opened.target == "label"
    assert opened.reference.exists()
    assert len(told) == 1
    assert told[0].startswith("fetching flights@1, ")
    with pytest.raises(NotFound, match=r"no 2 in .*team/flights") as caught:
        fetch(f"oci://{registry}/team/flights:2", tmp_path)
    assert caught.value.hint == "known: 1"


@pytest.mark.slow
def test_a_digest_that_was_pulled_is_opened_offline(registry, released, tmp_path):
    digest = push(registry, "flights", released.layout, "flights@1")
    check = ModelRef.parse(f"oci://{registry}/flights@{digest}")
    check_registry(OciImages(), check, tmp_path / "kept", missing=[f"oci://{registry}/flights@sha256:{'0' * 64}"])
    again = fetch(f"oci://127.0.0.1:9/flights@{digest}", tmp_path / "kept", offline=True)
    assert again.release == digest
