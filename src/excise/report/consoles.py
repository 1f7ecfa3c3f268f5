"""The two streams that reports go to: color on a terminal, plain text in a pipe or under ``NO_COLOR``."""

from __future__ import annotations

from rich.console import Console


def output() -> Console:
    """Standard output, for what was asked for. Nothing is highlighted that was not marked."""
    return Console(highlight=False, markup=False, emoji=False)


def errors() -> Console:
    """Standard error, for progress, prompts and failures."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)
