"""What somebody may have meant by a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable

LISTED = 12
"""More names than this are not a hint any more."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint for a name that is not among the known ones: the closest, else all of them.

    >>> did_you_mean("budgt", ["batch", "budget"]), did_you_mean("x", ["batch", "budget"])
    ('did you mean budget?', 'known: batch, budget')
    """
    from difflib import get_close_matches  # noqa: PLC0415  only an error pays for it

    names = list(known)
    if close := get_close_matches(word, names, n=2):
        return f"did you mean {' or '.join(close)}?"
    more = ", …" if len(names) > LISTED else ""
    return f"known: {', '.join(names[:LISTED])}{more}"
