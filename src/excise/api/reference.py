"""The reference rows of a release: read, profiled and kept with what is measured on them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from excise.core.clock import SystemClock
from excise.core.release import Baseline, OpenedRelease, Release
from excise.features import FeatureProfile
from excise.releases import ReleaseStore
from excise.releases.baseline import PROFILE, REFERENCE
from excise.releases.hardware import hardware
from excise.tables import CsvMode, Table, read, write_parquet

MeasureBaseline = Callable[[OpenedRelease, Table, str | None], Baseline]
"""Measures an opened release on its reference rows."""


def read_reference(reference: Any, target: str | None, csv: CsvMode) -> Table:
    """The reference rows.

    Raises:
        DataError: they cannot be read, or have no such target.
    """
    rows = read(reference, csv=csv)
    if target is not None:
        rows.column(target)
    return rows


def keep_baseline(
    store: ReleaseStore, release: Release, rows: Table, target: str | None, measure: MeasureBaseline | None
) -> None:
    """Measure a release where that was asked for, and keep rows, profile and numbers with it."""
    if measure is None:
        measured = Baseline(release=release.digest, measured=SystemClock().now().isoformat())
    else:
        measured = measure(store.open(release.digest), rows, target)
    inputs = rows if target is None else rows.drop([target])
    with tempfile.TemporaryDirectory() as folder:
        parquet = Path(folder) / "reference.parquet"
        write_parquet(rows, parquet)
        files: dict[str, Path | bytes] = {REFERENCE: parquet, PROFILE: FeatureProfile.build(inputs).encode()}
        kept = msgspec.structs.replace(
            measured,
            release=release.digest,
            target=target,
            reference=REFERENCE,
            profile=PROFILE,
            hardware=measured.hardware or hardware(),
        )
        store.attach_baseline(release.digest, kept, files)
