"""Example values, as they may leave the machine."""

from __future__ import annotations

import re

PLAIN_WORDS = frozenset({"", "nan", "null", "none", "na", "n/a", "nat", "inf", "-inf", "true", "false"})
"""What says nothing of anybody and is itself the symptom."""
LONG_RUN = re.compile(r"([9aA])\1{3,}")


def mask(text: str) -> str:
    """The shape of a value without the value: digits become 9, letters a and A, long runs are shortened.

    Blanks, punctuation and words for null stay: they are what a finding is about. Source: DESIGN section 5.

    >>> mask(" 7.25 "), mask("Jo.Doe@example.org"), mask("nan")
    (' 9.99 ', 'Aa.Aaa@aaa….aaa', 'nan')
    """
    if text.strip().lower() in PLAIN_WORDS:
        return text
    return LONG_RUN.sub(r"\1\1\1…", "".join(map(shape_of, text)))


def shape_of(char: str) -> str:
    """What stands for one character."""
    if char.isdecimal():
        return "9"
    if char.isalpha():
        return "A" if char.isupper() else "a"
    return char if char.isascii() else "·"
