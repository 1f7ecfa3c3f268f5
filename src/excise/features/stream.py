"""Drift that is looked for every day: evidence carried from look to look, with few false alarms a quarter."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from excise.core.errors import DataError, NotComparable, UsageError
from excise.core.spelling import did_you_mean
from excise.features.cells import plain_number
from excise.features.profile import ColumnProfile, FeatureProfile
from excise.features.sealed import seal, unseal
from excise.stats.detectors import (
    MARGINS,
    cut_points,
    function_band,
    in_alarm,
    log_bets,
    log_evidence,
    share_band,
    shiryaev_roberts,
    threshold,
)

KIND = b"excise/drift-stream/"
MAGIC = KIND + b"v1\n"
LOOKS_PER_QUARTER = 90
FALSE_ALARMS = 0.05
REFERENCE_ALPHA = 0.01
"""Chance, once and over all features, that the reference is so unlucky a sample that its bands are wrong."""
LABELS_KEPT = 400
LEVELS = 12
RAREST = 0.01
"""Share of a level that is watched by itself; the others are watched as one."""
LARGEST_LOG = 690.0  # a float64 ends at e^709
ORDERED = {"int", "float", "bool", "datetime"}
Floats = NDArray[np.float64]


class Alarm(NamedTuple):
    """One feature that has changed.

    Attributes:
        feature: its name.
        direction: what there is more of, as the strongest of the bets has it.
        level: that ``direction`` names; None where it names none.
        evidence: its Shiryaev-Roberts statistic.
        since: label of the look at which the statistic was last below 1; of the first look where it never was.
    """

    feature: str
    direction: str
    level: str | None
    evidence: float
    since: str


class Watched(msgspec.Struct, kw_only=True):
    """One feature: what is counted, within which bands, and the evidence so far.

    Attributes:
        ordered: whether numbers are counted up to cuts; texts are counted by level, all others by presence alone.
        edges: digest of the edges and levels that windows must share.
        cuts: bins at whose upper edges numbers are cut.
        levels: texts that are counted by themselves.
        words: by event, what there is more of if its share rises, and if it falls.
        bands: float64, shape (events, 2).
        inflation: of counts, by dependence between rows.
        statistics: logarithms as float32, shape (events, 2, margins).
        since: see ``Alarm``.
    """

    ordered: bool
    edges: bytes
    cuts: tuple[int, ...]
    levels: tuple[str, ...] | None
    words: tuple[tuple[str, str], ...]
    bands: bytes
    inflation: float
    statistics: bytes
    since: str = ""

    @classmethod
    def of(cls, column: ColumnProfile, alpha: float, tolerance: float, inflation: float) -> Self:
        """Decide what to watch of a column of the reference, whose bands may be wrong with probability ``alpha``."""
        ordered = column.form in ORDERED and column.numbers.finite > 0
        cuts = cut_points(column.numbers.bins.counts).tolist() if ordered else []
        levels = common(column) if column.form == "text" else None
        words = (*cut_words(column, cuts), *level_words(levels), ("missing or of another type", "present"))
        made = cls(
            ordered=ordered,
            edges=edges_of(column),
            cuts=tuple(cuts),
            levels=levels,
            words=words,
            bands=b"",
            inflation=inflation,
            statistics=np.full((len(words), 2, len(MARGINS)), -np.inf, "<f4").tobytes(),
        )
        made.bands = made.bands_of(column, alpha, tolerance).tobytes()
        return made

    def bands_of(self, column: ColumnProfile, alpha: float, tolerance: float) -> Floats:
        """Bands about the reference's shares; half of ``alpha`` is for content, half for presence."""
        hits, trials = self.counts(column, column.rows)
        shares, rows = hits / np.maximum(trials, 1), np.maximum(trials, 1) / self.inflation
        there = share_band(shares[-1:], rows[-1], alpha / 2, tolerance)
        if self.ordered:
            return np.concatenate([function_band(shares[:-1], rows[0], alpha / 2, tolerance), there])
        if self.levels is None:
            return there
        chances = alpha / 2 / np.exp(ways(column, self.levels))
        return np.concatenate([share_band(shares[:-1], rows[0], chances, tolerance), there])

    def counts(self, column: ColumnProfile | None, rows: int) -> tuple[Floats, Floats]:
        """Hits and trials by event; a column that is not there is missing in all rows."""
        found, of = ([], 0) if column is None else self.content(column)
        present = of if self.ordered or self.levels is not None else 0 if column is None else rows - column.missing
        hits = found or [0] * (len(self.words) - 1)
        return np.array([*hits, rows - present], np.float64), np.array([*[of] * len(hits), rows], np.float64)

    def content(self, column: ColumnProfile) -> tuple[list[int], int]:
        """Hits of the events that are about values, and the values there are."""
        if self.ordered:
            reached = np.cumsum(column.numbers.bins.counts)
            return reached[list(self.cuts)].tolist(), column.numbers.finite
        if self.levels is None:
            return [], 0
        known = [column.texts.categories.known[name] for name in self.levels]
        return [*known, column.texts.rows - sum(known)], column.texts.rows

    def look(self, column: ColumnProfile | None, rows: int, at: str) -> None:
        """Add one window's evidence."""
        paid = log_bets(*self.counts(column, rows), self.band(), self.inflation)
        self.statistics = shiryaev_roberts(self.logs(), paid).astype("<f4").tobytes()
        if not self.since or self.log_evidence() < 0:
            self.since = at

    def restart(self) -> None:
        """Forget the evidence."""
        self.statistics = np.full_like(self.logs(), -np.inf, "<f4").tobytes()
        self.since = ""

    def band(self) -> Floats:
        """Largest shares that go with the reference, shape (events, 2)."""
        return np.frombuffer(self.bands, "<f8").reshape(-1, 2)

    def logs(self) -> Floats:
        """Logarithms of the statistics, shape (events, 2, margins)."""
        return np.frombuffer(self.statistics, "<f4").astype(np.float64).reshape(-1, 2, len(MARGINS))

    def log_evidence(self) -> float:
        """Logarithm of the evidence that this feature changed."""
        return float(log_evidence(self.logs(), self.band()))

    def direction(self) -> tuple[str, str | None]:
        """What there is more of, by the strongest bet, and the level in it."""
        event, side, _ = np.unravel_index(int(self.logs().argmax()), (len(self.words), 2, len(MARGINS)))
        return f"more {self.words[event][side]}", dict(enumerate(self.levels or ())).get(int(event))


class DriftStream(msgspec.Struct, kw_only=True):
    """Evidence of drift since a reference, carried from look to look.

    While nothing changes, the chance of any alarm in a quarter is at most ``false_alarms``, over all features
    together and however often is looked within ``looks_per_quarter``; beside it stands a chance of 1 %, once, that the
    reference was too unlucky a sample. Rows of different windows are taken as independent given that nothing changes.
    An alarm stands as long as the evidence does, or until ``restart``.

    Attributes:
        digest: of the reference.
        false_alarms: accepted in a quarter on average, over all features.
        looks_per_quarter: how often is looked at most.
        looks: how often was looked.
        first: label of the first look.
        looked: labels of the last 400.
        features: by name.
    """

    digest: bytes
    false_alarms: float
    looks_per_quarter: int
    looks: int = 0
    first: str = ""
    looked: tuple[str, ...] = ()
    features: dict[str, Watched]

    @classmethod
    def of(
        cls,
        reference: FeatureProfile,
        *,
        false_alarms: float = FALSE_ALARMS,
        looks_per_quarter: int = LOOKS_PER_QUARTER,
        tolerance: float = 0.0,
        inflation: Mapping[str, float] | None = None,
    ) -> Self:
        """Begin to watch.

        Args:
            reference: of the approved sample.
            false_alarms: accepted in a quarter, on average.
            looks_per_quarter: how often is looked at most.
            tolerance: change of any share that nobody wants to hear of, from 0 to 1.
            inflation: by feature, by how much dependence between rows widens the variance of counts.
        Raises:
            UsageError: a number out of its range.
            DataError: a reference without rows.
        """
        if not (false_alarms > 0 and looks_per_quarter > 0 and 0 <= tolerance < 1):
            raise UsageError(f"{false_alarms} false alarms in {looks_per_quarter} looks", hint="both are above 0")
        if not (reference.rows and reference.columns):
            raise DataError("a reference without rows", hint="watch drift against the data that was approved")
        widened, alpha = inflation or {}, REFERENCE_ALPHA / len(reference.columns)
        features = {
            name: Watched.of(column, alpha, tolerance, max(1.0, widened.get(name, 1.0)))
            for name, column in reference.columns.items()
        }
        return cls(
            digest=digest_of(reference),
            false_alarms=false_alarms,
            looks_per_quarter=looks_per_quarter,
            features=features,
        )

    def look(self, window: FeatureProfile, at: str) -> tuple[Alarm, ...]:
        """Add one window's evidence, once for each label.

        Args:
            window: rows since the last look, built with ``edges_from=reference``; without rows it changes nothing.
            at: what the look is called, such as its date; a label that was looked at before changes nothing.
        Returns:
            The features that alarm now, by the reference's order.
        Raises:
            NotComparable: a window with other edges; nothing is changed then.
        """
        if window.rows and at not in self.looked:
            for name, feature in self.features.items():
                held = window.columns.get(name)
                if held is not None and edges_of(held) != feature.edges:
                    raise NotComparable(f"other edges of {name}", hint="build the window with edges_from=reference")
            for name, feature in self.features.items():
                feature.look(window.columns.get(name), window.rows, at)
            self.looks, self.first = self.looks + 1, self.first or at
            self.looked = (*self.looked, at)[-LABELS_KEPT:]
        return tuple(self.alarms())

    def restart(self, name: str) -> None:
        """Forget the evidence against a feature whose change was dealt with.

        Raises:
            UsageError: the stream watches no such feature.
        """
        if name not in self.features:
            raise UsageError(f"the stream watches no {name!r}", hint=did_you_mean(name, self.features))
        self.features[name].restart()

    @property
    def threshold(self) -> float:
        """Evidence of all features together at which there is an alarm."""
        return threshold(len(self.features), self.looks_per_quarter, self.false_alarms)

    @property
    def evidence(self) -> float:
        """Of all features together: the sum of their statistics."""
        return bounded(np.logaddexp.reduce([one.log_evidence() for one in self.features.values()]))

    def alarms(self) -> Iterator[Alarm]:
        """The fewest features without which the evidence of the others is below the threshold, in order."""
        logs = np.array([one.log_evidence() for one in self.features.values()])
        alarming = in_alarm(logs, math.log(self.threshold))
        for (name, feature), alarms, found in zip(self.features.items(), alarming, logs, strict=True):
            if alarms:
                yield Alarm(name, *feature.direction(), bounded(found), feature.since)

    def encode(self) -> bytes:
        """Bytes that ``decode`` reads."""
        return seal(self, MAGIC)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The stream that ``encode`` wrote.

        Raises:
            DataError: another version, or a byte that was changed.
        """
        found: Self = unseal(data, MAGIC, cls, "drift stream")
        return found


def bounded(log: float) -> float:
    """The number of which this is the logarithm; the largest of float64 where it is larger."""
    return math.exp(min(log, LARGEST_LOG))


def digest_of(reference: FeatureProfile) -> bytes:
    """What a reference is known by, wherever it was read from."""
    return hashlib.sha256(msgspec.structs.replace(reference, source="").encode()).digest()


def edges_of(column: ColumnProfile) -> bytes:
    """A digest of what two profiles must share to be counted alike."""
    bins, known = column.numbers.bins, sorted(column.texts.categories.known)
    return hashlib.sha256(msgspec.msgpack.encode((bins.width, bins.edges, known))).digest()[:8]


def common(column: ColumnProfile) -> tuple[str, ...]:
    """The commonest levels of the reference, at most twelve."""
    known = column.texts.categories.known
    ranked = sorted(
        (name for name in known if known[name] >= RAREST * column.texts.rows), key=lambda name: -known[name]
    )
    return tuple(ranked[:LEVELS])


def ways(column: ColumnProfile, levels: tuple[str, ...]) -> Floats:
    """Logarithm of how many statements each band is one of: every level that might have been chosen, and every choice.

    Which levels are watched was seen in the reference, so their shares there are larger than the true ones, and that of
    the others together is smaller.
    """
    many, chosen = len(column.texts.categories.counts()), len(levels)
    choices = math.lgamma(many + 1) - math.lgamma(chosen + 1) - math.lgamma(many - chosen + 1)
    return np.array([math.log(2 * max(many, 1))] * chosen + [math.log(2) + choices])


def cut_words(column: ColumnProfile, cuts: list[int]) -> Iterator[tuple[str, str]]:
    """Values below a cut and from it on; up to a value and above it where the cut lies just above one."""
    bins = column.numbers.bins
    for edge in bins.values()[cuts].tolist():
        named = plain_number(edge, bins.width)
        just_above = float(named) < edge
        yield (
            (f"values up to {named}", f"values above {named}")
            if just_above
            else (
                f"values below {named}",
                f"values from {named} on",
            )
        )


def level_words(levels: tuple[str, ...] | None) -> Iterator[tuple[str, str]]:
    """Each level, and all others."""
    for name in levels or ():
        yield f"of {name!r}", f"of others than {name!r}"
    if levels is not None:
        yield "of rarer or new levels", "of the common levels"
