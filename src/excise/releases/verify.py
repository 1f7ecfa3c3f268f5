"""Whether every byte of a release is the one that was stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from excise.core.errors import Mismatch
from excise.releases import oci
from excise.releases.layout import Layout
from excise.releases.oci import Descriptor, Manifest

HINT = "do not serve it; copy the release from where it was made"


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What was hashed.

    Attributes:
        releases: tags that were checked, ``name@version``.
        blobs: distinct files of the store that were hashed.
        size_bytes: of them together.
    """

    releases: tuple[str, ...]
    blobs: int
    size_bytes: int


def verify_release(layout: Layout, entries: Sequence[Descriptor]) -> Verification:
    """Hash the manifests, files and records of some releases; the index has checked itself when it was read.

    Raises:
        Mismatch: naming everything that differs.
    """
    found = list(marker_problems(layout))
    seen: dict[str, int] = {}
    tags = {entry.digest: entry.annotations[oci.REF_NAME] for entry in reversed(entries)}
    for entry in (*entries, *(record for record in layout.index() if subject_of(record) in tags)):
        found += problems(layout, entry, name_of(entry, tags), seen)
    if found:
        raise Mismatch("; ".join(dict.fromkeys(found)), hint=HINT)
    names = tuple(entry.annotations[oci.REF_NAME] for entry in entries)
    return Verification(releases=names, blobs=len(seen), size_bytes=sum(seen.values()))


def marker_problems(layout: Layout) -> Iterator[str]:
    """What is wrong with the layout's marker file."""
    marker = layout.root / "oci-layout"
    if marker.is_file() and marker.read_bytes() != oci.LAYOUT:
        yield "oci-layout is not what excise wrote"
    if not marker.is_file() and layout.index():
        yield "oci-layout is missing"


def problems(layout: Layout, entry: Descriptor, what: str, seen: dict[str, int]) -> Iterator[str]:
    """What is wrong with a manifest or with anything that it names; without the manifest nothing is named."""
    if wrong := checked_once(layout, entry, seen):
        yield f"the manifest of {what} {wrong} ({entry.digest})"
        return
    manifest = msgspec.json.decode(layout.path(entry.digest).read_bytes(), type=Manifest)
    for part in (manifest.config, *manifest.layers):
        if wrong := checked_once(layout, part, seen):
            yield f"{part.path or 'the configuration'} of {what} {wrong} ({part.digest})"


def checked_once(layout: Layout, part: Descriptor, seen: dict[str, int]) -> str | None:
    """What is wrong with a blob; one that several releases share is hashed once."""
    if part.digest in seen:
        return None
    wrong = layout.check(part)
    if wrong is None:
        seen[part.digest] = part.size
    return wrong


def name_of(entry: Descriptor, tags: Mapping[str, str]) -> str:
    """What to call an entry of the index: its tag, or what it records of which release."""
    record = "the baseline" if entry.artifact_type == oci.BASELINE else "the provenance"
    return entry.annotations.get(oci.REF_NAME) or f"{record} of {tags[subject_of(entry) or '']}"


def subject_of(entry: Descriptor) -> str | None:
    """The digest of the release that an entry is about."""
    return entry.annotations.get("io.readthedocs.excise.subject")
