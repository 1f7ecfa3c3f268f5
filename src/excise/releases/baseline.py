"""What was measured at approval, as a manifest of its own that points at the release."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from excise.core.errors import Mismatch
from excise.core.release import Baseline
from excise.releases import oci
from excise.releases.bundle import checked
from excise.releases.layout import Layout
from excise.releases.oci import Descriptor, Manifest

DOCUMENT = "baseline.json"
REFERENCE = "baseline/reference.parquet"
PROFILE = "baseline/profile.bin"
"""Where the reference rows and their FeatureProfile lie by custom, inside an opened release."""


def put(layout: Layout, subject: Descriptor, baseline: Baseline, files: Mapping[str, Path | bytes]) -> Descriptor:
    """Store a baseline and the files that it names; equal ones are the same manifest."""
    document = layout.put_bytes(oci.encode(baseline), oci.BASELINE, **{oci.FILE_PATH: DOCUMENT})
    layers = tuple(put_file(layout, checked(path), files[path]) for path in sorted(files))
    empty = layout.put_bytes(oci.EMPTY_DOCUMENT, oci.EMPTY)
    manifest = oci.manifest(oci.BASELINE, empty, (document, *layers), subject)
    return layout.put_bytes(oci.encode(manifest), oci.MANIFEST)


def put_file(layout: Layout, path: str, content: Path | bytes) -> Descriptor:
    """One file of a baseline as a dataset layer."""
    annotations = {oci.FILE_PATH: path}
    if isinstance(content, bytes):
        return layout.put_bytes(content, oci.ROLES["data"], **annotations)
    return layout.put_file(content, oci.ROLES["data"], annotations)


def read(layout: Layout, manifest: Manifest) -> Baseline:
    """The Baseline of a manifest.

    Raises:
        Mismatch: its document is damaged.
    """
    try:
        document = layout.read(manifest.layer(DOCUMENT), "the baseline")
        return msgspec.json.decode(document, type=Baseline)
    except (KeyError, msgspec.DecodeError) as error:
        raise Mismatch(
            f"the baseline cannot be read: {error}", hint="copy the release from where it was made"
        ) from error


def files_of(manifest: Manifest) -> tuple[Descriptor, ...]:
    """The layers that are laid out when the release is opened."""
    return tuple(layer for layer in manifest.layers if layer.path != DOCUMENT)
