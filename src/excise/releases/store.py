"""The releases of a project: create, list, resolve, open, verify."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from excise.core.clock import Clock, SystemClock
from excise.core.environment import Environment, Hardware
from excise.core.errors import InvalidRef, Mismatch, NotFound, StoreError
from excise.core.predictor import InputKind
from excise.core.refs import RELEASE, ModelRef, RefKind
from excise.core.release import Baseline, FileEntry, OpenedRelease, Release
from excise.core.signature import Signature
from excise.releases import baseline as baselines
from excise.releases import diff as differ
from excise.releases import oci, pylock
from excise.releases.bundle import Bundle, checked, loader_in, place
from excise.releases.hardware import fingerprint
from excise.releases.layout import Layout, explained, hash_file
from excise.releases.oci import Descriptor, Manifest
from excise.releases.verify import Verification, verify_release

RELEASE_FILE = ".release/release.json"
LOCK_FILE = f".release/{pylock.FILE_NAME}"
OWN_FOLDER = ".release/"
LATEST = "latest"
"""The version that stands for the newest one of a name."""
NOTE = "io.readthedocs.excise."
"""Prefix of the annotations with which the index answers ``list`` by itself."""
ROLE_OF = {media_type: role for role, media_type in oci.ROLES.items()}


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a release's identity that is neither file nor lock."""

    kind: str
    loader: str
    target: str
    options: dict[str, Any]
    input: InputKind
    signature: Signature
    hardware: str


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Where a release came from: beside its identity, in a manifest of its own that points at it."""

    created: str
    parent: str | None
    hardware: Hardware


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list.

    Attributes:
        name, version: the tag. digest: of the manifest. kind: the model adapter.
        size_bytes: of all files. created: ISO 8601, UTC. parent: digest, None for a first one.
        baseline: whether one was measured.
    """

    name: str
    version: str
    digest: str
    kind: str
    size_bytes: int
    created: str
    parent: str | None
    baseline: bool


class Created(NamedTuple):
    """A release, and whether it was new."""

    release: Release
    new: bool


class ReleaseStore:
    """Releases under one folder, ``.excise/releases``.

    Args:
        root: the folder; made by the first write.
        clock: dates the releases.
    """

    def __init__(self, root: Path, *, clock: Clock | None = None) -> None:
        self.root = root
        self.layout = Layout(root)
        self._clock = clock or SystemClock()

    def create(
        self, bundle: Bundle, *, name: str, environment: Environment, lock: str, parent: str | None = None
    ) -> Created:
        """Store a release, or find the one that is identical.

        Args:
            bundle: files, code, signature and how they are loaded.
            name: versions count up per name. An identical release under another name gets that name as well.
            environment: what it was approved in.
            lock: its ``pylock.toml``.
            parent: digest of the release that it came from.

        Raises:
            InvalidRef: the name is not one. StoreError: the store cannot be written, or a file cannot be read.
        """
        if not RELEASE.fullmatch(f"{name}@1"):
            raise InvalidRef(f"{name!r} is no name for a release", hint="lower-case letters, digits, '.', '_' and '-'")
        manifest = self._put_manifest(bundle, environment, lock)
        origin = Provenance(created=self._clock.now().isoformat(), parent=parent, hardware=environment.hardware)
        with self.layout.update() as entries:
            known = [
                entry for entry in entries if entry.digest == manifest.digest and oci.REF_NAME in entry.annotations
            ]
            same = next((entry for entry in known if named(entry)[0] == name), None)
            if not known:
                entries.append(self._put_provenance(manifest, origin))
            tag = same or self._tagged(manifest, bundle, f"{name}@{next_version(entries, name)}", origin, environment)
            if same is None:
                entries.append(tag)
        return Created(self._release(tag), new=not known)

    def withdraw(self, digest: str) -> None:
        """Take a release out of the index, under all its names, with what was recorded of it.

        Its blobs stay, since another writer may be about to name them; the same release made again finds them there.

        Raises:
            StoreError: the store cannot be written.
        """
        with self.layout.update() as entries:
            entries[:] = [
                entry for entry in entries if digest not in {entry.digest, entry.annotations.get(NOTE + "subject")}
            ]

    def list(self) -> tuple[Summary, ...]:
        """All tags in the order of their making, from the index alone."""
        entries = self.layout.index()
        measured = {entry.annotations.get(NOTE + "subject") for entry in entries if entry.artifact_type == oci.BASELINE}
        return tuple(summary(entry, entry.digest in measured) for entry in entries if oci.REF_NAME in entry.annotations)

    def resolve(self, ref: ModelRef | str) -> Release:
        """The release that ``name@version``, ``name@latest`` or ``sha256:…`` (six digits are enough) names.

        Raises:
            NotFound: there is none, with the closest names. Mismatch: the store was changed from outside.
        """
        return self._release(self._entry(ref))

    def manifest(self, ref: ModelRef | str) -> Manifest:
        """The manifest of a release."""
        return self._manifest(self._entry(ref), f"the manifest of {text_of(ref)}")

    def lock(self, ref: ModelRef | str) -> str:
        """The ``pylock.toml`` of a release."""
        return self.layout.read(self.manifest(ref).layer(LOCK_FILE), "the environment's lock").decode()

    def baseline(self, ref: ModelRef | str) -> Baseline | None:
        """The newest baseline of a release, None where none was measured."""
        found = self._baseline_manifest(self._entry(ref).digest)
        return None if found is None else baselines.read(self.layout, found)

    def attach_baseline(self, digest: str, baseline: Baseline, files: Mapping[str, Path | bytes]) -> str:
        """Keep what was measured of a release, and return the digest of that record.

        Args:
            digest: the release's.
            baseline: the numbers; its ``profile`` and ``reference`` are keys of ``files``.
            files: path inside the opened release → content, as a file or as bytes.

        Raises:
            StoreError: a path that the release itself uses, or that ``files`` lacks.
        """
        entry = self._entry(digest)
        taken = {layer.path for layer in self._manifest(entry, "the release's manifest").layers}
        named_paths = {path for path in (baseline.profile, baseline.reference) if path}
        if clash := (taken & set(files)) | (named_paths - set(files)):
            raise StoreError(f"the baseline's files do not fit the release: {', '.join(sorted(clash))}")
        subject = msgspec.structs.replace(entry, annotations={}, artifact_type=None)
        record = baselines.put(self.layout, subject, baseline, files)
        notes = {oci.CREATED: baseline.measured, NOTE + "subject": entry.digest}
        with self.layout.update() as entries:
            if all(existing.digest != record.digest for existing in entries):
                entries.append(msgspec.structs.replace(record, artifact_type=oci.BASELINE, annotations=notes))
        return record.digest

    def open(self, ref: ModelRef | str) -> OpenedRelease:
        """Lay a release out in ``open/<digest>`` and check every file on the way.

        Raises:
            Mismatch: a file is not what it was. StoreError: there is no room or no permission.
        """
        release = self.resolve(ref)
        root = self.root / "open" / release.digest.partition(":")[2]
        manifest, record = self.manifest(release.digest), self._baseline_manifest(release.digest)
        extra = () if record is None else baselines.files_of(record)
        layers = (*manifest.layers, *extra)
        for layer in layers:
            checked(layer.path)
        for layer in layers:
            self._lay(layer, root)
        loader = loader_in(root, release.loader, release.target, release.options)
        baseline = None if record is None else baselines.read(self.layout, record)
        return OpenedRelease(release=release, root=str(root), loader=loader, baseline=baseline)

    def verify(self, ref: ModelRef | str | None = None) -> Verification:
        """Hash everything that belongs to a release, or to all of them.

        Raises:
            Mismatch: naming what differs.
        """
        entries = (
            [self._entry(ref)] if ref is not None else [e for e in self.layout.index() if oci.REF_NAME in e.annotations]
        )
        return verify_release(self.layout, entries)

    def diff(self, before: ModelRef | str, after: ModelRef | str) -> differ.ReleaseDiff:
        """What changed from one release to another, by name."""
        return differ.compare(
            (self.resolve(before), self.baseline(before)), (self.resolve(after), self.baseline(after))
        )

    def _put_manifest(self, bundle: Bundle, environment: Environment, lock: str) -> Descriptor:
        layers = [
            self.layout.put_file(file.source, oci.ROLES[file.role], {oci.FILE_PATH: own(file.path)})
            for file in bundle.files
        ]
        identity = Description(
            kind=bundle.kind,
            loader=bundle.loader,
            target=bundle.target,
            options=bundle.options,
            input=bundle.input,
            signature=bundle.signature,
            hardware=fingerprint(environment.hardware, environment.platform),
        )
        layers += [
            self.layout.put_bytes(oci.encode(identity), oci.DOCUMENT, **{oci.FILE_PATH: RELEASE_FILE}),
            self.layout.put_bytes(lock.encode(), oci.DOCUMENT, **{oci.FILE_PATH: LOCK_FILE}),
        ]
        layers.sort(key=lambda layer: layer.path)
        content = {
            "descriptor": {},
            "config": {"format": bundle.kind},
            "modelfs": {"type": "layers", "diffIds": [layer.digest for layer in layers]},
        }
        config = self.layout.put_bytes(oci.encode(content), oci.MODEL_CONFIG)
        return self.layout.put_bytes(oci.encode(oci.manifest(oci.MODEL, config, tuple(layers))), oci.MANIFEST)

    def _put_provenance(self, subject: Descriptor, origin: Provenance) -> Descriptor:
        document = self.layout.put_bytes(oci.encode(origin), oci.PROVENANCE)
        empty = self.layout.put_bytes(oci.EMPTY_DOCUMENT, oci.EMPTY)
        manifest = self.layout.put_bytes(
            oci.encode(oci.manifest(oci.PROVENANCE, empty, (document,), subject)), oci.MANIFEST
        )
        notes = {NOTE + "subject": subject.digest}
        return msgspec.structs.replace(manifest, artifact_type=oci.PROVENANCE, annotations=notes)

    def _tagged(
        self, manifest: Descriptor, bundle: Bundle, tag: str, origin: Provenance, environment: Environment
    ) -> Descriptor:
        notes = {
            oci.REF_NAME: tag,
            oci.CREATED: origin.created,
            NOTE + "kind": bundle.kind,
            NOTE + "size": str(bundle.size),
            # This machine's own affair: the interpreter's path is in no blob, so it never leaves with a release.
            NOTE + "executable": environment.executable,
        }
        parent = {NOTE + "parent": origin.parent} if origin.parent else {}
        return msgspec.structs.replace(manifest, artifact_type=oci.MODEL, annotations=notes | parent)

    def _entry(self, ref: ModelRef | str) -> Descriptor:
        parsed = ModelRef.parse(ref) if isinstance(ref, str) else ref
        tags = [entry for entry in self.layout.index() if oci.REF_NAME in entry.annotations]
        if parsed.kind is RefKind.DIGEST:
            return unique([entry for entry in tags if entry.digest.startswith(parsed.target)], parsed.text)
        names = {entry.annotations[oci.REF_NAME]: entry for entry in tags}
        version = latest(tags, parsed.target) if parsed.attribute == LATEST else parsed.attribute
        wanted = f"{parsed.target}@{version}"
        if parsed.kind is not RefKind.RELEASE or wanted not in names:
            close = difflib.get_close_matches(wanted, names, n=3)
            raise NotFound(f"no release {parsed.text!r} in {self.root}", hint=hint_for(close))
        return names[wanted]

    def _manifest(self, entry: Descriptor, what: str) -> Manifest:
        return msgspec.json.decode(self.layout.read(entry, what), type=Manifest)

    def _release(self, entry: Descriptor) -> Release:
        name, version = named(entry)
        manifest = self._manifest(entry, f"the manifest of {name}@{version}")
        identity = msgspec.json.decode(self.layout.read(manifest.layer(RELEASE_FILE), RELEASE_FILE), type=Description)
        origin = self._provenance(entry.digest)
        return Release(
            digest=entry.digest,
            name=name,
            version=version,
            kind=identity.kind,
            target=identity.target,
            options=identity.options,
            input=identity.input,
            signature=identity.signature,
            files=tuple(file_entry(layer) for layer in manifest.layers if layer.media_type in ROLE_OF),
            environment=self._environment(manifest, entry, f"{name}@{version}", origin),
            parent=None if origin is None else origin.parent,
            created=entry.annotations.get(oci.CREATED),
            loader=identity.loader,
        )

    def _environment(self, manifest: Manifest, entry: Descriptor, name: str, origin: Provenance | None) -> Environment:
        lock = self.layout.read(manifest.layer(LOCK_FILE), "the environment's lock").decode()
        tool, packages = pylock.read(lock)
        return Environment(
            name=name,
            executable=entry.annotations.get(NOTE + "executable", sys.executable),
            python=tool.get("python", ""),
            platform=tool.get("platform", ""),
            packages=packages,
            lock_digest=pylock.digest(lock),
            hardware=Hardware(cpu="unknown", cores=0, memory_mib=0) if origin is None else origin.hardware,
        )

    def _referrers(self, digest: str, artifact_type: str) -> tuple[Manifest, ...]:
        return tuple(
            self._manifest(entry, f"a record of {digest}")
            for entry in self.layout.index()
            if entry.artifact_type == artifact_type and entry.annotations.get(NOTE + "subject") == digest
        )

    def _provenance(self, digest: str) -> Provenance | None:
        found = self._referrers(digest, oci.PROVENANCE)
        if not found:
            return None
        return msgspec.json.decode(self.layout.read(found[0].layers[0], "the provenance"), type=Provenance)

    def _baseline_manifest(self, digest: str) -> Manifest | None:
        return next(reversed(self._referrers(digest, oci.BASELINE)), None)

    def _lay(self, layer: Descriptor, root: Path) -> None:
        target = root / layer.path
        with explained(root):
            if target.is_file() and hash_file(target)[0] == layer.digest:
                return
            place(self.layout.path(layer.digest), target)
        if hash_file(target)[0] != layer.digest:
            target.unlink()
            raise Mismatch(
                f"{layer.path} is not what its digest says ({layer.digest})",
                hint="copy the release from where it was made",
            )


def own(path: str) -> str:
    """A path that is free for a release's files."""
    if checked(path).startswith((OWN_FOLDER, "baseline/")):
        raise StoreError(f"{path} is a name that releases use themselves", hint="rename that folder")
    return path


def named(entry: Descriptor) -> tuple[str, str]:
    """Name and version of a tagged entry."""
    name, _, version = entry.annotations[oci.REF_NAME].rpartition("@")
    return name, version


def latest(tags: Sequence[Descriptor], name: str) -> str:
    """The version of a name that was made last; ``latest`` itself where there is none."""
    return next((version for other, version in map(named, reversed(tags)) if other == name), LATEST)


def next_version(entries: list[Descriptor], name: str) -> int:
    """One more than the highest version of a name."""
    tags = [named(entry) for entry in entries if oci.REF_NAME in entry.annotations]
    return 1 + max((int(version) for other, version in tags if other == name and version.isdigit()), default=0)


def unique(entries: list[Descriptor], text: str) -> Descriptor:
    """The one release that a shortened digest names: its first tag."""
    if not entries:
        raise NotFound(f"no release {text}", hint="excise release list")
    if len({entry.digest for entry in entries}) > 1:
        raise NotFound(f"{text} names {len(entries)} releases", hint="give more digits")
    return entries[0]


def summary(entry: Descriptor, measured: bool) -> Summary:
    """A line of the list from an entry of the index."""
    name, version = named(entry)
    notes = entry.annotations
    return Summary(
        name=name,
        version=version,
        digest=entry.digest,
        kind=notes.get(NOTE + "kind", ""),
        size_bytes=int(notes.get(NOTE + "size", "0")),
        created=notes.get(oci.CREATED, ""),
        parent=notes.get(NOTE + "parent"),
        baseline=measured,
    )


def file_entry(layer: Descriptor) -> FileEntry:
    """A layer as a release lists it."""
    return FileEntry(
        path=layer.path, sha256=layer.digest.partition(":")[2], size=layer.size, role=ROLE_OF[layer.media_type]
    )


def hint_for(close: Sequence[str]) -> str:
    """What to do about a name that is not there."""
    return f"did you mean {', '.join(close)}?" if close else "excise release list names those that there are"


def text_of(ref: ModelRef | str) -> str:
    """What the user wrote."""
    return ref if isinstance(ref, str) else ref.text
