"""Ways to leaner variants, found by name through the entry points ``excise.transforms``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from excise.adapters.entries import entries
from excise.core.predictor import Transform

GROUP = "excise.transforms"
SCRIPTS = Path(__file__).parent / "scripts"
"""Folder of the self-contained scripts."""

__all__ = ["SCRIPTS", "installed"]


@cache
def installed() -> tuple[Transform, ...]:
    """Every registered transform, by name; ours and strangers' alike."""
    return tuple(entry.load()() for entry in entries(GROUP))
