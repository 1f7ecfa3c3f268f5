"""OCI images: ``oci://host/repository:tag``, and ``oci:FOLDER:tag`` for an image layout in a folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from excise.adapters.registries.cache import kept, slug
from excise.adapters.registries.images import HttpImages, LayoutImages
from excise.core.errors import InvalidRef, Mismatch, NotFound
from excise.core.refs import ModelRef
from excise.core.registry import Fetched, Terms, demand_online, demand_room
from excise.releases.bundle import checked, place
from excise.releases.layout import Layout
from excise.releases.oci import Descriptor, Manifest
from excise.releases.pulling import Source, is_release, list_release, pull, read_manifest, size_of

REMOTE = re.compile(
    r"//(?P<host>(?:\[[0-9a-f:]+\]|[\w.-]+)(?::\d+)?)/(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127})|@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)
LOCAL = re.compile(r"(?P<folder>.+?)(?:@(?P<digest>sha256:[0-9a-f]{64})|:(?P<tag>[^:/]+))?", re.DOTALL)
DEFAULT_TAG = "latest"
TITLE = "org.opencontainers.image.title"
"""Annotation by which ORAS names a layer's file."""
PACKED = ("tar", "gzip", "zstd")
"""Ends of the media types of layers that are archives."""
SHORT = len("sha256:") + 12


class Image(NamedTuple):
    """What a reference names: where it is, its tag or digest there, and the ``name@version`` that it goes by here."""

    source: HttpImages | LayoutImages
    reference: str
    tag: str

    @property
    def remote(self) -> bool:
        """Whether it takes a network."""
        return isinstance(self.source, HttpImages)


class OciImages:
    """Releases of excise, and models whose files are plain layers (CNCF ModelPack, ORAS)."""

    name = "oci"

    def fetch(self, ref: ModelRef, terms: Terms) -> Fetched:
        """Pull an image; blobs that are here are not pulled again.

        Raises:
            InvalidRef: it names no image. NotFound: no such tag or digest.
            InputError: out of reach, offline, too large, or it wants credentials.
            Mismatch: a blob is not what its digest says, or a path leads out of the model.
        """
        image, store = image_of(ref), Layout(terms.folder / self.name)
        source: Source = image.source
        if held(store, image.reference):
            source = LayoutImages(store.root)
        elif image.remote:
            demand_online(ref, terms, "name a digest that was pulled before, or oci:FOLDER:TAG")
        found, manifest = read_manifest(source, image.reference)
        demand_room(ref, size_of(manifest), terms)
        if image.remote and not held(store, found.digest):
            terms.tell(f"fetching {image.tag}, {size_of(manifest) / 1e6:,.1f} MB")
        pull(source, found, manifest, store)
        release = is_release(manifest)
        if release:
            list_release(source, found, manifest, store, image.tag)
        return Fetched(
            path=str(store.root if release else laid_out(manifest, found, store, terms.folder / f"{self.name}-files")),
            name=image.tag.partition("@")[0],
            origin=f"{image.source.place}@{found.digest}",
            size_bytes=size_of(manifest),
            release=found.digest if release else None,
        )


def image_of(ref: ModelRef) -> Image:
    """The image that a reference names.

    Raises:
        InvalidRef: none. NotFound: there is no such folder.
    """
    if ref.target.startswith("//"):
        match = REMOTE.fullmatch(ref.target)
        if match is None:
            raise InvalidRef(f"{ref.text} names no image", hint="write oci://host/repository:tag")
        reference = match["digest"] or match["tag"] or DEFAULT_TAG
        source = HttpImages(match["host"], match["repository"])
        return Image(source, reference, tag_of(match["repository"].rpartition("/")[2], reference))
    match = LOCAL.fullmatch(ref.target)
    folder = Path(match["folder"] if match else ref.target)
    if not (folder / "oci-layout").is_file():
        raise NotFound(f"{folder} is no OCI image layout", hint="write oci:FOLDER:TAG, or oci://host/repository:tag")
    reference = (match and (match["digest"] or match["tag"])) or LayoutImages(folder).only()
    return Image(LayoutImages(folder), reference, tag_of(folder.resolve().name, reference))


def tag_of(name: str, reference: str) -> str:
    """``name@version`` for an image: a release's own tag, else its repository and its tag or digest."""
    if "@" in reference:
        return reference
    version = reference[len("sha256:") : SHORT] if reference.startswith("sha256:") else reference
    return f"{slug(name).lower()}@{version}"


def held(store: Layout, reference: str) -> bool:
    """Whether an image was pulled; its manifest is written last."""
    return reference.startswith("sha256:") and store.path(reference).is_file()


def laid_out(manifest: Manifest, found: Descriptor, store: Layout, folder: Path) -> Path:
    """The files of an image that is no release, under their names.

    Raises:
        Mismatch: a layer is an archive or has no name, or a name leads out of the folder.
    """
    names = {file_name(layer): layer for layer in manifest.layers}

    def fill(fresh: Path) -> None:
        for name, layer in names.items():
            place(store.path(layer.digest), fresh / name)

    return kept(folder, found.digest, fill)


def file_name(layer: Descriptor) -> str:
    """The path of a layer's file inside the model."""
    name = layer.path or layer.annotations.get(TITLE, "")
    if not name or layer.media_type.endswith(PACKED):
        what = f"a layer of type {layer.media_type} without a file of its own"
        raise Mismatch(f"the image holds {what}", hint="push the model's files as plain layers, one file each")
    return checked(name)
