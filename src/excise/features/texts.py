"""The texts of a column: what form each has, how long they are, and which ones there are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Self

import msgspec

from excise.core.errors import NotComparable
from excise.features.casting import GROUPED, NULL_WORDS, NUMBER, TRUTH

KNOWN = 255
TAIL = 64
LONGEST_KEY = 64
KEY_HEAD = 48
EXAMPLES = 3

# What a text looks like once blanks are cut off; the first that matches wins.
FORM = re.compile(
    r"(?P<blank>)"
    r"|(?P<code>[+-]?0[0-9]+)"
    rf"|(?P<number>{NUMBER.pattern})"
    rf"|(?P<thousands>{GROUPED.pattern})"
    r"|(?P<decimal_comma>[+-]?[0-9]+,[0-9]+|[+-]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+)"
    r"|(?P<percent>[+-]?[0-9]+(?:[.,][0-9]+)?\s?%)"
    rf"|(?P<truth>(?i:{'|'.join(TRUTH)}))"
    rf"|(?P<null_word>{'|'.join(re.escape(word) for word in NULL_WORDS if word)})"
    r"|(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?)"
)
PADDED = "_padded"
NUMERIC_FORMS = ("number", "code", "thousands", "decimal_comma", "percent")


def form_of(text: str) -> str:
    """The form of one text; ``_padded`` is added where blanks surround it.

    >>> [form_of(text) for text in ("7", " 7 ", "007", "1,234", "3,5", "12 %", "NA", "true", "2013-01-01", "UA")]
    ['number', 'number_padded', 'code', 'thousands', 'decimal_comma', 'percent', 'null_word', 'truth', 'date', 'text']
    """
    trimmed = text.strip()
    match = FORM.fullmatch(trimmed)
    form = (match.lastgroup if match else None) or "text"
    return form + PADDED if len(trimmed) != len(text) else form


class Categories(msgspec.Struct, frozen=True, kw_only=True):
    """Exact counts of texts, bounded: the reference's commonest, and a tail chosen by hash.

    The tail keeps the 64 texts with the smallest hashes. A text among the 64 smallest of a union is among
    the 64 smallest of each part that holds it, so its count is exact and merging does not depend on order.

    Attributes:
        known: counts of the texts that the reference knows, zeros included.
        tail: counts of others.
        tail_rows: rows with others, whether kept or not.
        dropped: whether the tail had more than 64 texts.
    """

    known: dict[str, int] = {}
    tail: dict[str, int] = {}
    tail_rows: int = 0
    dropped: bool = False

    @classmethod
    def of(cls, counts: Mapping[str, int], reference: Self | None) -> Self:
        """Summarize counts; without a reference the commonest 255 texts become the known ones."""
        if reference is None:
            ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:KNOWN]
            known = {shortened(text): count for text, count in sorted(ranked)}
        else:
            known = dict.fromkeys(reference.known, 0)
        others: Counter[str] = Counter()
        rows = 0
        for text, count in counts.items():
            key = shortened(text)
            if key not in known:
                others[key] += count
                rows += count
            elif reference is not None:
                known[key] += count
        return cls(known=known, tail=smallest(others), tail_rows=rows, dropped=len(others) > TAIL)

    @property
    def complete(self) -> bool:
        """Whether every text that was seen is counted by name."""
        return not self.dropped

    def counts(self) -> dict[str, int]:
        """All counts by text, zeros left out."""
        return {text: count for text, count in (self.known | self.tail).items() if count}

    def __add__(self, other: Self) -> Self:
        if self.known.keys() != other.known.keys():
            raise NotComparable("two profiles that know different texts", hint="build both with edges_from=reference")
        tail = Counter(self.tail) + Counter(other.tail)
        return type(self)(
            known={text: count + other.known[text] for text, count in self.known.items()},
            tail=smallest(tail),
            tail_rows=self.tail_rows + other.tail_rows,
            dropped=self.dropped or other.dropped or len(tail) > TAIL,
        )


def shortened(text: str) -> str:
    """The text itself, or its head and a digest where it is long."""
    if len(text) <= LONGEST_KEY:
        return text
    return f"{text[:KEY_HEAD]}…{blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=6).hexdigest()}"


def rank(text: str) -> tuple[bytes, str]:
    """A place in an order that has nothing to do with content; the text settles ties."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), text


def smallest(counts: Mapping[str, int], limit: int = TAIL) -> dict[str, int]:
    """The counts of the ``limit`` texts with the smallest hashes, sorted by text."""
    kept = counts if len(counts) <= limit else sorted(counts, key=rank)[:limit]
    return {text: counts[text] for text in sorted(kept)}


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """A summary of texts that merges by addition, in any order, to the same bits.

    Attributes:
        rows: texts counted.
        forms: rows by form.
        shortest, longest: lengths in characters, None without texts.
        length: sum of lengths.
        examples: up to 3 texts of each form but plain text.
        categories: which texts there are.
    """

    rows: int = 0
    forms: dict[str, int] = {}
    shortest: int | None = None
    longest: int | None = None
    length: int = 0
    examples: dict[str, tuple[str, ...]] = {}
    categories: Categories = Categories()

    @classmethod
    def of(cls, counts: Mapping[str, int], reference: Self | None) -> Self:
        """Summarize texts by how often each comes; each is looked at once."""
        forms: Counter[str] = Counter()
        seen: dict[str, list[str]] = {}
        for text, count in counts.items():
            form = form_of(text)
            forms[form] += count
            if form != "text":
                seen.setdefault(form, []).append(text)
        return cls(
            rows=sum(counts.values()),
            forms=dict(sorted(forms.items())),
            shortest=min(map(len, counts), default=None),
            longest=max(map(len, counts), default=None),
            length=sum(len(text) * count for text, count in counts.items()),
            examples={form: chosen(seen[form]) for form in sorted(seen)},
            categories=Categories.of(counts, None if reference is None else reference.categories),
        )

    def count(self, *forms: str) -> int:
        """Rows of these forms, padded or not."""
        return sum(self.forms.get(form, 0) + self.forms.get(form + PADDED, 0) for form in forms)

    @property
    def padded(self) -> int:
        """Rows with surrounding blanks."""
        return sum(count for form, count in self.forms.items() if form.endswith(PADDED))

    def shown(self, *forms: str) -> tuple[str, ...]:
        """Up to 3 examples of exactly these forms."""
        return chosen([text for form in forms for text in self.examples.get(form, ())])

    def __add__(self, other: Self) -> Self:
        keys = sorted(self.examples.keys() | other.examples.keys())
        return type(self)(
            rows=self.rows + other.rows,
            forms=dict(sorted((Counter(self.forms) + Counter(other.forms)).items())),
            shortest=min((s for s in (self.shortest, other.shortest) if s is not None), default=None),
            longest=max((s for s in (self.longest, other.longest) if s is not None), default=None),
            length=self.length + other.length,
            examples={key: chosen([*self.examples.get(key, ()), *other.examples.get(key, ())]) for key in keys},
            categories=self.categories + other.categories,
        )


def chosen(texts: Iterable[str]) -> tuple[str, ...]:
    """Three texts, chosen in a way that does not depend on order; the smallest by length, then by text."""
    return tuple(sorted({shortened(text) for text in texts}, key=lambda text: (len(text), text))[:EXAMPLES])
