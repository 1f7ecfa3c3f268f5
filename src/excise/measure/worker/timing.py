"""The timed loop, and what the operating system says about it.

Self-contained: stdlib and numpy, Python 3.8. Source of the schedule: Kalibera & Jones 2013.
"""

import gc
import json
import os
import resource
import time

import numpy as np


OWNER = os.getpid()


def leave_if_forked():
    """A model that forks leaves a second process in our loop: that one must end here, before it forks again."""
    if os.getpid() != OWNER:
        os._exit(0)


def run(predict, calls):
    """Wall and CPU nanoseconds of every call, int64, shape (calls,) each. CPU counts all threads."""
    wall, cpu = [0] * len(calls), [0] * len(calls)
    wall_clock, cpu_clock = time.perf_counter_ns, time.process_time_ns
    index = 0
    gc.freeze()  # the inputs made for this block are ours: production's collector never sees them
    try:
        for batch in calls:
            cpu_start = cpu_clock()
            start = wall_clock()
            predict(batch)
            end = wall_clock()
            cpu[index] = cpu_clock() - cpu_start
            wall[index] = end - start
            index += 1
            leave_if_forked()
    except (Exception, SystemExit) as error:
        error.call = index
        raise
    finally:
        gc.unfreeze()
    return np.array(wall, dtype=np.int64), np.array(cpu, dtype=np.int64)


def run_on_loop(predictor, calls):
    """As ``run``, for a predictor that answers on an event loop: the clock stops when an answer is complete.

    What is done after that (background tasks) costs CPU; it ends before the next call begins.
    """
    return predictor.on_loop(lambda: _on_loop(predictor.ask, calls))


async def _on_loop(ask, calls):
    wall, cpu = [0] * len(calls), [0] * len(calls)
    wall_clock, cpu_clock = time.perf_counter_ns, time.process_time_ns
    index = 0
    gc.freeze()
    try:
        for batch in calls:
            cpu_start = cpu_clock()
            start = wall_clock()
            end = await ask(batch)
            cpu[index] = cpu_clock() - cpu_start
            wall[index] = end - start
            index += 1
            leave_if_forked()
    except (Exception, SystemExit) as error:
        error.call = index
        raise
    finally:
        gc.unfreeze()
    return np.array(wall, dtype=np.int64), np.array(cpu, dtype=np.int64)


def run_staged(staged, calls):
    """As ``run``, through ``staged(batch, clock)``; beside it nanoseconds per stage, summed over the calls.

    A mark costs one append; what it means is worked out when the block is over.
    """
    marks = []
    mark, now = marks.append, time.perf_counter_ns

    def clock(name):
        mark((name, now()))

    def predict(batch):
        mark((None, now()))
        staged(batch, clock)

    wall, cpu = run(predict, calls)
    return wall, cpu, stage_sums(marks)


def stage_sums(marks):
    """Nanoseconds until each mark since the one before it, by name; a mark without a name starts a call."""
    sums, before = {}, 0
    for name, moment in marks:
        if name is not None:
            sums[name] = sums.get(name, 0) + moment - before
        before = moment
    return sums


def reset_peak():
    """Let the kernel forget this process's peak memory."""
    try:
        with open("/proc/self/clear_refs", "w") as handle:
            handle.write("5")
    except OSError:
        pass


def memory():
    """Resident memory now and its peak since ``reset_peak``, MiB; the peak is since the start where /proc is missing."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    steady = peak
    try:
        with open("/proc/self/status") as handle:
            for line in handle:
                if line.startswith("VmHWM:"):
                    peak = int(line.split()[1]) / 1024.0
                elif line.startswith("VmRSS:"):
                    steady = int(line.split()[1]) / 1024.0
    except OSError:
        pass
    return steady, peak


def switches():
    """Voluntary and involuntary context switches so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_nvcsw, usage.ru_nivcsw


def serialize_ns(output):
    """Nanoseconds to write the answer as JSON; what JSON cannot say is written by its repr."""
    start = time.perf_counter_ns()
    json.dumps(output, default=_plain)
    return time.perf_counter_ns() - start


def _plain(value):
    return value.tolist() if hasattr(value, "tolist") else repr(value)


def polite(nice, cores):
    """Be a guest: lower priority, and no more cores than allowed."""
    try:
        os.nice(nice)
    except OSError:
        pass
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


class CudaClock:
    """Device milliseconds by CUDA events through torch, where torch sees a device. Never run on one so far."""

    def __init__(self, torch):
        self.torch = torch
        self.first = torch.cuda.Event(enable_timing=True)
        self.last = torch.cuda.Event(enable_timing=True)

    def start(self):
        self.torch.cuda.reset_peak_memory_stats()
        self.first.record()

    def stop(self):
        self.last.record()
        self.last.synchronize()
        return self.first.elapsed_time(self.last), self.torch.cuda.max_memory_allocated() / 1048576.0


def device_clock():
    """The device clock of this process, None without a device. Imports nothing that the model did not import."""
    import sys

    torch = sys.modules.get("torch")
    if torch is None or not getattr(torch, "cuda", None) or not torch.cuda.is_available():
        return None
    return CudaClock(torch)
