"""The licence check lets permissive licences pass and stops those that bind users."""

from __future__ import annotations

import importlib.util
from importlib.metadata import requires
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / "tools" / "check_licences.py"
SPEC = importlib.util.spec_from_file_location("check_licences", PATH)
check_licences = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(check_licences)


@pytest.mark.parametrize(
    "said",
    [
        "MIT",
        "BSD-3-Clause",
        "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0",
        "Apache Software License",
        "PSF-2.0",
        "GPL-3.0-or-later OR MIT",
        "LGPL-3.0-only",
        "GNU Lesser General Public License v3 (LGPLv3)",
        "Mozilla Public License 2.0 (MPL 2.0)",
        "BSL-1.0",
        "Boost Software License 1.0 (BSL-1.0)",
    ],
)
def test_these_pass(said):
    assert check_licences.Licence("p", "1", said).fault is None


@pytest.mark.parametrize(
    "said",
    [
        "GPL-3.0-only",
        "MIT AND GPL-2.0-only",
        "GNU General Public License v3 (GPLv3)",
        "AGPL-3.0",
        "GNU Affero General Public License v3",
        "SSPL-1.0",
        "BUSL-1.1",
        "Business Source License 1.1",
        "",
        "Proprietary",
    ],
)
def test_these_do_not(said):
    assert check_licences.Licence("p", "1", said).fault is not None


def test_the_base_is_free_of_them():
    found = {each.name: each for each in map(check_licences.licence, check_licences.closure())}
    assert not {name: each.fault for name, each in found.items() if each.fault}
    direct = {line.split(">")[0].split(";")[0].strip() for line in requires("excise") if "extra ==" not in line}
    assert {"excise", "markdown-it-py", *direct} <= set(found)
