"""What ``pip install excise`` puts on a disk without extras: at most 250 MiB.

Builds a real virtual environment, installs this checkout with its base dependencies alone, and adds up the bytes of
all files in site-packages, pip's own left out. Two numbers: what the wheels hold, which is what is held to the limit,
and the same with the byte code that the interpreter writes beside it.

Usage: python benchmarks/install_size.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

LIMIT_MIB = 250
MIB = 2**20
ROOT = Path(__file__).resolve().parents[1]
NOT_OURS = ("pip", "setuptools", "_distutils_hack", "pkg_resources")
SHOWN = 8


def installed(folder: Path) -> Path:
    """The site-packages of a new environment that holds excise without extras."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ROOT], check=True)
    subprocess.run([python, "-c", "import excise, numpy, pyarrow, fsspec, sqlalchemy, rich, click"], check=True)
    return next((folder / "lib").glob("python*/site-packages"))


def files(packages: Path) -> Iterator[tuple[str, bool, int]]:
    """(top-level name, whether it is byte code, bytes) of every file."""
    for path in packages.rglob("*"):
        top = path.relative_to(packages).parts[0]
        if path.is_file() and not path.is_symlink() and not top.startswith(NOT_OURS):
            yield top, path.suffix == ".pyc", path.stat().st_size


def main() -> int:
    """Print the sizes; 1 where the wheels hold more than the limit."""
    wheels, byte_code = Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        for top, compiled, size in files(installed(Path(folder))):
            (byte_code if compiled else wheels)[top] += size
    for top, size in wheels.most_common(SHOWN):
        print(f"{top:24} {size / MIB:8.1f} MiB")
    total, compiled = wheels.total() / MIB, byte_code.total() / MIB
    print(f"{'wheels':24} {total:8.1f} MiB = {wheels.total() / 1e6:.1f} MB (limit {LIMIT_MIB} MiB)")
    print(f"{'with byte code':24} {total + compiled:8.1f} MiB")
    return int(total > LIMIT_MIB)


if __name__ == "__main__":
    sys.exit(main())
