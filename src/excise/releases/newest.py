"""The newest environment that a model's packages allow: planned first, built only when asked, cached by its plan."""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlparse

import msgspec

from excise.core.environment import Environment
from excise.core.errors import NotMeasured
from excise.releases.environment import capture, describe, isolated
from excise.releases.layout import explained, hash_file, take

MAX_DOWNLOAD_MB = 500
MEGABYTE = 1_000_000
TIMEOUT_S = 600
HEAD_TIMEOUT_S = 15
REASON_LENGTH = 400
DONE = "excise.json"
"""Written last: a folder without it was interrupted and is built again."""


class PlannedPackage(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One distribution of the plan.

    Attributes:
        name, version: what would be installed.
        before: what is installed now, None where nothing is.
        sha256: of the wheel; empty where the index tells none.
        size_bytes: of the wheel, None where nobody tells.
    """

    name: str
    version: str
    before: str | None
    sha256: str
    size_bytes: int | None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What ``build_newest`` would install.

    Attributes:
        roots: the names that it was resolved from, without pins.
        packages: sorted by name.
        tool: ``uv`` or ``pip``.
        executable: the interpreter that the environment is made from; the same minor version of Python.
        find_links: extra places for wheels.
        offline: nothing was or will be fetched.
    """

    roots: tuple[str, ...]
    packages: tuple[PlannedPackage, ...]
    tool: str
    executable: str
    find_links: tuple[str, ...] = ()
    offline: bool = False

    @property
    def changed(self) -> tuple[PlannedPackage, ...]:
        """Packages whose version differs from the one installed now."""
        return tuple(package for package in self.packages if package.version != package.before)

    @property
    def download_bytes(self) -> int:
        """Size of all wheels; less is fetched where the tool's cache has them."""
        return sum(package.size_bytes or 0 for package in self.packages)

    @property
    def unsized(self) -> tuple[str, ...]:
        """Packages whose size nobody tells."""
        return tuple(package.name for package in self.packages if package.size_bytes is None)

    @property
    def digest(self) -> str:
        """Names the environment: interpreter, platform and the exact wheels."""
        wheels = [(package.name, package.version, package.sha256) for package in self.packages]
        return hashlib.sha256(msgspec.json.encode([self.executable, sysconfig.get_platform(), wheels])).hexdigest()


class IndexSettings(NamedTuple):
    """Where the user's pip looks for packages."""

    index_url: str | None
    extra_index_urls: tuple[str, ...]
    find_links: tuple[str, ...]
    no_index: bool


def newest_plan(
    roots: Iterable[str],
    executable: str = sys.executable,
    *,
    find_links: Sequence[str | os.PathLike[str]] = (),
    offline: bool = False,
    max_download_mb: float | None = MAX_DOWNLOAD_MB,
) -> Plan:
    """Resolve distributions to their newest versions that fit together, wheels only; nothing is installed.

    Args:
        roots: distribution names; pins are dropped.
        executable: the interpreter that the environment is for.
        find_links: folders or pages with more wheels, beside the user's own index settings.
        offline: use only local wheels and caches.
        max_download_mb: refuse a plan whose wheels are larger together; None for no limit.

    Raises:
        NotMeasured: it does not resolve, would be too large, or its size cannot be known.
    """
    names = tuple(sorted({bare(root) for root in roots} - {""}))
    if not names:
        raise NotMeasured("the model uses no installed distributions", hint="there is nothing to bring up to date")
    tool = "uv" if shutil.which("uv") else "pip"
    links = tuple(os.fspath(link) for link in find_links)
    installed = {entry["name"]: entry["version"] for entry in describe(executable)["packages"]}
    resolve = resolve_with_uv if tool == "uv" else resolve_with_pip
    found = resolve(names, executable, links, offline=offline)
    packages = tuple(sorted(msgspec.structs.replace(package, before=installed.get(package.name)) for package in found))
    plan = Plan(roots=names, packages=packages, tool=tool, executable=executable, find_links=links, offline=offline)
    refuse_large(plan, max_download_mb)
    return plan


def refuse_large(plan: Plan, max_download_mb: float | None) -> None:
    """Refuse a plan that would fetch more than the user allows.

    Raises:
        NotMeasured: it is larger, or its size cannot be known.
    """
    if max_download_mb is None:
        return
    if plan.unsized:
        names = ", ".join(plan.unsized)
        raise NotMeasured(
            f"the size of {names} is not known before the download", hint="lift the limit with --max-download 0"
        )
    if plan.download_bytes > max_download_mb * MEGABYTE:
        largest = max(plan.packages, key=lambda package: package.size_bytes or 0)
        raise NotMeasured(
            f"the newest environment needs {plan.download_bytes / MEGABYTE:.0f} MB"
            f" ({largest.name} alone {(largest.size_bytes or 0) / MEGABYTE:.0f}), {max_download_mb:.0f} are allowed",
            hint="raise --max-download, or name a smaller index with --find-links",
        )


def build_newest(plan: Plan, folder: Path) -> Environment:
    """Build a plan's environment under ``folder/<digest>``, or take the one that is there.

    The environment sees its own packages only. One that was interrupted is built again; two processes
    that want the same one build it once.

    Raises:
        NotMeasured: a package cannot be installed. StoreError: the folder cannot be written.
    """
    root = folder / plan.digest
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / f"{plan.digest}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            take(handle, root)
            if not (root / DONE).exists():
                install(plan, root)
        finally:
            os.close(handle)
    return capture(python_of(root), "newest")


def install(plan: Plan, root: Path) -> None:
    """Make the virtual environment and put exactly the planned wheels into it."""
    shutil.rmtree(root, ignore_errors=True)
    requirements = "".join(
        f"{package.name}=={package.version}" + (f" --hash=sha256:{package.sha256}" if package.sha256 else "") + "\n"
        for package in plan.packages
    )
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "requirements.txt"
        file.write_text(requirements, encoding="utf-8")
        options = ["--no-deps", "--only-binary", ":all:", "-q", "-r", str(file)]
        if plan.tool == "uv":
            run([uv(), "venv", "-q", "--no-project", "--python", plan.executable, str(root)])
            flags = uv_flags(plan.find_links, offline=plan.offline)
            run([uv(), "pip", "install", "--python", str(python_of(root)), *flags, *options])
        else:
            run([plan.executable, "-m", "venv", "--without-pip", str(root)])
            flags = pip_flags(plan.find_links, offline=plan.offline)
            run([sys.executable, "-m", "pip", "--python", str(python_of(root)), "install", *flags, *options])
    (root / DONE).write_bytes(msgspec.json.encode(plan))


def resolve_with_uv(
    names: Sequence[str], executable: str, find_links: Sequence[str], *, offline: bool
) -> Iterator[PlannedPackage]:
    """Ask uv for a PEP 751 lock: it names one wheel per package, with hash and size."""
    command = [uv(), "pip", "compile", "-", "--format", "pylock.toml", "-q", "--no-header", "--only-binary", ":all:"]
    command += ["--python", executable, *uv_flags(find_links, offline=offline)]
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "pylock.toml"
        # uv writes paths relative to the lock: it must lie where the lock says it lies.
        run([*command, "-o", str(target)], words="\n".join(names), cwd=scratch)
        lock = tomllib.loads(target.read_text(encoding="utf-8"))
        for package in lock["packages"]:
            yield from_lock(package, target.parent)


def from_lock(package: dict[str, Any], folder: Path) -> PlannedPackage:
    """One package of uv's lock; a local wheel is measured where it lies."""
    wheel = (package.get("wheels") or [package.get("archive") or {}])[0]
    local = folder / wheel["path"] if "path" in wheel else local_path(wheel.get("url", ""))
    digest, size = hash_file(local) if local else (wheel.get("hashes", {}).get("sha256", ""), wheel.get("size"))
    return PlannedPackage(
        name=package["name"],
        version=package["version"],
        before=None,
        sha256=digest.removeprefix("sha256:"),
        size_bytes=size,
    )


def resolve_with_pip(
    names: Sequence[str], executable: str, find_links: Sequence[str], *, offline: bool
) -> Iterator[PlannedPackage]:
    """Ask pip for its installation report; sizes are not in it and are asked for one by one."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "report.json"
        command = [sys.executable, "-m", "pip", "--python", executable, "install", "--dry-run", "--ignore-installed"]
        command += ["-q", "--only-binary", ":all:", "--report", str(target), *pip_flags(find_links, offline=offline)]
        run([*command, *names])
        report = json.loads(target.read_bytes())
    for entry in report["install"]:
        origin = entry["download_info"]
        yield PlannedPackage(
            name=re.sub(r"[-_.]+", "-", entry["metadata"]["name"]).lower(),
            version=entry["metadata"]["version"],
            before=None,
            sha256=origin.get("archive_info", {}).get("hashes", {}).get("sha256", ""),
            size_bytes=size_of(origin["url"]),
        )


def size_of(url: str) -> int | None:
    """Bytes behind a URL without fetching them, None where nobody tells."""
    if local := local_path(url):
        return local.stat().st_size
    if not url.startswith("https://"):
        return None
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310  https only, checked above
    try:
        with urllib.request.urlopen(request, timeout=HEAD_TIMEOUT_S) as answer:  # noqa: S310  as above
            return int(answer.headers["Content-Length"])
    except (OSError, TypeError, ValueError):
        return None


def local_path(url: str) -> Path | None:
    """The file of a ``file:`` URL."""
    parts = urlparse(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def uv_flags(find_links: Sequence[str], *, offline: bool) -> list[str]:
    """The user's pip settings in uv's words: uv reads its own settings by itself, but not pip's."""
    settings = index_settings()
    flags = ["--index-url", settings.index_url] if settings.index_url else []
    flags += [word for url in settings.extra_index_urls for word in ("--extra-index-url", url)]
    if settings.extra_index_urls:
        flags += ["--index-strategy", "unsafe-best-match"]  # what pip does with several indexes
    flags += [word for link in (*settings.find_links, *find_links) for word in ("--find-links", link)]
    flags += ["--no-index"] if settings.no_index else []
    return flags + (["--offline"] if offline else [])


def pip_flags(find_links: Sequence[str], *, offline: bool) -> list[str]:
    """Flags for pip, which reads the user's settings by itself; it has no offline mode but doing without indexes."""
    flags = [word for link in find_links for word in ("--find-links", link)]
    return flags + (["--no-index"] if offline else [])


def index_settings() -> IndexSettings:
    """Index settings from pip's configuration files and variables, the latter stronger, as pip reads them."""
    found: dict[str, str] = {}
    for file in pip_files():
        parser = configparser.RawConfigParser()
        parser.read(file, encoding="utf-8")
        for section in ("global", "install"):
            found |= dict(parser.items(section)) if parser.has_section(section) else {}
    found |= {key[4:].lower().replace("_", "-"): value for key, value in os.environ.items() if key.startswith("PIP_")}
    return IndexSettings(
        index_url=found.get("index-url"),
        extra_index_urls=tuple(found.get("extra-index-url", "").split()),
        find_links=tuple(found.get("find-links", "").split()),
        no_index=found.get("no-index", "").lower() in ("1", "true", "yes", "on"),
    )


def pip_files() -> list[Path]:
    """Where pip looks for its configuration, weakest first.

    Source:
        https://pip.pypa.io/en/stable/topics/configuration/
    """
    home = Path.home()
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    own = os.environ.get("PIP_CONFIG_FILE")
    files = [Path("/etc/pip.conf"), home / ".pip/pip.conf", config / "pip/pip.conf", Path(sys.prefix) / "pip.conf"]
    return files + ([Path(own)] if own else [])


def run(command: Sequence[str], *, words: str | None = None, cwd: str | None = None) -> None:
    """Run a tool of packaging, with what it said as the reason where it fails.

    Raises:
        NotMeasured: it failed or took too long.
    """
    try:
        subprocess.run(
            command,
            input=words,
            cwd=cwd,
            env=isolated(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
            stdin=None if words is not None else subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = re.sub(r"[^!-~]+", " ", getattr(error, "stderr", None) or str(error)).strip()
        raise NotMeasured(
            f"the newest environment cannot be had: {said[:REASON_LENGTH]}",
            hint="check the index settings, or name a folder of wheels with --find-links",
        ) from error


def bare(requirement: str) -> str:
    """The name of a requirement without pins, extras and markers.

    >>> bare("scikit_learn==1.4.2"), bare("Uvicorn[standard]>=0.2; python_version > '3'")
    ('scikit-learn', 'uvicorn')
    """
    match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", requirement)
    return re.sub(r"[-_.]+", "-", match[1]).lower() if match else ""


def uv() -> str:
    """The uv on PATH."""
    return shutil.which("uv") or "uv"


def python_of(root: Path) -> Path:
    """The interpreter of a virtual environment."""
    return root / "bin" / "python"
