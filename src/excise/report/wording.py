"""Words for names that machines gave, and strangers' text made fit to be shown."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from excise.core.examples import mask

LONGEST = 400
"""Characters of a stranger's text that are shown; more is noise in a report."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WORDS = {
    "op_compute": "computing",
    "copies_casts": "copies and casts",
    "host_device": "host and device copies",
    "framework": "framework and Python",
    "logging_io": "logging and I/O",
}
INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories that move a cursor, turn the reading direction or show nothing."""
BLANK = "␣"
"""A blank that is seen, that no page folds and at which no line is broken."""
CPU_NOISE = re.compile(r"\((R|TM|r|tm)\)|\bCPU\b|\bProcessor\b|@.*$|\d+-Core")


def human(name: str) -> str:
    """A machine's name in words: ``fat_features+model_bloat`` is ``fat features + model bloat``."""
    return one_line(WORDS.get(name) or name.replace("_", " ").replace("+", " + "))


def one_line(text: str) -> str:
    r"""Text on one line: blanks folded, what is invisible shown as an escape, at most ``LONGEST`` characters.

    >>> one_line("two\n lines \x1b[31mred")
    'two lines \\x1b[31mred'
    """
    return _cut(visible(" ".join(text.split())))


def literal(text: str) -> str:
    """An example value between quotes; blanks around it are drawn, what is invisible is shown as an escape.

    >>> literal("  517 "), literal("New York")
    ('“␣␣517␣”', '“New York”')
    """
    body = text.strip(" ")
    before = len(text) - len(text.lstrip(" "))
    after = len(text) - before - len(body)
    return f"“{_cut(BLANK * before + visible(body) + BLANK * after)}”"


def masked(text: str) -> str:
    """The shape of an example value between quotes.

    >>> masked(" 7 "), masked("nan")
    ('“␣9␣”', '“nan”')
    """
    return literal(mask(text))


def example(text: str, *, show: bool) -> str:
    """An example value as it may be shown: itself, or its shape."""
    return literal(text) if show else masked(text)


def shortened(name: str, width: int) -> str:
    """A name that fits into ``width`` characters, cut in the middle, where names differ least."""
    line = one_line(name)
    if len(line) <= width:
        return line
    head = (width - 1) // 2
    return f"{line[:head]}…{line[len(line) - (width - 1 - head) :]}"


def digest_start(digest: str) -> str:
    """``sha256:3fa1…``: enough to recognize a digest by."""
    algorithm, colon, rest = one_line(digest).partition(":")
    return f"{algorithm}:{rest[:4]}…" if colon else shortened(digest, 12)


def machine(cpu: str, cores: int) -> str:
    """``2 × EPYC 7R32``: a processor's name without its trademarks and clock."""
    return f"{cores} × {' '.join(CPU_NOISE.sub(' ', one_line(cpu)).split()) or 'unknown processor'}"


def day(started: str) -> str:
    """``22 Nov 2026`` of an ISO 8601 time; the text itself where it is none."""
    moment = _moment(started)
    return one_line(started) if moment is None else f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"


def minute(started: str) -> str:
    """``2026-11-22 14:05`` of an ISO 8601 time; the text itself where it is none."""
    moment = _moment(started)
    return one_line(started) if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """``1 call``, ``2,000 calls``, ``14 remedies``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _moment(started: str) -> datetime | None:
    try:
        return datetime.fromisoformat(started)
    except ValueError:
        return None


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def visible(text: str) -> str:
    """Text whose invisible characters (cursor moves, reading direction, line ends) are shown as escapes."""
    return "".join(_escape(char) if unicodedata.category(char) in INVISIBLE else char for char in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
