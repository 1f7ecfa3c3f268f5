"""What the tests of the reports share: rooms of their own on the path, snapshots in one folder, a fixed console."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

sys.path.insert(0, str(Path(__file__).parent))


class Texts(SingleFileSnapshotExtension):
    """One readable file per snapshot, under tests/snapshots/report/."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"

    @classmethod
    def dirname(cls, *, test_location):
        folder = Path(test_location.filepath).parent.parent / "snapshots" / "report"
        return str(folder / Path(test_location.filepath).stem)


@pytest.fixture
def drawn(snapshot):
    return snapshot.use_extension(Texts)


@pytest.fixture
def printed():
    """What a renderable looks like on so many columns."""

    def on_terminal(renderable, width=80, *, crop=True, **options):
        written = io.StringIO()
        console = Console(file=written, width=width, highlight=False, markup=False, emoji=False, **options)
        console.print(renderable, crop=crop)
        return written.getvalue()

    return on_terminal
