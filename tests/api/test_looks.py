"""Looks that are kept in a file: once for each label, whole or not at all, and for one reference only."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import excise
from excise.api.drift import masked
from excise.core.errors import DataError, NotComparable, StoreError, UsageError
from excise.core.verdict import Outcome
from excise.features.stream import DriftStream


def sample(seed, rows=1000, shift=0.0, sea=0.5):
    random = np.random.default_rng(seed)
    return {
        "length": random.normal(shift, 1, rows),
        "water": random.choice(["sea", "lake", "pond"], rows, p=[sea, 0.6 * (1 - sea), 0.4 * (1 - sea)]).tolist(),
    }


REFERENCE = sample(0, 20_000)


class Noon:
    """A clock that stands still."""

    def now(self):
        return datetime(2026, 11, 26, 12, tzinfo=UTC)

    def monotonic(self):
        return 0.0


def looked(stream, seed, at=None, **more):
    given = {name: more.pop(name) for name in ("shift", "sea") if name in more}
    return excise.drift(REFERENCE, sample(seed, **given), stream=stream, at=at, clock=Noon(), **more)


def test_an_alarm_comes_with_what_there_is_more_of_and_since_when(tmp_path):
    stream = tmp_path / "water.stream"
    quiet = [looked(stream, day, f"day {day}", fail_on="material") for day in range(1, 6)]
    assert {(one.outcome, one.looks.alarms) for one in quiet} == {(Outcome.PASS, ())}
    drifted = [looked(stream, day, f"day {day}", fail_on="material", sea=0.62) for day in range(6, 14)]
    (alarm,) = drifted[-1].looks.alarms
    assert drifted[-1].outcome is Outcome.FAIL
    assert (alarm.feature, alarm.direction, alarm.level) == ("water", "more of 'sea'", "sea")
    assert "day 3" <= alarm.since <= "day 6"
    assert drifted[-1].looks.evidence > drifted[-1].looks.threshold == 2 * 90 / 0.05
    assert drifted[-1].why.startswith("1 feature changed in 13 looks since day 1; in this sample alone ")
    assert looked(stream, 13, "day 13", sea=0.62).outcome is Outcome.PASS
    assert "sea" not in str(masked(drifted[-1]).looks)
    after = looked(stream, 14, "day 14", restart=["water"], fail_on="material")
    assert (after.outcome, after.looks.looked) == (Outcome.PASS, 14)


def test_a_day_counts_once_and_is_named_by_the_clock(tmp_path):
    stream = tmp_path / "water.stream"
    first = looked(stream, 1).looks
    content = stream.read_bytes()
    again = looked(stream, 2, shift=3.0).looks
    assert (first.at, first.counted, again.counted) == ("2026-11-26", True, False)
    assert (again.evidence, again.alarms) == (first.evidence, ())
    assert stream.read_bytes() == content


def test_bounds_are_stated_by_the_first_look(tmp_path):
    stream = tmp_path / "water.stream"
    first = looked(stream, 1, "one", false_alarms=0.5, looks_per_quarter=13).looks
    assert (first.threshold, first.false_alarms, first.looks_per_quarter) == (2 * 13 / 0.5, 0.5, 13)
    assert looked(stream, 2, "two").looks.threshold == first.threshold
    assert looked(stream, 2, "two", false_alarms=0.5).looks.threshold == first.threshold
    with pytest.raises(UsageError, match=r"begun with 0\.5 false alarms in 13 looks"):
        looked(stream, 3, "three", looks_per_quarter=90)


def test_a_stream_is_of_one_reference_wherever_that_was_read_from(tmp_path):
    stream = tmp_path / "water.stream"
    looked(stream, 1, "one")
    content = stream.read_bytes()
    with pytest.raises(NotComparable, match="another reference"):
        excise.drift(sample(9, 20_000), sample(2), stream=stream, at="two")
    assert stream.read_bytes() == content
    from excise.features import FeatureProfile
    from excise.tables import read

    (tmp_path / "kept.profile").write_bytes(FeatureProfile.build(read(REFERENCE)).encode())
    assert excise.drift(tmp_path / "kept.profile", sample(2), stream=stream, at="two").looks.looked == 2


def test_what_is_no_stream_is_refused_and_left_alone(tmp_path):
    stream = tmp_path / "water.stream"
    looked(stream, 1, "one")
    flipped = bytearray(stream.read_bytes())
    flipped[-3] ^= 1
    for content, said in ((flipped, "whose bytes were changed"), (b"my own notes", "not a drift stream of version v1")):
        stream.write_bytes(content)
        with pytest.raises(DataError, match=f"water\\.stream: .*{said}"):
            looked(stream, 2, "two")
        assert stream.read_bytes() == content
    with pytest.raises(StoreError, match="nowhere"):
        looked(tmp_path / "nowhere" / "water.stream", 1)
    with pytest.raises(DataError, match="cannot read"):
        looked(tmp_path, 1)


@pytest.mark.parametrize("wrong", [{"at": "today"}, {"false_alarms": 0.1}, {"restart": ["water"]}])
def test_words_about_looks_need_a_stream(wrong):
    with pytest.raises(UsageError, match="only with a stream"):
        excise.drift(REFERENCE, sample(1), **wrong)


@pytest.mark.parametrize("wrong", [{"at": " "}, {"false_alarms": 0}, {"looks_per_quarter": 0}, {"restart": ["wter"]}])
def test_words_about_looks_that_make_no_sense_are_refused(tmp_path, wrong):
    with pytest.raises(UsageError):
        excise.drift(REFERENCE, sample(1), stream=tmp_path / "water.stream", **wrong)
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, pathlib, signal, sys
import numpy as np
from tests_looks import looked

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def after(done):
    def die_then(*words, **more):
        done(*words, **more)
        die()
    return die_then

if sys.argv[2] == "written":
    os.fsync = die
if sys.argv[2] == "not renamed":
    pathlib.Path.replace = die
if sys.argv[2] == "renamed":
    pathlib.Path.replace = after(pathlib.Path.replace)
looked(sys.argv[1], 2, "two", shift=0.2)
"""


@pytest.mark.parametrize("when", ["written", "not renamed", "renamed"])
def test_a_look_that_is_killed_is_lost_whole_or_kept_whole(tmp_path, when):
    stream, other = tmp_path / "water.stream", tmp_path / "other.stream"
    for path in (stream, other):
        looked(path, 1, "one")
    before = stream.read_bytes()
    (tmp_path / "tests_looks.py").write_text(Path(__file__).read_text())
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = subprocess.run([sys.executable, "-c", KILLED, str(stream), when], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert (stream.read_bytes() == before) is (when != "renamed")
    assert looked(stream, 2, "two", shift=0.2).looks.counted is (when != "renamed")
    looked(other, 2, "two", shift=0.2)
    assert stream.read_bytes() == other.read_bytes()
    assert sorted(path.name for path in tmp_path.glob("*.stream*")) == ["other.stream", "water.stream"]
    assert list(tmp_path.glob(".*")) == []


def one_look(path, day):
    return looked(path, day, f"day {day}").looks.looked


def test_looks_at_the_same_time_are_all_kept(tmp_path):
    stream = tmp_path / "water.stream"
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(one_look, [stream] * 8, range(8)))
    assert sorted(counts) == list(range(1, 9))
    assert sorted(DriftStream.decode(stream.read_bytes()).looked) == [f"day {day}" for day in range(8)]
