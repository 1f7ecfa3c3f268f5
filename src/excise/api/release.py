"""Releases: make one, list them, look into one, compare two, verify; and the environments behind them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from excise.api.asking import kept_request
from excise.api.fetching import describe
from excise.core.environment import Environment
from excise.core.errors import Mismatch, NotFound
from excise.core.refs import ModelRef, RefKind
from excise.core.release import Baseline, Release
from excise.core.verdict import Outcome
from excise.ledger import find_project
from excise.releases import Bundle, ReleaseDiff, ReleaseStore, Summary, collect
from excise.releases import environment as environments
from excise.releases.bundle import loader_in, staged
from excise.releases.diff import Change, environment_changes
from excise.releases.newest import MAX_DOWNLOAD_MB, Plan, build_newest, newest_plan
from excise.releases.probe import Probe, probe

if TYPE_CHECKING:
    from excise.api.reference import MeasureBaseline
    from excise.tables import CsvMode

HERE = "here"
"""Stands for this interpreter on this machine where a release's environment may be named."""
WORKER_NEEDS = "numpy"
"""The measuring worker runs on it, whatever the model needs."""


class ReleaseDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A release with its baseline; ``new`` is false where an identical one was there already."""

    schema: str = "excise/release/v1"
    new: bool
    size_bytes: int
    release: Release
    baseline: Baseline | None


class ReleaseList(msgspec.Struct, frozen=True, kw_only=True):
    """All releases of a project, in the order of their making."""

    schema: str = "excise/releases/v1"
    releases: tuple[Summary, ...]


class VerificationDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Whether everything is as it was stored; ``why`` names what is not."""

    schema: str = "excise/verification/v1"
    outcome: Outcome
    why: str
    releases: tuple[str, ...] = ()
    blobs: int = 0
    size_bytes: int = 0


class EnvironmentDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An environment; with the plan that it was or would be built from."""

    schema: str = "excise/environment/v1"
    environment: Environment | None
    plan: Plan | None = None


class EnvironmentDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two environments."""

    schema: str = "excise/environment-diff/v1"
    before: str
    after: str
    changes: tuple[Change, ...]


def store_of(project: Path | None = None) -> ReleaseStore:
    """The release store of a project; the nearest one upward unless named."""
    return ReleaseStore(find_project(project or Path.cwd()) / "releases")


def release(
    model: str,
    *,
    reference: Any = None,
    target: str | None = None,
    name: str | None = None,
    include: Iterable[str | Path] = (),
    request: str | None = None,
    body: str | None = None,
    trust_pickle: bool = False,
    parent: str | None = None,
    baseline: MeasureBaseline | None = None,
    csv: CsvMode = "exact",
    project: Path | None = None,
) -> ReleaseDocument:
    """Make a release of a model, or find the identical one.

    The bundle is loaded once from where it was laid out, so a release that lacks a file is never made.

    Args:
        model: a file, ``file.py:attr`` or ``module:attr``.
        reference: rows as they were when the model was approved: a path, or a frame. Kept with the baseline.
        target: label column of the reference.
        name: what to call it; the model's own name unless given.
        include: files and folders that the model opens at run time.
        request: how a service is asked, ``POST /predict``.
        body: template of a request's body, ``{{row}}`` unless given.
        trust_pickle: load pickles; loading one runs code that it holds.
        parent: the release that it came from.
        baseline: measures the release on the reference; without it only rows and profile are kept.
        csv: how CSV cells get their types.
        project: where the store is looked for.

    Raises:
        ModelError, UntrustedPickle, MissingExtra: as the model's adapter says, or it does not load from its bundle.
        DataError: the reference cannot be read, or lacks the target.
        StoreError: the store cannot be written.
        CallFailed: the model fails on the reference; a release that was made for it is withdrawn.
    """
    from excise.api.reference import keep_baseline, read_reference  # noqa: PLC0415  Arrow, which listing does without

    store = store_of(project)
    subject = describe(ModelRef.parse(model), trust_pickle=trust_pickle, project=project)
    subject = kept_request(subject, request, body)
    rows = None if reference is None else read_reference(reference, target, csv)
    origin = None if parent is None else store.resolve(parent).digest
    bundle = complete(collect(subject, include=include), store)
    environment, lock = environments.capture_with_lock()
    made = store.create(
        bundle,
        name=name or name_from(subject.ref.name),
        environment=environment,
        lock=lock,
        parent=origin,
    )
    if rows is not None and (made.new or store.baseline(made.release.digest) is None):
        try:
            keep_baseline(store, made.release, rows, target, baseline)
        except BaseException:  # Ctrl-C too: a release without the baseline that was asked for is half a release
            if made.new:
                store.withdraw(made.release.digest)
            raise
    return document(store, made.release, new=made.new)


def list_releases(*, project: Path | None = None) -> ReleaseList:
    """All releases of a project."""
    return ReleaseList(releases=store_of(project).list())


def show_release(ref: str, *, project: Path | None = None) -> ReleaseDocument:
    """One release with its baseline.

    Raises:
        NotFound: there is none of that name or digest. Mismatch: it was changed from outside.
    """
    store = store_of(project)
    return document(store, store.resolve(ref), new=False)


def diff_releases(before: str, after: str, *, project: Path | None = None) -> ReleaseDiff:
    """What changed from one release to another, by name."""
    return store_of(project).diff(before, after)


def verify_release(ref: str | None = None, *, project: Path | None = None) -> VerificationDocument:
    """Hash everything that belongs to a release, or to all of a project. A mismatch is an outcome, not an error.

    Raises:
        NotFound: there is no such release.
    """
    try:
        found = store_of(project).verify(ref)
    except Mismatch as error:
        return VerificationDocument(outcome=Outcome.FAIL, why=error.message)
    why = f"{found.blobs} files are what they were"
    return VerificationDocument(
        outcome=Outcome.PASS, why=why, releases=found.releases, blobs=found.blobs, size_bytes=found.size_bytes
    )


def lock_environment(ref: str = HERE, *, project: Path | None = None) -> str:
    """The ``pylock.toml`` of this interpreter, or of a release."""
    return environments.capture_with_lock()[1] if ref == HERE else store_of(project).lock(ref)


def diff_environments(before: str, after: str = HERE, *, project: Path | None = None) -> EnvironmentDiff:
    """What differs between two releases' environments, or between one and this machine."""
    old, new = (environment_of(ref, project) for ref in (before, after))
    return EnvironmentDiff(before=before, after=after, changes=tuple(environment_changes(old, new)))


def environment_of(ref: str, project: Path | None = None) -> Environment:
    """The environment of a release, or of this interpreter."""
    return environments.capture() if ref == HERE else store_of(project).resolve(ref).environment


def plan_newest(
    model: str,
    *,
    trust_pickle: bool = False,
    find_links: Iterable[str] = (),
    offline: bool = False,
    max_download_mb: float | None = MAX_DOWNLOAD_MB,
    project: Path | None = None,
) -> EnvironmentDocument:
    """What the newest environment of a model would be: its loaded distributions with their pins dropped.

    Raises:
        NotMeasured: it does not resolve, or is larger than allowed. ModelError: the model does not load.
    """
    roots = {*loaded(model, trust_pickle=trust_pickle, project=project).roots, WORKER_NEEDS}
    plan = newest_plan(roots, find_links=tuple(find_links), offline=offline, max_download_mb=max_download_mb)
    return EnvironmentDocument(environment=None, plan=plan)


def build_planned(plan: Plan, *, project: Path | None = None) -> EnvironmentDocument:
    """Build a planned environment under ``.excise/envs``, or take the one that is there.

    Raises:
        NotMeasured: a package cannot be installed. StoreError: the folder cannot be written.
    """
    folder = find_project(project or Path.cwd()) / "envs"
    return EnvironmentDocument(environment=build_newest(plan, folder), plan=plan)


def loaded(model: str, *, trust_pickle: bool, project: Path | None) -> Probe:
    """What loading a model, or a release, shows."""
    ref = ModelRef.parse(model)
    if ref.kind in (RefKind.RELEASE, RefKind.DIGEST):
        opened = store_of(project).open(ref)
        return probe(opened.loader, folder=Path(opened.root))
    return probe(describe(ref, trust_pickle=trust_pickle, project=project).variant.loader)


def complete(bundle: Bundle, store: ReleaseStore) -> Bundle:
    """The bundle with the signature that it shows when it is loaded from a layout of its own."""
    store.layout.prepare()
    with staged(bundle, store.root / "ingest") as root:
        found = probe(loader_in(root, bundle.loader, bundle.target, bundle.options), folder=root)
    return msgspec.structs.replace(bundle, signature=found.signature)


def document(store: ReleaseStore, release: Release, *, new: bool) -> ReleaseDocument:
    """A release as it is shown."""
    size = sum(file.size for file in release.files)
    return ReleaseDocument(new=new, size_bytes=size, release=release, baseline=store.baseline(release.digest))


def name_from(text: str) -> str:
    """A name for releases made of a model's own name.

    Raises:
        NotFound: nothing of it can be kept.
    """
    name = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("._-")
    if not name:
        raise NotFound(f"no name can be made of {text!r}", hint="give one with --name")
    return name
