"""Releases on a terminal: one line each in a list, aligned blocks for one, changes by kind for two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from excise.api.release import EnvironmentDiff, EnvironmentDocument, ReleaseDocument, ReleaseList, VerificationDocument
from excise.core.release import Baseline
from excise.core.signature import TensorSpec
from excise.core.verdict import Outcome
from excise.releases import ReleaseDiff
from excise.releases.diff import Change
from excise.releases.newest import Plan
from excise.report import figures
from excise.report.packing import Packed
from excise.report.wording import counted, machine

SHORT = len("sha256:") + 12
DAY = len("2026-11-22")
QUIET, ACT = "dim", "yellow"
UNITS = {"ms": " ms", "mib": " MiB", "ratio": ""}
SHOWN = 12
"""Changes of one kind that are listed; the JSON has all of them."""
NUMBERS = (
    ("latency", "latency_ms"),
    ("p99", "p99_ms"),
    ("CPU", "cpu_ms"),
    ("memory", "rss_mib"),
    ("load", "load_ms"),
    ("skill", "skill"),
)


def list_view(document: ReleaseList) -> RenderableType:
    """One line per release."""
    if not document.releases:
        return Text("no releases yet: excise release create MODEL --name NAME")
    table = grid(6)
    for row in document.releases:
        table.add_row(
            Text(f"{row.name}@{row.version}", style="bold"),
            row.digest[:SHORT],
            row.kind,
            figures.size(row.size_bytes),
            row.created[:DAY],
            Text("baseline" if row.baseline else "no baseline", style=QUIET),
        )
    return table


def show_view(document: ReleaseDocument) -> RenderableType:
    """One release: identity, contents, environment, baseline."""
    release = document.release
    environment = release.environment
    table = grid(2)
    table.add_row(
        "made",
        f"{(release.created or 'unknown')[:DAY]}" + (f" from {release.parent[:SHORT]}" if release.parent else ""),
    )
    table.add_row("model", f"{release.kind}, {release.target}, called with {release.input.value}")
    table.add_row("inputs", tensors(release.signature.inputs))
    table.add_row("outputs", tensors(release.signature.outputs))
    table.add_row("files", f"{len(release.files)}, {figures.size(document.size_bytes)}")
    for file in release.files[:SHOWN]:
        table.add_row("", f"{file.role:<8}{figures.size(file.size):>10}  {file.path}")
    table.add_row(
        "python", f"{environment.python} on {environment.platform}, {counted(len(environment.packages), 'package')}"
    )
    table.add_row("hardware", machine(environment.hardware.cpu, environment.hardware.cores))
    table.add_row("baseline", Packed(baseline_numbers(document.baseline)))
    # On a line of its own the digest fits 80 columns and can be copied whole.
    return Group(Text(f"{release.name}@{release.version}", style="bold"), Text(release.digest), table)


def created_view(document: ReleaseDocument) -> RenderableType:
    """What was made, or what was there already."""
    release = document.release
    what = "created" if document.new else "is there already, identical"
    head = Text.assemble((f"{release.name}@{release.version}", "bold"), f" {what}  {release.digest[:SHORT]}")
    table = grid(2)
    table.add_row("files", f"{len(release.files)}, {figures.size(document.size_bytes)}")
    table.add_row("baseline", Packed(baseline_numbers(document.baseline)))
    return Group(head, table)


def diff_view(document: ReleaseDiff | EnvironmentDiff) -> RenderableType:
    """Changes by kind, before and after side by side."""
    title = Text(f"{document.before} → {document.after}", style="bold")
    if not document.changes:
        return Group(title, Text("  nothing changed"))
    return Group(title, changes_table(document.changes))


def changes_table(changes: Sequence[Change]) -> Table:
    """One line per change, those of one kind together."""
    table = grid(5)
    for kind, group in groupby(changes, key=lambda change: change.kind):
        same = list(group)
        for index, change in enumerate(same[:SHOWN]):
            label = kind if index == 0 else ""
            table.add_row(label, change.name, change.before or "–", "→", change.after or "–")
        if len(same) > SHOWN:
            table.add_row("", Text(f"and {len(same) - SHOWN} more: --json", style=QUIET), "", "", "")
    return table


def verify_view(document: VerificationDocument) -> RenderableType:
    """One line; the only colored one says that something must be done."""
    if document.outcome is Outcome.PASS:
        names = ", ".join(document.releases) or "no releases"
        return Text(f"{names}: {document.why} ({figures.size(document.size_bytes)})")
    return Text(document.why, style=ACT)


def environment_view(document: EnvironmentDocument) -> RenderableType:
    """The plan, and the interpreter once it is built."""
    parts: list[RenderableType] = [] if document.plan is None else [plan_view(document.plan)]
    if document.environment is not None:
        parts.append(Text(f"built: {document.environment.executable}"))
    return Group(*parts)


def plan_view(plan: Plan) -> RenderableType:
    """What would be installed, changed versions first."""
    head = f"{len(plan.packages)} packages by {plan.tool}, {figures.size(plan.download_bytes)} of wheels"
    table = grid(4)
    for package in plan.changed:
        table.add_row(package.name, package.before or "–", "→", package.version)
    same = len(plan.packages) - len(plan.changed)
    return Group(Text(head, style="bold"), table, Text(f"  {same} at their newest already", style=QUIET))


def baseline_numbers(baseline: Baseline | None) -> list[str]:
    """The measured numbers, each with its name and unit."""
    if baseline is None:
        return ["none; give --reference to keep one"]
    found = ((name, getattr(baseline, field)) for name, field in NUMBERS)
    numbers = [f"{name} {figures.number(value)}{UNITS[value.unit]}" for name, value in found if value is not None]
    return numbers or ["reference rows and profile; nothing measured"]


def tensors(specs: Iterable[TensorSpec]) -> str:
    """Names, types and shapes."""
    words = [
        f"{spec.name}: {spec.dtype}[{', '.join('*' if n is None else str(n) for n in spec.shape)}]" for spec in specs
    ]
    return ", ".join(words) or "as the handler takes them"


def grid(columns: int) -> Table:
    """A table without lines, its columns as wide as they need to be."""
    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    for index in range(columns):
        table.add_column(no_wrap=index == 0, overflow="fold", style=QUIET if index == 0 and columns > 1 else "")
    return table
