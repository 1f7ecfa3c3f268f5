"""XGBoost boosters, as ``save_model`` writes them: JSON and universal binary JSON."""

from __future__ import annotations

import re
from pathlib import Path

from excise.adapters.models.files import ModelFiles
from excise.adapters.models.inspection import demand_version, head_of, tail_of, truncated, what_it_is
from excise.core.errors import ModelError

UBJSON = b"{L\0\0\0\0\0\0\0\x07learner"
"""An object whose first key, of length 7, is the booster's own: keys are written in order, so that it comes first."""
BOOSTER = re.compile(rb'\s*\{\s*"learner"|' + re.escape(UBJSON))
VERSION = re.compile(
    rb'"version"\s*:\s*\[\s*(\d+)\s*,\s*(\d+)\s*,\s*\d+\s*\]\s*\}\s*$|version\[#L\0{7}\x03i(.)i(.)i.\}$', re.DOTALL
)
"""The last key; a file without it was cut off."""
TAIL_BYTES = 200


class XGBoostModels(ModelFiles):
    """``.json`` and ``.ubj`` boosters, and ``.model`` files with the same inside."""

    name = "xgboost"
    suffixes = (".json", ".ubj")
    shared = (".model",)
    starts = (UBJSON, b'{"learner"')
    packages = ("xgboost",)

    def check(self, path: Path, *, trusted: bool) -> None:
        """Look at the first key and at the last, which is the version that saved it."""
        del trusted  # a booster is numbers
        head = head_of(path)
        if not BOOSTER.match(head):
            message = f"{path} is no XGBoost booster: it begins with no learner ({what_it_is(head)})"
            raise ModelError(message, hint="name a file that Booster.save_model() wrote")
        found = VERSION.search(tail_of(path, TAIL_BYTES))
        if found is None:
            raise truncated(path, "a booster without its last key, version")
        major, minor = (int(part) if part.isdigit() else part[0] for part in found.groups() if part is not None)
        demand_version(path, package="xgboost", saved=(major, minor))
