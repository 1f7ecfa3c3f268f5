"""The documents of an OCI image layout, with the media types of CNCF ModelPack.

Source:
    OCI image specification 1.1 (image layout, manifest, subject); modelpack/model-spec, specs-go/v1.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
MODEL = "application/vnd.cncf.model.manifest.v1+json"
MODEL_CONFIG = "application/vnd.cncf.model.config.v1+json"
DOCUMENT = "application/vnd.cncf.model.doc.v1.raw"
ROLES = {
    "weights": "application/vnd.cncf.model.weight.v1.raw",
    "code": "application/vnd.cncf.model.code.v1.raw",
    "data": "application/vnd.cncf.model.dataset.v1.raw",
}
"""Media type of a file by its role; one file is one uncompressed layer, as the model specification advises."""
BASELINE = "application/vnd.excise.baseline.v1+json"
PROVENANCE = "application/vnd.excise.provenance.v1+json"

FILE_PATH = "org.cncf.model.filepath"
REF_NAME = "org.opencontainers.image.ref.name"
CREATED = "org.opencontainers.image.created"
LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
EMPTY_DOCUMENT = b"{}"


class Descriptor(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What a document says about a blob."""

    media_type: str
    digest: str
    size: int
    artifact_type: str | None = None
    annotations: dict[str, str] = {}

    @property
    def path(self) -> str:
        """The file that the blob is, empty for a document without one."""
        return self.annotations.get(FILE_PATH, "")


class Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An OCI image manifest that carries an artifact."""

    # A default that differs from its value keeps fields in the encoding; others leave out what is empty here.
    schema_version: int
    config: Descriptor
    layers: tuple[Descriptor, ...]
    media_type: str = ""
    artifact_type: str = ""
    subject: Descriptor | None = None

    def layer(self, path: str) -> Descriptor:
        """The layer that holds a file.

        Raises:
            KeyError: none does.
        """
        found = next((layer for layer in self.layers if layer.path == path), None)
        if found is None:
            raise KeyError(path)
        return found


class Index(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An image layout's ``index.json``."""

    schema_version: int
    media_type: str
    manifests: tuple[Descriptor, ...]
    annotations: dict[str, str] = {}


def manifest(
    artifact_type: str, config: Descriptor, layers: tuple[Descriptor, ...], subject: Descriptor | None = None
) -> Manifest:
    """A manifest with its constant fields filled in."""
    return Manifest(
        schema_version=2,
        media_type=MANIFEST,
        artifact_type=artifact_type,
        config=config,
        layers=layers,
        subject=subject,
    )


def encode(document: Any) -> bytes:
    """Canonical JSON: sorted keys, no blanks, so that equal documents have equal digests."""
    return msgspec.json.encode(document, order="sorted")


def digest_of(content: bytes) -> str:
    """``sha256:…`` of some bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()
