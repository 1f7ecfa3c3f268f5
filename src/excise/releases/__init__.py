"""Releases: what production runs, bundled, addressed by content, with what was measured at approval."""

from excise.releases.bundle import Bundle, collect
from excise.releases.diff import ReleaseDiff
from excise.releases.store import Created, ReleaseStore, Summary
from excise.releases.verify import Verification

__all__ = ["Bundle", "Created", "ReleaseDiff", "ReleaseStore", "Summary", "Verification", "collect"]
