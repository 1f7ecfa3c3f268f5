"""Numbers as people read them: a value, its doubt, and no digit that the doubt does not carry."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from excise.core.estimate import Estimate

MINUS = "−"
NOTHING = "—"
SIGNIFICANT = 3
"""Digits of a value without doubt: what a reader compares at a glance."""
FINEST = 4
"""Digits of a value at most, however small its doubt."""
LOPSIDED = 2.0
"""Sides of an interval that differ by more than this are shown one by one."""
MOST_DECIMALS = 12
"""A float carries no more that mean anything."""
PLAIN = (1e-6, 1e9)
"""Outside this range a number is written with an exponent."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as text: ``value`` (``3.9``) and ``doubt`` (``± .2``; empty where it is exact)."""

    value: str
    doubt: str = ""

    def __str__(self) -> str:
        return f"{self.value} {self.doubt}".rstrip()

    def with_unit(self, unit: str) -> str:
        """The number with its unit between value and doubt: ``71 % ± 2``."""
        return f"{self.value} {unit} {self.doubt}".rstrip()


@dataclass(frozen=True, slots=True)
class MoneyScale:
    """How money is shown: ``per`` so many inferences, ``factor`` times the cost per 1000."""

    per: str
    factor: float


PER_THOUSAND = MoneyScale("1000", 1.0)
PER_MILLION = MoneyScale("million", 1000.0)


def money_scale(cost_per_1000: Estimate | None) -> MoneyScale:
    """Per million where 1000 inferences cost less than a cent, per 1000 otherwise.

    >>> money_scale(Estimate.exact(0.000112, unit="usd")).per
    'million'
    """
    cent = 0.01
    cheap = cost_per_1000 is None or abs(cost_per_1000.value) < cent
    return PER_MILLION if cheap else PER_THOUSAND


def number(estimate: Estimate | None, *, scale: float = 1.0, signed: bool = False) -> Figure:
    """An estimate times ``scale``, rounded to what its interval carries.

    >>> str(number(Estimate(value=3.912, low=3.71, high=4.11, unit="ms", n=6)))
    '3.9 ± .2'
    >>> str(number(Estimate(value=0.3, low=-0.2, high=2.1, unit="ms", n=6), signed=True))
    '+0.3 +1.8 −.5'
    """
    shown = _finite(estimate, scale)
    if shown is None:
        return Figure(NOTHING)
    below, above = _sides(shown)
    decimals = _decimals(shown.value, _shown_doubt(below, above))
    return Figure(_digits(shown.value, decimals, signed=signed), _doubt(shown, below, above, decimals))


def before_after(before: Estimate | None, after: Estimate | None, *, scale: float = 1.0) -> tuple[str, str]:
    """Two values to the decimals of the more doubtful one, but never to fewer than two digits.

    >>> wide = Estimate(value=9.412, low=9.3, high=9.52, unit="ms", n=6)
    >>> fine = Estimate(value=2.713, low=2.70, high=2.72, unit="ms", n=6)
    >>> before_after(wide, fine)
    ('9.4', '2.7')
    """
    shown = [_finite(before, scale), _finite(after, scale)]
    coarsest = min((_decimals(one.value, _shown_doubt(*_sides(one))) for one in shown if one is not None), default=0)
    first, second = (NOTHING if one is None else _at_least_two_digits(one.value, coarsest) for one in shown)
    return first, second


def percent(estimate: Estimate | None, *, signed: bool = False) -> str:
    """A ratio as a percentage with its doubt.

    >>> percent(Estimate(value=0.712, low=0.69, high=0.734, unit="ratio", n=6))
    '71 % ± 2'
    """
    figure = number(estimate, scale=100.0, signed=signed)
    return NOTHING if figure.value == NOTHING else figure.with_unit("%")


def share(ratio: float | None) -> str:
    """A plain ratio as a percentage: whole above one percent, never 0 for something, never 100 for less than all.

    >>> share(1.0), share(0.1234), share(0.0004), share(0.9999)
    ('100 %', '12 %', '< 1 %', '> 99 %')
    """
    if ratio is None or not math.isfinite(100 * ratio):
        return NOTHING
    lowest, highest = 0.01, 0.99
    if 0 < ratio < lowest:
        return "< 1 %"
    if highest < ratio < 1:
        return "> 99 %"
    return f"{whole(ratio * 100)} %"


def dollars(estimate: Estimate | None, scale: MoneyScale) -> Figure:
    """A cost per 1000 in dollars on the given scale: ``$0.112 ± .004``."""
    figure = number(estimate, scale=scale.factor)
    return replace(figure, value=with_dollar(figure.value))


def with_dollar(value: str) -> str:
    """A number as dollars, the sign first: ``−$0.2``; nothing stays nothing."""
    if value == NOTHING:
        return value
    return f"{MINUS}${value[1:]}" if value.startswith(MINUS) else f"${value}"


def plain(value: float, digits: int = SIGNIFICANT) -> str:
    """A number without doubt, to so many significant digits.

    >>> plain(0.012345), plain(9.4), plain(1234567.0), plain(-2.0)
    ('0.0123', '9.40', '1,230,000', '−2.00')
    """
    if not math.isfinite(value):
        return NOTHING
    return _digits(value, digits - 1 - _magnitude(value), signed=False)


def amount(value: float) -> str:
    """A price or a setting, to the cent or as fine as it is given: no digits that were not there.

    >>> amount(0.085), amount(12.0)
    ('0.085', '12')
    """
    return f"{value:.6g}" if math.isfinite(value) else NOTHING


def duration(seconds: float) -> str:
    """A duration in the unit that people would say.

    >>> duration(0.42), duration(48.2), duration(200), duration(4000)
    ('0.4 s', '48 s', '3 min 20 s', '1 h 06 min')
    """
    if not 0 <= seconds < PLAIN[1]:
        return NOTHING
    minute, hour, minutes_from = 60, 3600, 120
    if seconds < 10:  # noqa: PLR2004  below ten, a tenth still tells something
        return f"{seconds:.1f} s"
    rounded = round(seconds)
    if rounded < minutes_from:
        return f"{rounded} s"
    if rounded < hour:
        return f"{rounded // minute} min {rounded % minute:02d} s"
    return f"{rounded // hour:,} h {rounded % hour // minute:02d} min"


def size(count: int) -> str:
    """Bytes in binary units.

    >>> size(912), size(4_300_000)
    ('912 B', '4.1 MiB')
    """
    step = 1024
    if count < step:
        return f"{count} B"
    value = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        value /= step
        if value < step:
            return f"{value:.1f} {unit}"
    return f"{value / step:,.1f} TiB"


def aligned(figures: Iterable[Figure], *, blank: str = " ", no_point: str = " ") -> list[str]:
    """Figures padded so that the decimal points stand under each other, and the doubts too.

    Args:
        figures: one column.
        blank: what pads a digit, a figure space on a page.
        no_point: what pads a missing point.

    >>> aligned([Figure("3.9", "± .2"), Figure("12", "± 3"), Figure("—")])
    [' 3.9 ± .2', '12   ± 3 ', ' —       ']
    """
    column = list(figures)
    halves = [figure.value.partition(".") for figure in column]
    before = max((len(head) for head, _, _ in halves), default=0)
    point = any(dot for _, dot, _ in halves)
    part = max((len(tail) for _, _, tail in halves), default=0)
    doubts = _padded([figure.doubt for figure in column], blank)
    return [
        head.rjust(before, blank) + (dot or (no_point if point else "")) + tail.ljust(part, blank) + doubt
        for (head, dot, tail), doubt in zip(halves, doubts, strict=True)
    ]


def whole(value: float, *, signed: bool = False) -> str:
    """A finite number to the unit, thousands set off, with a true minus sign; zero has no sign."""
    return _digits(value, 0, signed=signed)


def _padded(doubts: Sequence[str], blank: str) -> list[str]:
    width = max((len(doubt) for doubt in doubts), default=0)
    return [(" " + doubt.ljust(width, blank)) if width else "" for doubt in doubts]


def _finite(estimate: Estimate | None, scale: float) -> Estimate | None:
    """The scaled estimate; None where there is no number to show."""
    known = estimate is not None and math.isfinite(estimate.value * scale)
    return estimate.scaled(scale) if known and estimate is not None else None


def _at_least_two_digits(value: float, decimals: int) -> str:
    return _digits(value, max(decimals, 1 - _magnitude(value)), signed=False)


def _sides(estimate: Estimate) -> tuple[float, float]:
    """Distance from the value to either end; infinite where unbounded."""
    below = math.inf if estimate.low is None else estimate.value - estimate.low
    above = math.inf if estimate.high is None else estimate.high - estimate.value
    return (below if math.isfinite(below) else math.inf), (above if math.isfinite(above) else math.inf)


def _shown_doubt(below: float, above: float) -> float:
    """The doubt that decides the digits: half the interval, or the nearer end where the ends are shown one by one."""
    if math.isinf(below) or math.isinf(above) or _lopsided(below, above):
        return min(below, above)
    return (below + above) / 2


def _lopsided(below: float, above: float) -> bool:
    return max(below, above) > LOPSIDED * min(below, above)


def _decimals(value: float, doubt: float) -> int:
    """How many decimals the doubt carries: those of its first digit."""
    if not 0 < doubt < math.inf:
        return SIGNIFICANT - 1 - _magnitude(value) if value else 0
    carried = -int(f"{doubt:.0e}".partition("e")[2])
    return min(carried, FINEST - 1 - _magnitude(value)) if value else carried


def _magnitude(value: float) -> int:
    """Exponent of the leading digit; 0 for zero."""
    return math.floor(math.log10(abs(value))) if value else 0


def _digits(value: float, decimals: int, *, signed: bool) -> str:
    smallest, largest = PLAIN
    if value and not smallest <= abs(value) < largest:
        text = f"{value:.2e}"
    else:
        text = f"{round(value, decimals):,.{min(max(decimals, 0), MOST_DECIMALS)}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    elif signed and value > 0:
        text = "+" + text
    return text.replace("-", MINUS)


def _doubt(shown: Estimate, below: float, above: float, decimals: int) -> str:
    """How the interval is written beside its value."""
    if math.isinf(below) and math.isinf(above):
        return "± ?"
    if math.isinf(below) or math.isinf(above):
        end, sign = (shown.high, "≤") if math.isinf(below) else (shown.low, "≥")
        return f"({sign} {_digits(end or 0.0, decimals, signed=False)})"
    if below < 0 or above < 0:
        return f"({plain(shown.value - below)} … {plain(shown.value + above)})"
    if not below and not above:
        return ""
    if _lopsided(below, above):
        return f"+{_width(above, decimals)} {MINUS}{_width(below, decimals)}"
    return f"± {_width((below + above) / 2, decimals)}"


def _width(doubt: float, decimals: int) -> str:
    """Half an interval with its leading zero dropped; what rounds to nothing becomes one unit of the last place."""
    if not doubt:
        return "0"
    text = _digits(
        max(doubt, 10.0**-decimals) if abs(decimals) < FINEST * SIGNIFICANT else doubt, decimals, signed=False
    )
    return text.removeprefix("0") if text.startswith("0.") else text
