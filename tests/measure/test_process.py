import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import msgspec
import numpy as np
import psutil
import pytest

from excise.core.errors import CallFailed, CallTimeout, WorkerDied, WorkerError
from excise.core.predictor import InputKind
from excise.measure.process import Worker
from excise.tables import read


@pytest.fixture
def opened(spec, numbers):
    """A worker with a handler and the numbers, closed at the end."""
    workers = []

    def make(handler, table=numbers, kind=InputKind.RECORDS, **options):
        worker = Worker(sys.executable, **options)
        workers.append(worker)
        worker.load(spec(handler))
        worker.data(table, kind=kind)
        return worker

    yield make
    for worker in workers:
        worker.close()


def test_a_block_times_every_call_in_wall_and_cpu(opened):
    worker = opened("chain")
    block = worker.run("current", range(10), batch=2, shadow=True)
    assert block["wall_ns"].shape == block["cpu_ns"].shape == (5,)
    assert (block["wall_ns"] >= 1_500_000).all()  # 1 ms in predict and 0.5 ms in the shadow
    assert block["peak_rss_mib"] >= block["rss_mib"] > 5


def test_without_the_shadow_the_declared_stages_run_and_are_timed(opened):
    worker = opened("chain")
    block = worker.run("current", range(10), batch=1, shadow=False)
    assert set(block["stage_ns"]) == {"preprocess", "predict", "postprocess"}
    assert block["stage_ns"]["predict"] >= 10 * 1_000_000
    assert sum(block["stage_ns"].values()) <= block["wall_ns"].sum()


def test_answers_come_back_by_output_name(opened):
    answer = opened("chain").outputs("current", [3, 5], batch=1, shadow=True, seconds=5.0)
    assert answer["rows"].tolist() == [3, 5]
    assert answer["values"]["y"].tolist() == [6.0, 10.0]


def test_loading_says_what_was_found(opened):
    facts = opened("chain").facts
    assert facts["stages"] == ["preprocess", "predict", "postprocess"]
    assert facts["shadow"] is True
    assert facts["load_ms"] > 0


def test_a_call_that_raises_names_the_row_and_the_process_lives_on(opened):
    worker = opened("raises_on_17")
    with pytest.raises(CallFailed, match=r"row 17.*no 17 here") as failed:
        worker.run("current", range(100), batch=1, shadow=True)
    assert failed.value.row == 17
    assert len(worker.run("current", range(10), batch=1, shadow=True)["wall_ns"]) == 10


def test_a_call_that_hangs_ends_at_the_timeout_and_leaves_no_process(opened):
    worker = opened("hangs", timeout_s=0.3)
    pid = worker._process.pid
    started = time.monotonic()
    with pytest.raises(CallTimeout) as slow:
        worker.run("current", [0], batch=1, shadow=True)
    assert time.monotonic() - started < 5
    assert "--timeout" in slow.value.hint
    worker.kill()
    assert not psutil.pid_exists(pid)


@pytest.mark.parametrize(("handler", "how"), [("dies", "SIGKILL"), ("leaves", "exit code 3")])
def test_a_process_that_ends_says_how(opened, handler, how):
    with pytest.raises(WorkerDied, match=how):
        opened(handler).run("current", [0], batch=1, shadow=True)


def test_sys_exit_is_a_failed_call(opened):
    with pytest.raises(CallFailed, match="SystemExit"):
        opened("exits").run("current", [0], batch=1, shadow=True)


def test_what_a_model_prints_reaches_nobody(opened, capfd):
    worker = opened("prints")
    worker.run("current", range(5), batch=1, shadow=True)
    worker.close()
    assert capfd.readouterr() == ("", "")


def test_a_model_that_forks_answers_once(opened):
    worker = opened("forks")
    first = worker.outputs("current", [1, 2], batch=1, shadow=True, seconds=5.0)
    second = worker.outputs("current", [3], batch=1, shadow=True, seconds=5.0)
    assert first["values"][""].tolist() == [1, 2]
    assert second["values"][""].tolist() == [3]


def test_a_call_that_changes_its_input_does_not_change_the_next_one(opened):
    worker = opened("changes_its_input", read({"x": np.array(["1", "2"], dtype=object)}))
    for _ in range(2):
        answer = worker.outputs("current", [0, 0], batch=1, shadow=True, seconds=5.0)
        assert answer["values"][""].tolist() == ["str", "str"]


def test_a_leak_shows_in_the_peak(opened):
    worker = opened("leaks")
    first = worker.run("current", range(1), batch=1, shadow=True)["peak_rss_mib"]
    last = worker.run("current", range(64), batch=1, shadow=True)["peak_rss_mib"]
    assert last - first > 30


def test_an_interpreter_that_is_not_there_is_said_so():
    with pytest.raises(WorkerError, match="cannot start"):
        Worker("/no/such/python")


def test_frames_and_tensors_are_rebuilt_in_the_worker(opened):
    table = read({"x": np.arange(4.0)})
    records = opened("double", table).outputs("current", range(4), batch=2, shadow=True, seconds=5.0)
    assert records["values"][""].tolist() == [0.0, 2.0, 4.0, 6.0]


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel to end it")
def test_the_worker_ends_when_the_measuring_process_is_killed(spec, tmp_path):
    script = tmp_path / "measure.py"
    loader = spec("hangs")
    script.write_text(
        textwrap.dedent(f"""
        import sys, numpy as np
        from excise.core.predictor import InputKind, LoaderSpec
        from excise.measure.process import Worker
        from excise.tables import read
        worker = Worker(sys.executable)
        worker.load(LoaderSpec(loader={loader.loader!r}, target={loader.target!r}))
        worker.data(read({{"x": np.arange(3)}}), kind=InputKind.RECORDS)
        print(worker.pid, flush=True)
        worker.run("current", [0], batch=1, shadow=True)
        """)
    )
    measuring = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=os.environ)
    with measuring:
        pid = int(measuring.stdout.readline())
        time.sleep(0.2)
        measuring.send_signal(signal.SIGKILL)
    for _ in range(50):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.1)
    pytest.fail("the worker outlived the process that measured")


@pytest.mark.skipif(sys.platform != "linux", reason="a stopped process would outlive ours there")
def test_a_worker_stands_still_while_it_is_asked_nothing(opened):
    """Threads that spin on after a call must not hold a core of the process whose turn it is."""
    worker = opened("starts_a_spinning_thread")
    worker.run("current", [0], batch=1, shadow=True)
    process = psutil.Process(worker.pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(0.3)
    assert sum(process.cpu_times()[:2]) - before < 0.05
    assert process.status() == psutil.STATUS_STOPPED
    assert len(worker.run("current", range(3), batch=1, shadow=True)["wall_ns"]) == 3


def test_untimed_calls_lead_into_a_block(opened):
    worker = opened("counts_its_calls")
    block = worker.run("current", range(4), batch=1, shadow=True, lead=range(3))
    assert len(block["wall_ns"]) == 4
    after = worker.outputs("current", [0], batch=1, shadow=True, seconds=1.0)["values"]
    assert next(iter(after.values())).tolist() == [8.0]


def test_a_call_that_raises_while_leading_in_names_its_row(opened):
    with pytest.raises(CallFailed, match="row 17"):
        opened("raises_on_17").run("current", range(4), batch=1, shadow=True, lead=[3, 17])


DEVICE = """
import sys, time, types


class Event:
    def record(self):
        self.at = time.perf_counter()

    def synchronize(self):
        pass

    def elapsed_time(self, later):
        return 1000 * (later.at - self.at)


cuda = types.SimpleNamespace(
    is_available=lambda: True,
    Event=lambda enable_timing: Event(),
    reset_peak_memory_stats=lambda: None,
    max_memory_allocated=lambda: 3 << 20,
)
sys.modules["torch"] = types.SimpleNamespace(cuda=cuda, nn=types.SimpleNamespace(Module=type("Module", (), {})))


def model(rows):
    end = time.perf_counter() + 0.002
    while time.perf_counter() < end:
        pass
    return [0.0 for _ in rows]
"""
"""A model on a device whose clock is a fake with the interface of torch's CUDA events."""


def test_a_device_times_a_block_by_its_own_events(spec, numbers, tmp_path):
    (tmp_path / "device.py").write_text(DEVICE)
    loader = spec("chain")
    with Worker(sys.executable) as worker:
        worker.load(msgspec.structs.replace(loader, target=f"{tmp_path}/device.py:model"))
        worker.data(numbers, kind=InputKind.RECORDS)
        block = worker.run("current", range(4), batch=1, shadow=True, lead=range(2))
    assert 8.0 <= block["gpu_ms"] < 12.0  # four calls; those that lead in are not among them
    assert block["gpu_mib"] == 3.0


def test_without_a_device_nothing_is_said_of_one(opened):
    block = opened("double").run("current", range(2), batch=1, shadow=True)
    assert block["gpu_ms"] is block["gpu_mib"] is None


def test_a_worker_that_is_stopped_from_another_thread_dies_at_once(opened):
    worker = opened("hangs", timeout_s=60)
    threading.Timer(0.3, worker.stop).start()
    started = time.monotonic()
    with pytest.raises(WorkerDied, match="SIGKILL"):
        worker.run("current", [0], batch=1, shadow=True)
    assert time.monotonic() - started < 10


def test_the_last_words_of_a_process_are_a_line_and_not_its_source(opened):
    worker = opened("warns_and_dies")
    with pytest.raises(WorkerDied, match="this is the end"):
        worker.run("current", [0], batch=1, shadow=True)
