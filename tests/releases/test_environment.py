"""An environment is what an interpreter has installed, said the same way by everyone."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from packaging.pylock import Pylock

from excise.core.environment import Hardware
from excise.core.errors import NotMeasured, StoreError
from excise.releases import newest, pylock
from excise.releases.environment import capture, describe, hardware
from excise.releases.environment import pylock as lock_of
from excise.releases.hardware import FLAGS, fingerprint, parse_cpuinfo
from excise.releases.installed import content_digest
from excise.releases.newest import bare, build_newest, index_settings, newest_plan


def wheel(folder, version, *, name="slowlib", needs=(), source=None):
    """A pure wheel, as a build tool would write it."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(
        f"Requires-Dist: {n}\n" for n in needs
    )
    files = {
        f"{name}/__init__.py": source or f"VERSION = {version!r}\n",
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{path},sha256={urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b'=').decode()},{len(text)}"
        for path, text in files.items()
    ]
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            archive.writestr(member, text)
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,", ""]))
    return path


@pytest.fixture
def wheels(tmp_path):
    for version in ("1.0", "1.1"):
        wheel(tmp_path / "wheels", version)
    return tmp_path / "wheels"


@pytest.fixture
def tool(request, monkeypatch):
    """Only uv on PATH, or only pip; either way without the index of this machine."""
    name = getattr(request, "param", "uv")
    found = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    if name == "uv" and not Path(found).exists():
        pytest.skip("uv is not installed")
    monkeypatch.setattr(newest.shutil, "which", {"uv": found}.get if name == "uv" else {}.get)
    for key in [key for key in os.environ if key.startswith("PIP_")]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(newest, "pip_files", list)
    return name


def test_the_lock_is_valid_and_names_every_package():
    environment = capture()
    lock = lock_of(environment)
    Pylock.from_dict(tomllib.loads(lock))
    tool, packages = pylock.read(lock)
    assert {(package.name, package.version) for package in environment.packages} >= {
        (package.name, package.version) for package in packages if package.version != "editable"
    }
    assert tool["python"] == environment.python
    assert environment.lock_digest == pylock.digest(lock)
    assert sys.prefix not in lock, "a lock holds no path of a machine"
    assert lock == lock_of(sys.executable)


def test_an_environment_without_packages_has_a_valid_lock():
    facts = {**describe(), "packages": []}
    Pylock.from_dict(tomllib.loads(pylock.write(facts)))
    assert pylock.read(pylock.write(facts))[1] == ()


def test_what_is_no_lock_is_refused():
    for words in ("not = [toml", "lock-version = '1.0'"):
        with pytest.raises(StoreError, match="pylock"):
            pylock.read(words)


def test_what_is_no_interpreter_is_refused(tmp_path):
    with pytest.raises(StoreError, match="nowhere") as failure:
        capture(tmp_path / "nowhere")
    assert failure.value.hint


def test_hardware_is_that_of_this_process():
    found = hardware()
    assert found.cores == len(os.sched_getaffinity(0))
    assert found.memory_mib > 100
    assert found.cpu
    assert set(found.flags) <= set(FLAGS)


def test_cpuinfo_of_arm_is_read_too():
    name, flags = parse_cpuinfo("processor : 0\nFeatures : fp asimd asimddp\n\nModel : Neoverse\n")
    assert (name, flags) == ("Neoverse", {"fp", "asimd", "asimddp"})


def test_the_fingerprint_holds_what_chooses_kernels_and_not_what_makes_them_fast():
    machine = Hardware(cpu="A", cores=2, memory_mib=1, flags=("avx2",))
    faster = Hardware(cpu="B", cores=64, memory_mib=9, flags=("avx2",))
    assert fingerprint(machine, "linux-x86_64") == fingerprint(faster, "linux-x86_64")
    for change in ({"flags": ("avx2", "avx512f")}, {"gpu": "L4"}, {"driver": "570"}):
        assert fingerprint(msgspec.structs.replace(machine, **change), "linux-x86_64") != fingerprint(
            machine, "linux-x86_64"
        )
    assert fingerprint(machine, "linux-aarch64") != fingerprint(machine, "linux-x86_64")


class Installed:
    def __init__(self, record):
        self.record = record

    def read_text(self, name):
        return self.record if name == "RECORD" else ""


def test_pip_and_uv_give_the_same_wheel_the_same_digest():
    mine = "slowlib/__init__.py,sha256=abc,20\nslowlib-1.0.dist-info/METADATA,sha256=def,10\n"
    made_on_the_spot = (
        "../../../bin/slow,sha256=shebang,200",
        "slowlib/__pycache__/__init__.cpython-311.pyc,,",
        "slowlib-1.0.dist-info/INSTALLER,sha256=p,4",
        "slowlib-1.0.dist-info/RECORD,,",
    )
    pips = mine + "\n".join(made_on_the_spot)
    assert content_digest(Installed(mine)) == content_digest(Installed(pips))
    assert content_digest(Installed(mine.replace("abc", "abd"))) != content_digest(Installed(mine))


@pytest.mark.parametrize("tool", ["uv", "pip"], indirect=True)
def test_the_newest_environment_is_planned_then_built_then_reused(tool, wheels, tmp_path):
    plan = newest_plan(["slowlib==1.0"], find_links=[wheels], offline=True)
    assert plan.tool == tool
    (package,) = plan.packages
    assert (package.name, package.version, package.before) == ("slowlib", "1.1", None)
    assert plan.download_bytes == (wheels / "slowlib-1.1-py3-none-any.whl").stat().st_size
    assert plan.changed == plan.packages
    assert not (tmp_path / "envs").exists()

    built = build_newest(plan, tmp_path / "envs")
    assert built.name == "newest"
    assert [(p.name, p.version) for p in built.packages] == [("slowlib", "1.1")], "it sees its own packages only"
    assert built.python == capture().python
    said = subprocess.run(
        [built.executable, "-c", "import slowlib; print(slowlib.VERSION)"], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "1.1"

    before = (tmp_path / "envs" / plan.digest / "excise.json").stat().st_mtime_ns
    assert build_newest(plan, tmp_path / "envs") == built
    assert (tmp_path / "envs" / plan.digest / "excise.json").stat().st_mtime_ns == before


@pytest.mark.usefixtures("tool")
def test_an_interrupted_build_is_done_again(wheels, tmp_path):
    plan = newest_plan(["slowlib"], find_links=[wheels], offline=True)
    root = tmp_path / "envs" / plan.digest
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "python").write_text("half-written")
    assert [p.version for p in build_newest(plan, tmp_path / "envs").packages] == ["1.1"]


@pytest.mark.usefixtures("tool")
def test_a_rebuilt_wheel_of_the_same_version_is_another_environment(wheels):
    first = newest_plan(["slowlib"], find_links=[wheels], offline=True)
    wheel(wheels, "1.1", source="VERSION = 'patched'\n")
    assert newest_plan(["slowlib"], find_links=[wheels], offline=True).digest != first.digest


@pytest.mark.parametrize("tool", ["uv", "pip"], indirect=True)
@pytest.mark.usefixtures("tool")
def test_what_does_not_resolve_is_not_measured_with_the_reason(wheels):
    wheel(wheels, "2.0", needs=["missinglib>=3"], name="needy")
    with pytest.raises(NotMeasured, match="missinglib") as failure:
        newest_plan(["needy"], find_links=[wheels], offline=True)
    assert "\n" not in failure.value.message
    assert failure.value.hint


@pytest.mark.usefixtures("tool")
def test_a_plan_that_is_too_large_is_refused(wheels):
    with pytest.raises(NotMeasured, match="slowlib alone") as failure:
        newest_plan(["slowlib"], find_links=[wheels], offline=True, max_download_mb=0.0001)
    assert "--max-download" in failure.value.hint


def test_without_roots_there_is_nothing_to_bring_up_to_date():
    with pytest.raises(NotMeasured, match="no installed distributions"):
        newest_plan([])


def test_the_users_index_settings_are_read_as_pip_reads_them(tmp_path, monkeypatch):
    for key in [key for key in os.environ if key.startswith("PIP_")]:
        monkeypatch.delenv(key)
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://one.example/simple\nfind-links =\n    /a\n    /b\n[install]\nno-index = true\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://two.example/simple https://three.example/simple")
    monkeypatch.setattr(newest, "pip_files", lambda: [config])
    found = index_settings()
    assert found.index_url == "https://one.example/simple"
    assert found.find_links == ("/a", "/b")
    assert found.extra_index_urls == ("https://two.example/simple", "https://three.example/simple")
    assert found.no_index


@pytest.mark.parametrize(("requirement", "name"), [("Slow_Lib==1", "slow-lib"), ("a[b]>=1; x", "a"), ("", "")])
def test_pins_are_dropped(requirement, name):
    assert bare(requirement) == name
