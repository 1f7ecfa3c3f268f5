"""A release is whole, or it is not there; and it is the same wherever it is made."""

import json
import os
import resource
import signal
import stat
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from excise.core.environment import Environment, Hardware, Package
from excise.core.errors import InvalidRef, Mismatch, NotFound, StoreError
from excise.core.estimate import Estimate
from excise.core.predictor import InputKind, LoaderSpec, Subject, Variant
from excise.core.refs import ModelRef
from excise.core.release import Baseline
from excise.core.signature import Signature, TensorSpec
from excise.releases import ReleaseStore, oci, pylock
from excise.releases.bundle import LOADERS, collect

ROOT = Path(__file__).parents[2]
MACHINE = Hardware(cpu="AMD EPYC 7R32", cores=2, memory_mib=8000, flags=("avx2",))


def facts(**versions):
    packages = [
        {
            "name": name,
            "version": version,
            "wheel": f"{name}-{version}-py3-none-any.whl",
            "editable": False,
            "content": "ab" * 32,
        }
        for name, version in sorted(versions.items())
    ]
    return {
        "python": "3.11.7",
        "system": "linux",
        "machine": "x86_64",
        "implementation": "CPython",
        "platform": "linux-x86_64",
        "packages": packages,
    }


def environment(hardware=MACHINE, **versions):
    lock = pylock.write(facts(**versions))
    return lock, Environment(
        name="current",
        executable=sys.executable,
        python="3.11.7",
        platform="linux-x86_64",
        packages=tuple(Package(name=name, version=version) for name, version in versions.items()),
        lock_digest=pylock.digest(lock),
        hardware=hardware,
    )


def subject(path, *more, kind="onnx"):
    spec = LoaderSpec(loader=str(LOADERS / f"{kind}.py"), target=str(path))
    return Subject(
        ref=ModelRef.parse(str(path)),
        kind=kind,
        variant=Variant(name="production", loader=spec),
        default_input=InputKind.TENSORS,
        files=(str(path), *map(str, more)),
    )


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "project" / "model.onnx"
    path.parent.mkdir()
    path.write_bytes(bytes(range(256)) * 40)
    return path


@pytest.fixture
def store(tmp_path):
    return ReleaseStore(tmp_path / ".excise" / "releases")


def create(store, model, *, name="flights", hardware=MACHINE, parent=None, signature=None, **versions):
    lock, env = environment(hardware, **(versions or {"numpy": "2.1.0"}))
    bundle = collect(subject(model))
    if signature:
        bundle = msgspec.structs.replace(bundle, signature=signature)
    return store.create(bundle, name=name, environment=env, lock=lock, parent=parent)


def baseline(release, value=9.4, **more):
    latency = Estimate(value=value, low=value - 1, high=value + 1, unit="ms", n=6)
    return Baseline(
        release=release.digest, measured="2026-11-22T00:00:00+00:00", latency_ms=latency, hardware=MACHINE, **more
    )


def test_the_same_release_is_made_once(store, model):
    first = create(store, model)
    again = create(store, model)
    assert (first.new, again.new) == (True, False)
    assert first.release == again.release
    assert [f"{row.name}@{row.version}" for row in store.list()] == ["flights@1"]


def test_its_digest_depends_on_nothing_but_its_content(tmp_path, model):
    class Later:
        def now(self):
            return datetime(2031, 1, 1, tzinfo=UTC)

        def monotonic(self):
            return 0.0

    elsewhere = tmp_path / "elsewhere" / "deeper" / "model.onnx"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_bytes(model.read_bytes())
    busier = msgspec.structs.replace(MACHINE, cpu="AMD EPYC 9R14", cores=64, memory_mib=1)
    here = create(ReleaseStore(tmp_path / "a"), model).release
    there = create(
        ReleaseStore(tmp_path / "b", clock=Later()), elsewhere, name="other", hardware=busier, parent=here.digest
    )
    assert there.release.digest == here.digest
    assert there.release.created != here.created


@pytest.mark.parametrize("change", ["file", "signature", "package", "instruction set"])
def test_what_is_part_of_the_identity_makes_another_release(store, model, change):
    first = create(store, model).release
    if change == "file":
        model.write_bytes(b"retrained")
    other = create(
        store,
        model,
        signature=Signature(inputs=(TensorSpec(name="x", dtype="float32"),)) if change == "signature" else None,
        hardware=msgspec.structs.replace(MACHINE, flags=("avx2", "avx512f"))
        if change == "instruction set"
        else MACHINE,
        numpy="2.2.0" if change == "package" else "2.1.0",
    ).release
    assert other.digest != first.digest
    assert (other.name, other.version) == ("flights", "2")


def test_a_second_name_for_the_same_release_starts_at_one(store, model):
    first = create(store, model).release
    second = create(store, model, name="canary")
    assert not second.new
    assert (second.release.name, second.release.version, second.release.digest) == ("canary", "1", first.digest)
    assert store.resolve("canary@1").digest == store.resolve("flights@1").digest


def test_it_is_found_by_name_by_latest_and_by_six_digits(store, model):
    create(store, model)
    model.write_bytes(b"retrained")
    second = create(store, model).release
    assert store.resolve("flights@2") == store.resolve("flights@latest") == second
    assert store.resolve(second.digest[:13]) == second
    with pytest.raises(NotFound) as failure:
        store.resolve("fligths@1")
    assert "flights@1" in failure.value.hint
    with pytest.raises(NotFound):
        store.resolve("sha256:000000")
    with pytest.raises(InvalidRef):
        create(store, model, name="Flights!")


def test_an_opened_release_is_what_was_put_in(store, model):
    release = create(store, model).release
    opened = store.open("flights@1")
    assert Path(opened.loader.target).read_bytes() == model.read_bytes()
    assert Path(opened.loader.target).is_relative_to(opened.root)
    assert opened.release == release
    assert opened.baseline is None
    assert [(file.path, file.role) for file in release.files] == [("model.onnx", "weights")]


def test_opening_again_repairs_what_was_changed_there(store, model):
    create(store, model)
    laid = Path(store.open("flights@1").loader.target)
    laid.unlink()
    laid.write_bytes(b"something else")
    assert Path(store.open("flights@1").loader.target).read_bytes() == model.read_bytes()
    store.verify("flights@1")


def test_a_baseline_travels_beside_the_release_and_not_in_it(store, model):
    release = create(store, model).release
    record = baseline(release, reference="baseline/reference.parquet", target="late")
    first = store.attach_baseline(release.digest, record, {"baseline/reference.parquet": b"PAR1 rows PAR1"})
    assert store.attach_baseline(release.digest, record, {"baseline/reference.parquet": b"PAR1 rows PAR1"}) == first
    opened = store.open("flights@1")
    assert opened.release.digest == release.digest
    assert opened.baseline == record
    assert (Path(opened.root) / opened.baseline.reference).read_bytes() == b"PAR1 rows PAR1"
    assert [row.baseline for row in store.list()] == [True]
    store.attach_baseline(release.digest, baseline(release, 12.0), {})
    assert store.baseline("flights@1").latency_ms.value == 12.0


def test_a_baseline_must_bring_the_files_that_it_names(store, model):
    release = create(store, model).release
    with pytest.raises(StoreError, match="reference"):
        store.attach_baseline(release.digest, baseline(release, reference="baseline/reference.parquet"), {})
    with pytest.raises(StoreError, match=r"model\.onnx"):
        store.attach_baseline(release.digest, baseline(release), {"model.onnx": b""})


def test_the_layout_follows_oci_and_modelpack(store, model):
    release = create(store, model, parent=None).release
    root = store.root
    assert json.loads((root / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((root / "index.json").read_bytes())
    assert index["schemaVersion"] == 2
    entry = index["manifests"][1]
    assert entry["annotations"]["org.opencontainers.image.ref.name"] == "flights@1"
    manifest = json.loads((root / "blobs" / "sha256" / release.digest[7:]).read_bytes())
    assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert manifest["artifactType"] == "application/vnd.cncf.model.manifest.v1+json"
    assert manifest["config"]["mediaType"] == "application/vnd.cncf.model.config.v1+json"
    config = json.loads((root / "blobs" / "sha256" / manifest["config"]["digest"][7:]).read_bytes())
    jsonschema.validate(config, MODEL_CONFIG_SCHEMA)
    assert config["modelfs"]["diffIds"] == [layer["digest"] for layer in manifest["layers"]]
    weights = [
        layer for layer in manifest["layers"] if layer["mediaType"] == "application/vnd.cncf.model.weight.v1.raw"
    ]
    assert [layer["annotations"]["org.cncf.model.filepath"] for layer in weights] == ["model.onnx"]


MODEL_CONFIG_SCHEMA = {
    # modelpack/model-spec, schema/config-schema.json, as far as excise writes it
    "type": "object",
    "additionalProperties": False,
    "required": ["descriptor", "config", "modelfs"],
    "properties": {
        "descriptor": {"type": "object", "additionalProperties": False},
        "config": {"type": "object", "additionalProperties": False, "properties": {"format": {"type": "string"}}},
        "modelfs": {
            "type": "object",
            "additionalProperties": False,
            "required": ["type", "diffIds"],
            "properties": {
                "type": {"enum": ["layers"]},
                "diffIds": {"type": "array", "minItems": 1, "items": {"type": "string"}},
            },
        },
    },
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    path = folder / "model.onnx"
    path.write_bytes(os.urandom(3000))
    store = ReleaseStore(folder / "releases")
    release = create(store, path).release
    store.attach_baseline(
        release.digest, baseline(release, profile="baseline/profile.bin"), {"baseline/profile.bin": b"bins"}
    )
    files = [file for file in sorted(store.root.rglob("*")) if file.is_file() and file.parent.name != "ingest"]
    return store, files


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_flipped_byte_anywhere_is_found_and_named(kept, data):
    store, files = kept
    file = data.draw(st.sampled_from(files))
    content = file.read_bytes()
    position = data.draw(st.integers(0, len(content) - 1))
    flipped = bytearray(content)
    flipped[position] ^= data.draw(st.integers(1, 255))
    file.chmod(stat.S_IRUSR | stat.S_IWUSR)
    try:
        file.write_bytes(flipped)
        with pytest.raises(Mismatch) as failure:
            store.verify("flights@1")
    finally:
        file.write_bytes(content)
    assert file.name in str(failure.value)
    assert failure.value.exit_code == 1
    store.verify("flights@1")


def test_a_missing_file_is_named(store, model):
    release = create(store, model).release
    (store.root / "blobs" / "sha256" / release.files[0].sha256).unlink()
    with pytest.raises(Mismatch, match=r"model\.onnx of flights@1 is missing"):
        store.verify("flights@1")
    with pytest.raises(StoreError):
        store.open("flights@1")


def test_a_missing_blob_is_healed_by_creating_the_release_again(store, model):
    release = create(store, model).release
    (store.root / "blobs" / "sha256" / release.files[0].sha256).unlink()
    create(store, model)
    assert store.verify().releases == ("flights@1",)


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", "a/../../out", "a\\b", "C:/x", "", "./x", "a//b"])
def test_a_release_that_reaches_out_of_its_folder_is_refused(store, path):
    layer = store.layout.put_bytes(b"evil", oci.ROLES["weights"], **{oci.FILE_PATH: path})
    identity = store.layout.put_bytes(
        b'{"kind":"onnx","loader":"onnx","target":"x","options":{},"input":"tensors","signature":{},"hardware":""}',
        oci.DOCUMENT,
        **{oci.FILE_PATH: ".release/release.json"},
    )
    lock = store.layout.put_bytes(
        pylock.write(facts()).encode(), oci.DOCUMENT, **{oci.FILE_PATH: ".release/pylock.toml"}
    )
    config = store.layout.put_bytes(b"{}", oci.MODEL_CONFIG)
    manifest = store.layout.put_bytes(
        oci.encode(oci.manifest(oci.MODEL, config, (identity, layer, lock))), oci.MANIFEST
    )
    with store.layout.update() as entries:
        entries.append(msgspec.structs.replace(manifest, annotations={oci.REF_NAME: "evil@1"}))
    with pytest.raises(Mismatch, match="leaves the release"):
        store.open("evil@1")
    assert not (store.root / "open").exists()


PROLOGUE = """
    import sys
    sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests/releases"]
    from pathlib import Path
    from test_store import ReleaseStore, create
    store, folder = ReleaseStore(Path(sys.argv[2])), Path(sys.argv[3])
"""


def start(source, store, folder, *args):
    code = textwrap.dedent(PROLOGUE) + textwrap.dedent(source)
    command = [sys.executable, "-c", code, str(ROOT), str(store.root), str(folder), *args]
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_two_at_once_get_different_versions_and_lose_nothing(store, tmp_path):
    source = """
        for number in range(8):
            path = folder / sys.argv[4] / f"{number}.onnx"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(f"{sys.argv[4]} {number}".encode())
            create(store, path)
    """
    writers = [start(source, store, tmp_path, name) for name in ("a", "b", "c")]
    for writer in writers:
        said, _ = writer.communicate(timeout=60)
        assert writer.returncode == 0, said
    rows = store.list()
    assert sorted(int(row.version) for row in rows) == list(range(1, 25))
    assert len({row.digest for row in rows}) == 24
    store.verify()


def test_killed_in_the_middle_the_store_is_whole(store, tmp_path):
    source = """
        import itertools
        for number in itertools.count():
            path = folder / "big.onnx"
            path.write_bytes((sys.argv[4] + str(number)).encode() * 100_000)
            print(create(store, path).release.version, flush=True)
    """
    for attempt in range(3):
        writer = start(source, store, tmp_path, f"attempt {attempt} ")
        writer.stdout.readline()
        time.sleep(0.03 + 0.02 * attempt)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        rows = store.list()
        assert [int(row.version) for row in rows] == list(range(1, len(rows) + 1))
        store.verify()
        path = tmp_path / "after.onnx"
        path.write_bytes(f"after {attempt}".encode())
        assert create(store, path).new


def test_a_full_disk_leaves_nothing_half_written(store, model):
    create(store, model)
    before = {file for file in store.root.rglob("*") if file.is_file()}
    model.write_bytes(os.urandom(400_000))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(StoreError, match="limit") as failure:
            create(store, model)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert failure.value.hint
    assert {file for file in store.root.rglob("*") if file.is_file()} == before
    assert [row.version for row in store.list()] == ["1"]
    store.verify()


def test_a_disk_that_fills_up_is_said_in_one_line(tmp_path, model):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting needs more rights")
    try:
        model.write_bytes(os.urandom(200_000))
        store = ReleaseStore(small / "releases")
        with pytest.raises(StoreError, match="full disk") as failure:
            create(store, model)
        assert "free some space" in failure.value.hint
        assert not list(store.root.glob("blobs/sha256/*"))
        assert store.list() == ()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_without_permission_it_is_said_in_one_line(unprivileged):
    folder = unprivileged.open_folder
    model = folder / "model.onnx"
    model.write_bytes(b"weights")
    store = ReleaseStore(folder / "releases")
    with unprivileged.without_write(folder), pytest.raises(StoreError, match="may not be written") as failure:
        create(store, model)
    assert failure.value.hint
    assert not store.root.exists()


def test_diff_names_what_changed(store, model):
    first = create(store, model, numpy="2.1.0", scipy="1.14").release
    store.attach_baseline(first.digest, baseline(first), {})
    model.write_bytes(b"retrained")
    (model.parent / "tokenizer.json").write_bytes(b"{}")
    lock, env = environment(msgspec.structs.replace(MACHINE, cpu="Intel Xeon"), numpy="2.2.0", pandas="3.1")
    bundle = collect(subject(model), include=[model.parent / "tokenizer.json"])
    second = store.create(bundle, name="flights", environment=env, lock=lock).release
    store.attach_baseline(second.digest, baseline(second, 11.0), {})
    found = {
        (change.kind, change.name): (change.before, change.after)
        for change in store.diff("flights@1", "flights@2").changes
    }
    assert ("weights", "model.onnx") in found
    assert found["data", "tokenizer.json"][0] is None
    assert found["package", "numpy"] == ("2.1.0", "2.2.0")
    assert found["package", "scipy"] == ("1.14", None)
    assert found["package", "pandas"] == (None, "3.1")
    assert found["hardware", "cpu"] == ("AMD EPYC 7R32", "Intel Xeon")
    assert found["baseline", "latency_ms"] == ("9.4 [8.4, 10.4] ms", "11 [10, 12] ms")
    assert len(found) == 7


def test_a_release_does_not_differ_from_itself(store, model):
    create(store, model)
    assert store.diff("flights@1", "flights@latest").changes == ()
