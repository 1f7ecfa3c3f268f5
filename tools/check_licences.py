"""Refuse a base dependency, direct or not, whose licence would bind the users of excise.

Reads what is installed: the metadata of every distribution that ``pip install excise`` brings, without extras.
Permissive licences pass. The LGPL and the MPL pass as well: they bind changes of the library itself, and a Python
package is used as it is. The GPL, the AGPL, the SSPL and the BSL do not. A licence that cannot be read fails too.

Usage: python tools/check_licences.py
"""  # noqa: INP001  a script

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = "excise"
REFUSED = re.compile(
    r"\b(?:AGPL|GPL|SSPL|BSL|BUSL)\b|(?<!Lesser )General Public License|Affero|Server Side Public|Business Source",
    re.IGNORECASE,
)
NOT_BUSINESS_SOURCE = re.compile(r"\bBSL-1\.0\b|Boost Software License", re.IGNORECASE)
"""The Boost licence shares its letters with the Business Source Licence and is permissive."""
ACCEPTED = re.compile(
    r"\b(?:0BSD|Apache|BSD|CC0|ISC|LGPL|Lesser|MIT|MPL|Mozilla|PSF|Python Software Foundation|Unlicense|Zlib)\b",
    re.IGNORECASE,
)
FIRST_LINE = 200
"""Some packages put their whole licence text where its name belongs; the name is in its beginning."""


class Licence(NamedTuple):
    """A distribution and what it says of its licence."""

    name: str
    version: str
    said: str

    @property
    def fault(self) -> str | None:
        """Why it is refused; None where it passes."""
        said = NOT_BUSINESS_SOURCE.sub("Boost MIT-like", self.said)
        parts = [part for part in re.split(r"\bOR\b", said) if not REFUSED.search(part.replace("LGPL", "Lesser"))]
        if not parts:
            return f"{self.said!r} binds its users"
        if not any(ACCEPTED.search(part) for part in parts):
            return f"{self.said!r} is not known"
        return None


def closure(name: str = ROOT) -> Iterator[Distribution]:
    """The distributions that ``name`` needs without extras, each once, itself first."""
    waiting, seen = [(name, frozenset[str]())], set[tuple[str, frozenset[str]]]()
    given = set[str]()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        found = distribution(current[0])
        if current[0] not in given:
            given.add(current[0])
            yield found
        waiting += needed(found, current[1])


def needed(found: Distribution, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """What one distribution requires here, with these extras of it."""
    for line in found.requires or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield canonicalize_name(requirement.name), frozenset(requirement.extras)


def licence(found: Distribution) -> Licence:
    """What a distribution says of its licence: the SPDX expression, else the classifiers, else the free text."""
    classifiers = [line for line in found.metadata.get_all("Classifier") or () if line.startswith("License ::")]
    named = [line.rpartition(" :: ")[2] for line in classifiers if line.count(" :: ") > 1]
    said = _field(found, "License-Expression") or " AND ".join(named) or _field(found, "License")
    return Licence(canonicalize_name(found.metadata["Name"]), found.version, " ".join(said[:FIRST_LINE].split()))


def _field(found: Distribution, name: str) -> str:
    return " ".join(found.metadata.get_all(name) or ())


def main() -> int:
    """Print every licence of the base; 1 where one is refused."""
    licences = [licence(found) for found in closure()]
    for each in sorted(licences):
        sys.stdout.write(f"{'REFUSED' if each.fault else 'ok':8}{each.name} {each.version}: {each.said}\n")
    return int(any(each.fault for each in licences))


if __name__ == "__main__":
    sys.exit(main())
