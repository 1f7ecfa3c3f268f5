"""The base install stays small: what its wheels put on a disk, as they say themselves."""

import importlib.util
from importlib.metadata import Distribution
from pathlib import Path

TOOL = Path(__file__).parents[1] / "tools" / "check_licences.py"
SPEC = importlib.util.spec_from_file_location("check_licences", TOOL)
check_licences = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(check_licences)

LIMIT_MIB = 250


def mib(found: Distribution) -> float:
    """The files of a wheel by its record, without the byte code that the interpreter writes beside them."""
    return sum(file.size or 0 for file in found.files or () if file.suffix != ".pyc") / 2**20


def test_the_base_install_is_at_most_250_mib():
    sizes = {found.name: mib(found) for found in check_licences.closure()}
    assert sizes["pyarrow"] > 50  # the record was read
    assert sum(sizes.values()) <= LIMIT_MIB, sizes
