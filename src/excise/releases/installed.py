"""Lists what an interpreter has installed. Runs inside that interpreter: stdlib only, Python 3.8, nothing of excise."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
import sysconfig
from importlib import metadata
from pathlib import PurePosixPath
from typing import Any

WRITTEN_BY_INSTALLERS = frozenset(("INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json"))
"""Files of a .dist-info that say how it was installed, not what."""
TAG_PARTS = 3  # python, abi, platform
ROW_PARTS = 3  # path, hash, size


def describe() -> dict[str, Any]:
    """Interpreter and distributions, as plain JSON values."""
    return {
        "executable": sys.executable,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": sysconfig.get_platform(),
        "machine": platform.machine(),
        "system": sys.platform,
        "packages": packages(),
    }


def packages() -> list[dict[str, Any]]:
    """One entry per distribution that an import would find: the first on the path, sorted by name."""
    found: dict[str, metadata.Distribution] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name:
            found.setdefault(normalized(name), distribution)
    return [entry(name, found[name]) for name in sorted(found)]


def normalized(name: str) -> str:
    """The name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def entry(name: str, distribution: metadata.Distribution) -> dict[str, Any]:
    """Name, version, the wheel that it came from, and a digest of what that wheel laid down."""
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    return {
        "name": name,
        "version": distribution.version,
        "wheel": wheel_name(distribution),
        "editable": bool(origin.get("dir_info", {}).get("editable")),
        "content": content_digest(distribution),
    }


def wheel_name(distribution: metadata.Distribution) -> str | None:
    """The file name of the wheel by its own tags; None where it was not installed from one."""
    lines = (distribution.read_text("WHEEL") or "").splitlines()
    tags = [line.partition(":")[2].strip().split("-") for line in lines if line.startswith("Tag:")]
    tags = [tag for tag in tags if len(tag) == TAG_PARTS]
    if not tags:
        return None
    parts = [".".join(sorted({tag[i] for tag in tags})) for i in range(TAG_PARTS)]
    stem = re.sub(r"[-_.]+", "_", distribution.metadata["Name"])
    return "-".join([stem, distribution.version.replace("-", "_"), *parts]) + ".whl"


def content_digest(distribution: metadata.Distribution) -> str:
    """The sha256 over paths and hashes of the installed files, equal for every installer of the same wheel."""
    record = distribution.read_text("RECORD")
    if not record:
        words = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
        return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()
    rows = sorted(row for row in record.splitlines() if belongs_to_wheel(row.rsplit(",", 2)))
    return hashlib.sha256("\n".join(rows).encode("utf-8")).hexdigest()


def belongs_to_wheel(row: list[str]) -> bool:
    """Whether a row of RECORD is a file of the wheel: compiled files and start scripts are made on the spot."""
    path = row[0].strip('"')
    outside = path.startswith(("..", "/")) or path.endswith(".pyc")
    return (
        len(row) == ROW_PARTS and bool(row[1]) and not outside and PurePosixPath(path).name not in WRITTEN_BY_INSTALLERS
    )


def roots() -> list[str]:
    """Distributions that own a module which is loaded now, sorted."""
    owners: dict[str, set[str]] = {}
    for distribution in metadata.distributions():
        # Not distribution.files: that asks the disk about every file, which takes a minute where torch is installed.
        paths = (row.partition(",")[0].strip('"') for row in (distribution.read_text("RECORD") or "").splitlines())
        for module in set(map(top_level, paths)):
            owners.setdefault(module, set()).add(normalized(distribution.metadata["Name"] or ""))
    loaded = {name.partition(".")[0] for name in list(sys.modules)}
    return sorted({owner for name in loaded for owner in owners.get(name, ())} - {""})


def top_level(path: str) -> str:
    """The name under which an installed file is imported; empty for what is not importable."""
    head, slash, _ = path.partition("/")
    if slash:
        return head if not head.endswith((".dist-info", ".data")) and head != ".." else ""
    return head.partition(".")[0] if head.endswith((".py", ".so", ".pyd")) else ""
