"""A user who may not write everywhere, also where the tests run as root."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534


class Unprivileged:
    def __init__(self, folder: Path):
        self.open_folder = folder

    @contextmanager
    def without_write(self, folder: Path):
        """Run as somebody to whom ``folder`` is read-only."""
        folder.chmod(0o555)
        root = os.geteuid() == 0
        if root:
            os.seteuid(NOBODY)
        try:
            yield
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)


@pytest.fixture
def unprivileged():
    # Not tmp_path: its parents are closed to everybody but their owner.
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield Unprivileged(folder)
    shutil.rmtree(folder)
