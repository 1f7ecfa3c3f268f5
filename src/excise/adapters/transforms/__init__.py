"""Ways to leaner variants, found by name through the entry points ``excise.transforms``."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from excise.core.predictor import Transform

GROUP = "excise.transforms"
SCRIPTS = Path(__file__).parent / "scripts"
"""Folder of the self-contained scripts."""

__all__ = ["SCRIPTS", "installed"]


@cache
def installed() -> tuple[Transform, ...]:
    """Every registered transform, by name; ours and strangers' alike."""
    return tuple(entry.load()() for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name))
