"""Example values, as they may leave the machine."""

from __future__ import annotations

import re

import msgspec

from excise.core.audit import Finding

DIGIT = re.compile(r"[0-9]")
LOWER = re.compile(r"[^\W\d_A-Z]")
UPPER = re.compile(r"[A-Z]")


def mask(text: str) -> str:
    """The shape of a value without its content; blanks and punctuation are what a finding is about, so they stay.

    >>> mask(" 7.25 "), mask("Ewr")
    (' 9.99 ', 'Xxx')
    """
    return LOWER.sub("x", UPPER.sub("X", DIGIT.sub("9", text)))


def masked(finding: Finding) -> Finding:
    """The finding with its examples masked."""
    return msgspec.structs.replace(finding, examples=tuple(mask(text) for text in finding.examples))
