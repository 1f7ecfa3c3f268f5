import asyncio
import json
import os
import re
import shutil
import socket
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from excise.adapters.models import find
from excise.core.predictor import InputKind
from excise.core.refs import ModelRef
from excise.measure.breakdown import read
from excise.measure.process import Worker
from excise.measure.worker import program
from excise.tables import read as read_table

APPS = Path(__file__).parent.parent / "apps"
Trampolines, sites, survey, dead = program.trampolines.Trampolines, program.sites, program.survey, program.dead


def plain(a, b=2, *rest, c=3, **more):
    return a, b, rest, c, more


def closing(over):
    def inner(x):
        return x + over

    return inner


async def waits(x):
    await asyncio.sleep(0)
    return x


class Child(dict):
    def __init__(self):
        super().__init__(made=True)


def doubling(original):
    return lambda *args, **kwargs: ("seen", original(*args, **kwargs))


def passing(original):
    def call(*args):
        return original(*args)

    return call


@pytest.fixture
def trampolines():
    made = Trampolines()
    yield made
    made.off()


def test_a_function_is_met_wherever_it_is_held(trampolines):
    held = {"elsewhere": plain}
    assert trampolines.put(plain.__code__, doubling) == 1
    assert held["elsewhere"](1, c=4, d=5) == ("seen", (1, 2, (), 4, {"d": 5}))
    trampolines.off()
    assert held["elsewhere"](1) == (1, 2, (), 3, {})
    trampolines.on()
    assert plain(1)[0] == "seen"


def test_every_closure_keeps_its_own_variables(trampolines):
    ones, twos = closing(1), closing(2)
    assert trampolines.put(ones.__code__, doubling) == 2
    assert ones(10) == ("seen", 11)
    assert twos(10) == ("seen", 12)


def test_super_without_arguments_survives(trampolines):
    trampolines.put(Child.__init__.__code__, passing)
    assert Child() == {"made": True}


def test_coroutine_functions_stay_coroutine_functions(trampolines):
    def make(original):
        async def call(*args):
            return "seen", await original(*args)

        return call

    trampolines.put(waits.__code__, make)
    assert asyncio.iscoroutinefunction(waits)
    assert asyncio.run(waits(3)) == ("seen", 3)


def test_generators_are_left_alone(trampolines):
    def letters():
        yield "a"

    assert trampolines.put(letters.__code__, doubling) == 0


def test_a_function_of_c_is_met_in_every_module(trampolines):
    assert trampolines.put_builtin(time.sleep, lambda original: lambda seconds: "slept") >= 1
    assert time.sleep(60) == "slept"
    trampolines.off()
    assert time.sleep(0) is None


def test_own_times_of_nested_calls_add_up_to_the_whole():
    outer, inner = Named("outer"), Named("inner")
    a, b = object(), object()
    times = survey.Times()
    times.add([(a, outer, 10), (b, inner, 30), (b, None, 70), (a, None, 90)], 0, 100)
    assert times.own == {None: 20, outer: 40, inner: 40}
    assert times.whole == {outer: 80, inner: 40}
    assert times.inside[(outer, inner)] == 40
    assert sum(times.own.values()) == 100


def test_calls_that_end_out_of_order_and_after_the_answer_lose_nothing():
    first, second = Named("first"), Named("second")
    a, b = object(), object()
    times = survey.Times()
    times.add([(a, first, 10), (b, second, 20), (a, None, 40), (b, None, 130)], 0, 100)
    assert sum(times.own.values()) == 100
    assert times.own[second] == 80


class Named:
    """A site of which only the identity counts."""

    def __init__(self, name):
        self.name = name


class Answering:
    """A predictor whose answers depend on one of its three helpers."""

    required = ()

    def predict(self, batch):
        unused(batch)
        return {"y": used(batch) + constant(), "at": time.perf_counter_ns()}


def used(batch):
    return batch * 2


def unused(batch):
    return json.dumps(batch)


def constant():
    return 7


class TwiceChecked:
    """A predictor whose answers need one of its two checks, and not both."""

    def predict(self, batch):
        found = [first_check(batch)]
        found.append(second_check(batch))
        return {"y": next(one for one in found if one is not None)}


def first_check(batch):
    return batch + 1


def second_check(batch):
    return batch + 1


class Told:
    """A predictor that tells somebody of each answer."""

    def predict(self, batch):
        text = text_of(batch)
        unused(batch)
        tell(text)
        return {"y": batch}


def text_of(batch):
    return f"got {batch}"


def tell(text):
    return stamp(), text


def stamp():
    return "now"


def site(function, kind="own_code", caller=Answering):
    code, caller = function.__code__, getattr(caller, "predict", caller).__code__
    line = next(line for _, _, line in caller.co_lines() if line and calls(caller, line, function.__name__))
    return sites.Site(code, caller, line, kind, function.__name__, "here", True)


def calls(code, line, name):
    source = Path(code.co_filename).read_text().splitlines()[line - 1]
    return re.search(rf"\b{name}\(", source) is not None and "def" not in source


def searched(predict, seen, required=(), seconds=20.0):
    tried = dead.candidates(seen, required)
    kept = dead.Listener([one for one in seen if dead.named(one, required)])
    return dead.search(predict, list(range(20)), tried, kept, Trampolines, seconds)


def test_a_call_is_dropped_when_no_answer_depends_on_it_and_made_once_when_it_never_changes():
    stubs, reason = searched(Answering().predict, [site(used), site(unused), site(constant)])
    assert reason is None
    assert {(stub.site.label, stub.how) for stub in stubs} == {("unused", "drop"), ("constant", "once")}
    assert Answering().predict(3)["y"] == 13


def test_what_is_marked_as_required_is_not_tried():
    stubs, _ = searched(Answering().predict, [site(unused), site(constant)], ("unused",))
    assert [stub.site.label for stub in stubs] == ["constant"]


def test_what_a_required_call_is_given_and_makes_stays():
    seen = [site(one, caller=by) for one, by in ((text_of, Told), (tell, Told), (unused, Told), (stamp, tell))]
    stubs, _ = searched(Told().predict, seen, ("tell",))
    assert [stub.site.label for stub in stubs] == ["unused"]
    stubs, _ = searched(Told().predict, seen)
    assert {stub.site.label for stub in stubs} == {"text_of", "tell", "unused"}


def test_model_and_preprocessing_are_not_tried():
    stubs, _ = searched(Answering().predict, [site(unused, "model")])
    assert stubs == []


def test_answers_that_are_all_alike_tell_nothing():
    stubs, reason = searched(lambda batch: {"ok": True}, [site(unused)])
    assert stubs == []
    assert "all answers are alike" in reason


def test_of_two_calls_that_do_the_same_one_is_kept():
    stubs, _ = searched(TwiceChecked().predict, [site(one, caller=TwiceChecked) for one in (first_check, second_check)])
    assert [stub.site.label for stub in stubs] == ["first_check"]


def test_a_search_that_has_no_time_says_how_far_it_came():
    stubs, reason = searched(Answering().predict, [site(unused)], seconds=-1.0)
    assert stubs == []
    assert reason == "there was time to leave out 0 of 1 calls"


def test_what_makes_processes_is_not_tried():
    fork = sites.Site(os.fork, Answering.predict.__code__, 1, "input_output", "posix.fork", "here", True)
    assert [one.label for one in dead.candidates([fork, site(unused)], ())] == ["unused"]


@pytest.fixture
def validator():
    """A service elsewhere that takes 2 ms to say ok."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection):
        with connection:
            while connection.recv(4096):
                time.sleep(0.002)
                connection.sendall(b"ok")

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1]
    server.close()


def surveyed(folder, ref, rows, port=0, **load):
    spec = find(ModelRef.parse(ref)).variant.loader
    options = {**spec.options, "request": {"method": "POST", "path": "/predict"}, **load.pop("options", {})}
    worker = Worker(sys.executable, project=folder, variables={"VALIDATOR_PORT": str(port)})
    worker.load(spec.__class__(loader=spec.loader, target=spec.target, options=options), **load)
    worker.data(read_table(rows), kind=InputKind.RECORDS)
    return worker


def test_planted_work_is_named_and_left_out_in_another_process(tmp_path, validator):
    shutil.copy(APPS / "planted.py", tmp_path)
    ref, rows = f"asgi:{tmp_path}/planted.py:app", {"x": np.arange(60.0)}
    with surveyed(tmp_path, ref, rows, validator, watched=True) as worker:
        found = read(worker.profile("current", range(60), batch=1) | worker.unneeded(20.0))
    named = {item.name: item.ms for item in found.undeclared}
    assert {"validate_again", "json.dumps", "warnings.warn"} <= set(named)
    assert "double" not in named
    assert 2.0 <= named["validate_again"] < 20
    assert named["validate_again"] > max(ms for name, ms in named.items() if name != "validate_again")
    with surveyed(tmp_path, ref, rows, validator, drop=found.drop) as worker:
        assert worker.facts["shadow"]
        answers = [worker.outputs("current", range(8), batch=1, shadow=s, seconds=5.0)["values"] for s in (True, False)]
        walls = [np.median(worker.run("current", range(20), batch=1, shadow=s)["wall_ns"]) for s in (True, False)]
    assert answers[0]["y"].tolist() == answers[1]["y"].tolist() == [2.0 * x for x in range(8)]
    assert walls[0] - walls[1] > 1.9e6


def test_a_survey_leaves_out_nothing_that_is_required(tmp_path, validator):
    shutil.copy(APPS / "planted.py", tmp_path)
    options = {"required": ["validate_again", "warn"]}
    ref, rows = f"asgi:{tmp_path}/planted.py:app", {"x": np.arange(60.0)}
    with surveyed(tmp_path, ref, rows, validator, watched=True, options=options) as worker:
        found = read(worker.profile("current", range(60), batch=1) | worker.unneeded(20.0))
    names = {item.name for item in found.undeclared}
    assert "json.dumps" in names
    assert {"validate_again", "BaseModel.model_dump_json", "warnings.warn"}.isdisjoint(names)


def test_a_service_is_told_by_kinds_of_work_that_add_up(tmp_path, validator):
    shutil.copy(APPS / "planted.py", tmp_path)
    ref, rows = f"asgi:{tmp_path}/planted.py:app", {"x": np.arange(60.0)}
    with surveyed(tmp_path, ref, rows, validator, watched=True) as worker:
        found = read(worker.profile("current", range(60), batch=1))
    kinds = {line.name: line.self_ms for line in found.lines}
    assert set(kinds) == set(sites.KINDS)
    assert kinds["input_output"] == max(kinds.values())
    assert kinds["validation"] > 0
    assert sum(line.share for line in found.lines) == pytest.approx(1.0)


def test_every_route_is_timed_by_the_name_that_the_framework_gives_it(tmp_path):
    shutil.copy(APPS / "routes.py", tmp_path)
    recorded = [{"method": "GET", "path": f"/items/{k % 7}" if k % 2 else "/slow", "body": None} for k in range(40)]
    spec = find(ModelRef.parse(f"asgi:{tmp_path}/routes.py:app")).variant.loader
    with Worker(sys.executable, project=tmp_path) as worker:
        worker.load(spec, watched=True)
        worker.data(read_table(recorded), kind=InputKind.RECORDS)
        found = read(worker.profile("current", range(40), batch=1))
    assert [route.name for route in found.routes] == ["GET /slow", "GET /items/{item}"]
    assert found.routes[0].latency_ms.value > 2.0 > found.routes[1].latency_ms.value
