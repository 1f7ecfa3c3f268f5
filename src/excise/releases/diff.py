"""What changed between two releases, named one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from excise.core.environment import Environment
from excise.core.estimate import Estimate
from excise.core.release import Baseline, FileEntry, Release

SCHEMA = "excise/release-diff/v1"
NUMBERS = ("latency_ms", "p50_ms", "p95_ms", "p99_ms", "cpu_ms", "rss_mib", "load_ms", "skill")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that differs.

    Attributes:
        kind: ``weights``, ``code``, ``data``, ``handling``, ``signature``, ``python``, ``package``, ``hardware`` or
            ``baseline``.
        name: file, package, field or number.
        before, after: what it was and is; None where there was or is nothing.
    """

    kind: str
    name: str
    before: str | None
    after: str | None


class ReleaseDiff(msgspec.Struct, frozen=True, kw_only=True):
    """All changes from one release to another; none where they are the same."""

    schema: str = SCHEMA
    before: str
    after: str
    before_digest: str
    after_digest: str
    changes: tuple[Change, ...]


def compare(before: tuple[Release, Baseline | None], after: tuple[Release, Baseline | None]) -> ReleaseDiff:
    """What changed, in the order in which it is likely to matter: files, how they are called, environment, numbers."""
    (old, old_baseline), (new, new_baseline) = before, after
    changes = (
        *file_changes(old, new),
        *handling_changes(old, new),
        *environment_changes(old.environment, new.environment),
        *baseline_changes(old_baseline, new_baseline),
    )
    return ReleaseDiff(
        before=f"{old.name}@{old.version}",
        after=f"{new.name}@{new.version}",
        before_digest=old.digest,
        after_digest=new.digest,
        changes=changes,
    )


def file_changes(old: Release, new: Release) -> Iterator[Change]:
    """Files that were added, removed or changed, weights first."""
    before, after = ({file.path: file for file in release.files} for release in (old, new))
    ranks = {"weights": 0, "code": 1, "data": 2}
    changed = [path for path in before | after if content(before.get(path)) != content(after.get(path))]
    roles = {path: (after.get(path) or before[path]).role for path in changed}
    for path in sorted(changed, key=lambda path: (ranks[roles[path]], path)):
        yield Change(
            kind=roles[path], name=path, before=file_words(before.get(path)), after=file_words(after.get(path))
        )


def content(file: FileEntry | None) -> str | None:
    """What decides whether a file changed."""
    return None if file is None else file.sha256


def file_words(file: FileEntry | None) -> str | None:
    """Short digest and size of a file."""
    return None if file is None else f"sha256:{file.sha256[:12]} ({file.size} bytes)"


def handling_changes(old: Release, new: Release) -> Iterator[Change]:
    """How the model is loaded and called, and what goes in and comes out."""
    fields = ("kind", "loader", "target", "options", "input")
    yield from differing("handling", {f: getattr(old, f) for f in fields}, {f: getattr(new, f) for f in fields})
    for side in ("inputs", "outputs"):
        specs = [
            {spec.name: f"{spec.dtype} {shape_words(spec.shape)}" for spec in getattr(r.signature, side)}
            for r in (old, new)
        ]
        yield from differing("signature", *specs)


def shape_words(shape: tuple[int | None, ...]) -> str:
    """A shape with a star on every free axis."""
    return "[" + ", ".join("*" if axis is None else str(axis) for axis in shape) + "]"


def environment_changes(old: Environment, new: Environment) -> Iterator[Change]:
    """Interpreter, every package, and the machine."""
    yield from differing("python", facts(old, ("python", "platform")), facts(new, ("python", "platform")))
    before, after = ({package.name: package for package in side.packages} for side in (old, new))
    for name in sorted(before | after):
        if before.get(name) != after.get(name):
            yield Change(
                kind="package",
                name=name,
                before=package_words(before, after, name),
                after=package_words(after, before, name),
            )
    fields = ("cpu", "cores", "memory_mib", "flags", "gpu", "driver")
    yield from differing("hardware", facts(old.hardware, fields), facts(new.hardware, fields))


def package_words(side: Mapping[str, Any], other: Mapping[str, Any], name: str) -> str | None:
    """The version; with the digest where only that tells the two apart."""
    if name not in side:
        return None
    twin = other.get(name)
    same_version = twin is not None and twin.version == side[name].version
    return (
        f"{side[name].version} ({(side[name].sha256 or 'no digest')[:12]})" if same_version else str(side[name].version)
    )


def facts(thing: object, fields: tuple[str, ...]) -> dict[str, Any]:
    """Some fields of a struct."""
    return {field: getattr(thing, field) for field in fields}


def baseline_changes(old: Baseline | None, new: Baseline | None) -> Iterator[Change]:
    """The measured numbers, with their intervals; the machine that they were measured on is among them."""
    if old is None or new is None:
        yield from differing("baseline", {"measured": day_of(old)}, {"measured": day_of(new)})
        return
    sides = [numbers(side) for side in (old, new)]
    yield from differing("baseline", *sides)


def day_of(baseline: Baseline | None) -> str | None:
    """When a baseline was measured."""
    return None if baseline is None else baseline.measured


def numbers(baseline: Baseline) -> dict[str, str]:
    """Every number of a baseline in words."""
    found = {name: getattr(baseline, name) for name in NUMBERS}
    words = {name: estimate_words(value) for name, value in found.items() if value is not None}
    return words | ({"measured on": baseline.hardware.cpu} if baseline.hardware else {})


def estimate_words(estimate: Estimate) -> str:
    """A number with its interval and unit."""
    ends = [("?" if end is None else f"{end:.4g}") for end in (estimate.low, estimate.high)]
    return f"{estimate.value:.4g} [{ends[0]}, {ends[1]}] {estimate.unit}"


def differing(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """The keys whose values differ."""
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield Change(kind=kind, name=name, before=words(before.get(name)), after=words(after.get(name)))


def words(value: Any) -> str | None:
    """A value for people; None stays None."""
    if value is None or isinstance(value, str):
        return value
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
