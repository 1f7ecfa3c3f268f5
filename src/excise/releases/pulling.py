"""Brings releases from other image layouts and registries into a store."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import IO, Protocol, TypeVar

import msgspec

from excise.core.errors import Mismatch
from excise.releases import oci
from excise.releases.layout import Layout
from excise.releases.oci import Descriptor, Index, Manifest
from excise.releases.store import NOTE, RELEASE_FILE, ROLE_OF

Document = TypeVar("Document", Manifest, Index)
RECORDS = (oci.BASELINE, oci.PROVENANCE)
"""What is pulled with a release, since it points at it."""


class Source(Protocol):
    """Where manifests and blobs come from."""

    def manifest(self, reference: str) -> bytes:
        """The document under a tag or digest; whatever it is, its digest is not checked yet."""

    def blob(self, digest: str) -> IO[bytes]:
        """A blob's bytes, not checked yet."""

    def referrers(self, digest: str) -> tuple[Descriptor, ...]:
        """Manifests that point at a digest."""


def read_manifest(source: Source, reference: str) -> tuple[Descriptor, Manifest]:
    """A manifest by tag or digest, checked where it was named by digest.

    Raises:
        Mismatch: it is another one, or none.
    """
    content = source.manifest(reference)
    digest = oci.digest_of(content)
    if reference.startswith("sha256:") and digest != reference:
        raise Mismatch(f"the manifest is not what its digest says ({reference})", hint="fetch it again")
    found = Descriptor(media_type=oci.MANIFEST, digest=digest, size=len(content))
    return found, decoded(content, Manifest)


def decoded(content: bytes, kind: type[Document]) -> Document:
    """A document of the image specification.

    Raises:
        Mismatch: it is none of this kind.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = "name one image of a model; an index of several cannot be opened"
        raise Mismatch(f"it holds no {kind.__name__.lower()} of a model: {error}", hint=hint) from error


def is_release(manifest: Manifest) -> bool:
    """Whether excise made it."""
    return any(layer.path == RELEASE_FILE for layer in manifest.layers)


def size_of(manifest: Manifest) -> int:
    """Bytes of its files."""
    return sum(layer.size for layer in manifest.layers)


def pull(source: Source, found: Descriptor, manifest: Manifest, layout: Layout) -> None:
    """Copy a manifest and everything that it names, itself last: where it is, all of it is.

    Raises:
        Mismatch: something is not what its digest says. StoreError: there is no room or no permission.
    """
    for blob in (manifest.config, *manifest.layers):
        layout.put_stream(opener(source.blob, blob.digest), blob)
    layout.put_stream(lambda: io.BytesIO(source.manifest(found.digest)), found)


def list_release(source: Source, found: Descriptor, manifest: Manifest, layout: Layout, tag: str) -> None:
    """Copy what was measured of a release that was pulled, and list it under ``name@version``."""
    records = [one for one in source.referrers(found.digest) if one.artifact_type in RECORDS]
    for record in records:
        pull(source, *read_manifest(source, record.digest), layout)
    size = sum(layer.size for layer in manifest.layers if layer.media_type in ROLE_OF)
    notes = {oci.REF_NAME: tag, NOTE + "size": str(size)}
    entry = msgspec.structs.replace(found, artifact_type=oci.MODEL, annotations=notes)
    with layout.update() as entries:
        entries[:] = [one for one in entries if one.annotations.get(oci.REF_NAME) != tag]
        entries += [entry, *unlisted(records, found.digest, entries)]


def opener(blob: Callable[[str], IO[bytes]], digest: str) -> Callable[[], IO[bytes]]:
    """Opens a blob when it is needed."""
    return lambda: blob(digest)


def unlisted(records: Iterable[Descriptor], subject: str, entries: Iterable[Descriptor]) -> list[Descriptor]:
    """The records that an index does not list yet, as it lists them."""
    listed = {one.digest for one in entries}
    return [
        msgspec.structs.replace(one, annotations={NOTE + "subject": subject})
        for one in records
        if one.digest not in listed
    ]
