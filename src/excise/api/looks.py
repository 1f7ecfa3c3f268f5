"""Looks at drift day after day: the evidence of all of them, kept in a file."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from excise.core.drift import Looks, StreamAlarm
from excise.core.errors import DataError, NotComparable, UsageError
from excise.features import FeatureProfile
from excise.features.stream import FALSE_ALARMS, KIND, LOOKS_PER_QUARTER, DriftStream, digest_of
from excise.releases.layout import explained, take
from excise.tables.places import write_place


class Looking(NamedTuple):
    """How is looked.

    Attributes:
        stream: the file that keeps the evidence; None where nobody looks more than once.
        at: what this look is called; None for today's date, UTC.
        false_alarms: accepted in a quarter, over all features; None for what the stream was begun with.
        looks_per_quarter: how often is looked at most; likewise.
        restart: features whose change was dealt with.
    """

    stream: str | os.PathLike[str] | None = None
    at: str | None = None
    false_alarms: float | None = None
    looks_per_quarter: int | None = None
    restart: tuple[str, ...] = ()

    def checked(self) -> Looking:
        """The same, if it makes sense.

        Raises:
            UsageError: something is said of looks without a stream, or a look has an empty name.
        """
        if self.stream is None and self != Looking():
            hint = "--stream FILE keeps what was seen at earlier looks"
            raise UsageError("a look has a name and a bound only with a stream", hint=hint)
        if self.at is not None and not self.at.strip():
            raise UsageError("a look without a name", hint="--at takes a label, such as the date of the rows")
        return self


def look(
    looking: Looking,
    reference: FeatureProfile,
    window: FeatureProfile,
    today: datetime,
    inflation: Mapping[str, float] | None = None,
) -> Looks:
    """Add a window's evidence to the stream, once for each label; the first look begins the stream.

    The file is replaced whole, so that a look that is killed has either not been made or is complete. Two processes
    that look at once do so one after the other.

    Args:
        looking: which stream, and how.
        reference: of which the stream is, or becomes, a watch.
        window: rows since the last look, built with the reference's edges.
        today: names the look where nothing else does.
        inflation: see ``DriftStream.of``; of a stream that is begun.
    Raises:
        DataError: the file is no stream of this version, or a byte of it was changed.
        NotComparable: it is the stream of another reference.
        UsageError: it was begun with other bounds, or watches no feature that is to start anew.
        StoreError: it cannot be written.
    """
    path, at = Path(os.fspath(looking.stream or "")), looking.at or today.date().isoformat()
    with locked(path.absolute().parent):
        for left in path.parent.glob(f".{glob.escape(path.name)}.{'[0-9a-f]' * 8}"):
            left.unlink()  # of a look that was killed
        stream = opened(path, reference, looking) or begun(reference, looking, inflation)
        for name in looking.restart:
            stream.restart(name)
        before = stream.looks
        alarms = stream.look(window, at)
        write_place(path, stream.encode(), lambda found: found.startswith(KIND), "drift stream")
    return Looks(
        stream=str(path),
        at=at,
        counted=stream.looks > before,
        looked=stream.looks,
        since=stream.first,
        false_alarms=stream.false_alarms,
        looks_per_quarter=stream.looks_per_quarter,
        threshold=stream.threshold,
        evidence=stream.evidence,
        alarms=tuple(StreamAlarm(**alarm._asdict()) for alarm in alarms),
    )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other looks in this folder waiting; the kernel lets them go on when this process ends, however it does."""
    with explained(folder):
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        take(handle, folder)
        yield
    finally:
        os.close(handle)


def opened(path: Path, reference: FeatureProfile, looking: Looking) -> DriftStream | None:
    """The stream that was begun; None where there is none.

    Raises:
        DataError, NotComparable, UsageError: as ``look`` says.
    """
    try:
        stream = DriftStream.decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}", hint="check the path") from error
    except DataError as error:
        hint = "look into another file, or restore this one from a copy"
        raise DataError(f"{path}: {error.message}", hint=hint) from error
    if stream.digest != digest_of(reference):
        said = f"{path} watches drift from another reference than {reference.source}"
        raise NotComparable(said, hint="give the reference that it was begun with, or another file")
    begun_with = stream.false_alarms, stream.looks_per_quarter
    wanted = looking.false_alarms or begun_with[0], looking.looks_per_quarter or begun_with[1]
    if wanted != begun_with:
        said = f"{path} was begun with {begun_with[0]:g} false alarms in {begun_with[1]} looks"
        raise UsageError(said, hint="a bound is stated before the looks: leave it out, or begin another file")
    return stream


def begun(reference: FeatureProfile, looking: Looking, inflation: Mapping[str, float] | None) -> DriftStream:
    """A new stream."""
    return DriftStream.of(
        reference,
        false_alarms=FALSE_ALARMS if looking.false_alarms is None else looking.false_alarms,
        looks_per_quarter=LOOKS_PER_QUARTER if looking.looks_per_quarter is None else looking.looks_per_quarter,
        inflation=inflation,
    )


def summary(looks: Looks) -> str:
    """What all looks say, in one line.

    >>> some = dict(stream="s", at="b", counted=True, looked=2, since="a", false_alarms=0.05, looks_per_quarter=90)
    >>> summary(Looks(**some, threshold=9e4, evidence=30.0, alarms=()))
    'no alarm in 2 looks since a'
    """
    many = len(looks.alarms)
    said = f"{many} feature{'s' if many > 1 else ''} changed" if many else "no alarm"
    return f"{said} in {looks.looked} look{'s' if looks.looked != 1 else ''} since {looks.since}"
