"""What a person sees of releases, in 80 columns."""

import pytest

from excise.api.release import ReleaseDocument, ReleaseList, VerificationDocument
from excise.core.environment import Environment, Hardware, Package
from excise.core.estimate import Estimate
from excise.core.predictor import InputKind
from excise.core.release import Baseline, FileEntry, Release
from excise.core.signature import Signature, TensorSpec
from excise.core.verdict import Outcome
from excise.releases import ReleaseDiff
from excise.releases.diff import Change
from excise.releases.store import Summary
from excise.report import release_terminal as views

DIGEST = "sha256:0cf832d89710" + "0" * 52
MACHINE = Hardware(cpu="AMD EPYC 7R32", cores=2, memory_mib=3840)


def known(value, doubt, unit):
    return Estimate(value=value, low=value - doubt, high=value + doubt, unit=unit, n=6)


RELEASE = Release(
    digest=DIGEST,
    name="flights",
    version="1",
    kind="python",
    target="handler.py:handler",
    options={},
    input=InputKind.RECORDS,
    signature=Signature(inputs=(TensorSpec(name="x", dtype="float32", shape=(None, 17)),)),
    files=(
        FileEntry(path="handler.py", sha256="a" * 64, size=4300, role="code"),
        FileEntry(path="model.skops", sha256="b" * 64, size=6_500_000),
    ),
    environment=Environment(
        name="current",
        executable="python",
        python="3.11.9",
        platform="linux-x86_64",
        packages=(Package(name="numpy", version="2.3.1"),),
        lock_digest="sha256:91bc",
        hardware=MACHINE,
    ),
    created="2026-11-22T09:00:00+00:00",
)
BASELINE = Baseline(
    release=DIGEST,
    measured="2026-11-22T09:00:00+00:00",
    latency_ms=known(2.079, 0.141, "ms"),
    p99_ms=known(2.83, 0.057, "ms"),
    cpu_ms=known(2.08, 0.138, "ms"),
    rss_mib=known(222.2, 0.73, "mib"),
    load_ms=known(1371.0, 141.0, "ms"),
    skill=known(0.532, 0.068, "ratio"),
    hardware=MACHINE,
)


def document(*, new=True, baseline=BASELINE):
    return ReleaseDocument(new=new, size_bytes=6_504_300, release=RELEASE, baseline=baseline)


VIEWS = {
    "created": views.created_view(document()),
    "there_already": views.created_view(document(new=False)),
    "without_baseline": views.created_view(document(baseline=None)),
    "shown": views.show_view(document()),
    "none_yet": views.list_view(ReleaseList(releases=())),
    "listed": views.list_view(
        ReleaseList(
            releases=(
                Summary(
                    name="flights",
                    version="1",
                    digest=DIGEST,
                    kind="python",
                    created="2026-11-22T09:00:00+00:00",
                    size_bytes=6_504_300,
                    baseline=True,
                    parent=None,
                ),
            )
        )
    ),
    "same": views.diff_view(
        ReleaseDiff(before="flights@1", after="flights@1", before_digest=DIGEST, after_digest=DIGEST, changes=())
    ),
    "differs": views.diff_view(
        ReleaseDiff(
            before="flights@1",
            after="flights@2",
            before_digest=DIGEST,
            after_digest="sha256:77" + "0" * 62,
            changes=(
                Change(kind="weights", name="model.skops", before="bbbbbbbbbbbb", after="cccccccccccc"),
                Change(kind="package", name="numpy", before="2.3.1", after="2.4.0"),
                Change(kind="package", name="scipy", before=None, after="1.17.0"),
            ),
        )
    ),
    "whole": views.verify_view(
        VerificationDocument(outcome=Outcome.PASS, why="all as stored", releases=("flights@1",), size_bytes=6_504_300)
    ),
    "flipped": views.verify_view(VerificationDocument(outcome=Outcome.FAIL, why="flights@1: model.skops was changed")),
}


@pytest.mark.parametrize("name", VIEWS)
def test_it_looks_like_this(name, printed, drawn):
    assert printed(VIEWS[name]) == drawn
