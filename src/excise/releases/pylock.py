"""The installed set as a PEP 751 lock: ``pylock.toml``, written the same way every time.

An installed distribution no longer knows the hash of the archive that it came from. So each package names
the wheel that its own metadata describes, to be looked for beside the lock, and carries the digest of
what that wheel laid down under ``installed-sha256``. No network, no machine path: equal environments have equal locks.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from excise.core.environment import Package
from excise.core.errors import StoreError

FILE_NAME = "pylock.toml"
CONTENT_HASH = "installed-sha256"


def write(facts: Mapping[str, Any]) -> str:
    """The lock of what ``installed.describe`` saw.

    Source:
        PEP 751; https://packaging.python.org/en/latest/specifications/pylock-toml/
    """
    major, minor = facts["python"].split(".")[:2]
    marker = f"sys_platform == '{facts['system']}' and platform_machine == '{facts['machine']}'"
    head = [
        'lock-version = "1.0"',
        f"environments = [{quoted(marker)}]",
        f"requires-python = {quoted(f'=={major}.{minor}.*')}",
        'created-by = "excise"',
    ]
    tool = [
        "[tool.excise]",
        f"implementation = {quoted(facts['implementation'])}",
        f"platform = {quoted(facts['platform'])}",
        f"python = {quoted(facts['python'])}",
    ]
    tables = [line for package in facts["packages"] for line in ("", *table(package))]
    # An array of tables that is empty cannot be spelled as tables.
    empty = [] if tables else ["packages = []"]
    return "\n".join([*head, *empty, *tables, "", *tool, ""])


def table(package: Mapping[str, Any]) -> Iterator[str]:
    """The lines of one package."""
    yield "[[packages]]"
    yield f"name = {quoted(package['name'])}"
    if not package["editable"]:
        yield f"version = {quoted(package['version'])}"
    yield source(package)


def source(package: Mapping[str, Any]) -> str:
    """Where the package came from: a wheel, a folder in development, or a source archive."""
    hashes = f"{{ {CONTENT_HASH} = {quoted(package['content'])} }}"
    if package["editable"]:
        return f"directory = {{ path = {quoted(package['name'])}, editable = true }}"
    if package["wheel"]:
        return f"wheels = [{{ path = {quoted(package['wheel'])}, hashes = {hashes} }}]"
    archive = f"{package['name'].replace('-', '_')}-{package['version']}.tar.gz"
    return f"sdist = {{ path = {quoted(archive)}, hashes = {hashes} }}"


def quoted(words: str) -> str:
    """A TOML basic string: JSON's escapes are a subset of TOML's."""
    return json.dumps(words, ensure_ascii=False)


def digest(lock: str) -> str:
    """``sha256:…`` of the lock's text."""
    return "sha256:" + hashlib.sha256(lock.encode()).hexdigest()


def read(lock: str) -> tuple[dict[str, Any], tuple[Package, ...]]:
    """The ``[tool.excise]`` table of a lock, and its packages.

    Raises:
        StoreError: not a lock of PEP 751.
    """
    try:
        document = tomllib.loads(lock)
        packages = tuple(to_package(entry) for entry in document["packages"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise StoreError(f"not a pylock.toml: {error}", hint="PEP 751 asks for lock-version and packages") from error
    return document.get("tool", {}).get("excise", {}), packages


def to_package(entry: Mapping[str, Any]) -> Package:
    """One package of a lock, with the first hash that it carries."""
    files: Iterable[Mapping[str, Any]] = [
        *entry.get("wheels", ()),
        entry.get("sdist") or {},
        entry.get("archive") or {},
    ]
    hashes = (file["hashes"] for file in files if file.get("hashes"))
    first: Mapping[str, str] = next(hashes, {})
    return Package(
        name=entry["name"],
        version=entry.get("version", "editable"),
        sha256=first.get(CONTENT_HASH) or first.get("sha256"),
    )
