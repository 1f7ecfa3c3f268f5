"""The bundle that production runs, and what was measured when it was approved."""

from __future__ import annotations

import msgspec

from excise.core.environment import Environment, Hardware
from excise.core.estimate import Estimate
from excise.core.predictor import InputKind, LoaderSpec
from excise.core.signature import Signature


class FileEntry(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One file of a release.

    Attributes:
        path: POSIX path inside it.
        sha256: hex digest.
        size: in bytes.
        role: ``weights``, ``code`` or ``data``.
    """

    path: str
    sha256: str
    size: int
    role: str = "weights"


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """An immutable, content-addressed bundle.

    Attributes:
        digest: ``sha256:…`` of the OCI manifest: files + signature + code + environment lock.
        name, version: the first tag it got (``flights``, ``1``).
        kind: the model adapter.
        target: what the loader is given, relative to the bundle's root.
        options: what the loader is given beside it.
        input: the form in which a call gets its rows.
        signature: inputs and outputs.
        files: model files and code.
        environment: what it was approved in.
        parent: digest of the release that it came from, None for a first one.
        created: ISO 8601, UTC; not part of the identity.
        loader: stem of the loader file among excise's own, or the path of one that the bundle brings.
    """

    digest: str
    name: str
    version: str
    kind: str
    target: str
    options: dict[str, object]
    input: InputKind
    signature: Signature
    files: tuple[FileEntry, ...]
    environment: Environment
    parent: str | None = None
    created: str | None = None
    loader: str = ""


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured when a release was approved; a manifest of its own, subject = the release's digest.

    Attributes:
        release: digest of the release.
        measured: ISO 8601, UTC.
        batch: rows per call.
        latency_ms, p50_ms, p95_ms, p99_ms, cpu_ms, rss_mib, load_ms, skill: as in an audit's ``current``.
        metric: name of the loss behind ``skill``.
        target: label column, None without.
        profile: path inside the release of the reference's FeatureProfile, None without.
        reference: path inside the release of the reference rows (Parquet), None without.
        hardware: what it was measured on.
    """

    release: str
    measured: str
    batch: int = 1
    latency_ms: Estimate | None = None
    p50_ms: Estimate | None = None
    p95_ms: Estimate | None = None
    p99_ms: Estimate | None = None
    cpu_ms: Estimate | None = None
    rss_mib: Estimate | None = None
    load_ms: Estimate | None = None
    skill: Estimate | None = None
    metric: str | None = None
    target: str | None = None
    profile: str | None = None
    reference: str | None = None
    hardware: Hardware | None = None


class OpenedRelease(msgspec.Struct, frozen=True, kw_only=True):
    """A release checked out on disk, ready to be measured: what ``releases`` hands to ``api``.

    Attributes:
        release: the release.
        root: folder that its files were laid out in.
        loader: how a worker loads it.
        baseline: None where none was measured.
    """

    release: Release
    root: str
    loader: LoaderSpec
    baseline: Baseline | None = None
