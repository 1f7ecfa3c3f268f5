"""Where OCI images are read from: a layout in a folder, or a registry over HTTP by plain GETs.

Source: OCI image specification 1.1 (image layout), OCI distribution specification 1.1 (pull, referrers).
"""

from __future__ import annotations

import ipaddress
import json
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from excise.core.errors import InputError, NotFound
from excise.core.spelling import did_you_mean
from excise.releases import oci
from excise.releases.layout import Layout, explained
from excise.releases.oci import Descriptor, Index
from excise.releases.pulling import decoded, read_manifest

ACCEPTED = f"{oci.MANIFEST}, {oci.INDEX}"
TIMEOUT_S = 10.0
"""To connect, and between two pieces of an answer."""
LARGEST_DOCUMENT = 4 << 20
"""Manifests above 4 MiB need not be accepted by anyone (distribution specification, section on pushing manifests)."""
MISSING, FORBIDDEN = 404, (401, 403)


class LayoutImages:
    """An image layout in a folder, whoever wrote it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._layout = Layout(folder)

    @property
    def place(self) -> str:
        """What it is called in messages."""
        return str(self.folder)

    def entries(self) -> tuple[Descriptor, ...]:
        """What its index lists."""
        with explained(self.folder):
            return decoded((self.folder / "index.json").read_bytes(), Index).manifests

    def only(self) -> str:
        """The tag, or the digest, of the one image in it.

        Raises:
            NotFound: it holds none, or several.
        """
        entries = [one for one in self.entries() if subject_of(self, one) is None]
        digests = {one.digest for one in entries}
        if len(digests) != 1:
            tags = ", ".join(self._tags()) or "none has a tag"
            raise NotFound(f"{self.folder} holds {len(digests)} images", hint=f"name one as oci:FOLDER:TAG; {tags}")
        return entries[0].annotations.get(oci.REF_NAME) or entries[0].digest

    def manifest(self, reference: str) -> bytes:
        """The manifest under a tag or digest.

        Raises:
            NotFound: the index has no such tag, or the blob is missing.
        """
        named = {reference: reference} if reference.startswith("sha256:") else self._tags()
        if reference not in named:
            raise NotFound(f"no {reference} in {self.folder}", hint=did_you_mean(reference, named))
        with self.blob(named[reference]) as opened:
            return opened.read(LARGEST_DOCUMENT)

    def _tags(self) -> dict[str, str]:
        return {one.annotations[oci.REF_NAME]: one.digest for one in self.entries() if oci.REF_NAME in one.annotations}

    def blob(self, digest: str) -> IO[bytes]:
        """A blob's bytes."""
        with explained(self.folder):
            return self._layout.path(digest).open("rb")

    def referrers(self, digest: str) -> tuple[Descriptor, ...]:
        """The index's records that point at a digest."""
        records = (one for one in self.entries() if oci.REF_NAME not in one.annotations and one.artifact_type)
        return tuple(one for one in records if subject_of(self, one) == digest)


class HttpImages:
    """One repository of a registry.

    Args:
        host: with its port. On this machine it is spoken to by HTTP, elsewhere by HTTPS.
        repository: its name there.
    """

    def __init__(self, host: str, repository: str) -> None:
        self.place = f"{host}/{repository}"
        self._root = f"{'http' if is_loopback(host) else 'https'}://{host}/v2/{repository}"

    def manifest(self, reference: str) -> bytes:
        """The manifest under a tag or digest.

        Raises:
            NotFound: there is none; the hint names the tags that there are.
        """
        try:
            with closing(self._get(f"manifests/{reference}")) as opened:
                return opened.read(LARGEST_DOCUMENT)
        except NotFound:
            raise NotFound(f"no {reference} in {self.place}", hint=did_you_mean(reference, self._tags())) from None

    def blob(self, digest: str) -> IO[bytes]:
        """A blob's bytes."""
        return self._get(f"blobs/{digest}")

    def referrers(self, digest: str) -> tuple[Descriptor, ...]:
        """Manifests that point at a digest: by the referrers API, else by the tag that stands in for it."""
        for place in (f"referrers/{digest}", f"manifests/{digest.replace(':', '-')}"):
            try:
                with closing(self._get(place)) as opened:
                    return decoded(opened.read(LARGEST_DOCUMENT), Index).manifests
            except NotFound:
                continue
        return ()

    def _tags(self) -> list[str]:
        try:
            with closing(self._get("tags/list")) as opened:
                tags = json.loads(opened.read(LARGEST_DOCUMENT)).get("tags") or ()
            return sorted(str(tag) for tag in tags if not str(tag).startswith("sha256-"))
        except (InputError, ValueError):
            return []

    def _get(self, path: str) -> IO[bytes]:
        request = Request(f"{self._root}/{path}", headers={"Accept": ACCEPTED})  # noqa: S310  built from http or https
        try:
            found: IO[bytes] = urlopen(request, timeout=TIMEOUT_S)  # noqa: S310  as above
        except HTTPError as error:
            error.close()
            raise self._refused(error, path) from None
        except (URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)
            hint = "is the registry running, and is its name right? A layout in a folder is named oci:FOLDER:TAG"
            raise InputError(f"cannot reach {self.place}: {reason}", hint=hint) from error
        return found

    def _refused(self, error: HTTPError, path: str) -> InputError:
        if error.code == MISSING:
            return NotFound(f"{self.place} has no {path}", hint="check the name")
        if error.code in FORBIDDEN:
            hint = f"excise sends no credentials: oras copy {self.place} --to-oci-layout FOLDER, then name oci:FOLDER"
            return InputError(f"{self.place} asks for credentials ({error.code})", hint=hint)
        return InputError(f"{self.place} answered {error.code} {error.reason}", hint="try again later")


def subject_of(source: LayoutImages, record: Descriptor) -> str | None:
    """What a record points at."""
    subject = read_manifest(source, record.digest)[1].subject
    return subject.digest if subject else None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine.

    >>> is_loopback("127.0.0.1:5000"), is_loopback("[::1]:5000"), is_loopback("ghcr.io")
    (True, True, False)
    """
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
