"""Durations as people write them: ``20ms``, ``60s``, ``2m``, ``1h30m``."""

from __future__ import annotations

import re

from excise.core.errors import UsageError

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
PART = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|m|h)")
WHOLE = re.compile(rf"(?:{PART.pattern.replace('?P<number>', '?:').replace('?P<unit>', '?:')})+")


def parse_seconds(text: str | float) -> float:
    """Seconds of a duration; a bare number is in seconds.

    >>> parse_seconds("60s"), parse_seconds("2m"), parse_seconds("20ms"), parse_seconds("1h30m"), parse_seconds(5)
    (60.0, 120.0, 0.02, 5400.0, 5.0)

    Raises:
        UsageError: not a duration, or not above zero.
    """
    seconds = _plain(text) if not WHOLE.fullmatch(str(text)) else _with_units(str(text))
    if seconds is None or not 0 < seconds < float("inf"):
        raise UsageError(f"{text!r} is not a duration", hint="write 20ms, 60s, 2m or 1h30m")
    return seconds


def _plain(text: str | float) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _with_units(text: str) -> float:
    return sum(float(part["number"]) * SECONDS[part["unit"]] for part in PART.finditer(text))
