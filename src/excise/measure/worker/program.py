"""The worker: loads one model in one environment and answers what the measuring process asks.

Started as ``python program.py READ_FD WRITE_FD``. Self-contained: stdlib and numpy, Python 3.8; what it loads imports
nothing of excise. One request frame, one answer frame; when the other end goes away, so does this one.
"""

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import signal
import sys
import time
import traceback

STARTED_NS = time.perf_counter_ns()
HERE = os.path.dirname(os.path.abspath(__file__))


def sibling(name):
    """One of the files beside this one, under a name that no model uses."""
    return load_file("_excise_worker_" + name, os.path.join(HERE, name + ".py"))


def load_file(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


wire, inputs, timing, profiling, outputs = map(sibling, ("wire", "inputs", "timing", "profiling", "outputs"))
trampolines, sites, survey, dead = map(sibling, ("trampolines", "sites", "survey", "dead"))
import numpy as np  # noqa: E402  after the siblings, so that a missing numpy is reported by one of them

WARM_UP_WINDOW = 3
"""Calls per window of the warm-up; it ends when two windows agree within FLAT."""
FLAT = 0.05


class Worker:
    """One model, its samples, and the commands on them."""

    def __init__(self):
        self.predictor = None
        self.samples = {}
        self.before = set(sys.modules)
        self.watcher = self.shadow = self.surveyed = None

    def hello(self):
        return {"python": sys.version.split()[0], "numpy": np.__version__, "pid": os.getpid()}

    def load(self, loader, target, options, project=None, drop=(), watched=False):
        """Load the model; ``watched`` where its calls will be surveyed, since a thread is watched from its start on."""
        self.watcher = sites.Watcher() if watched else None
        self.shadow = dead.Shadow(drop, trampolines.Trampolines) if drop else None
        if project and project not in sys.path:
            sys.path.insert(0, project)
        start = time.perf_counter_ns()
        module = load_file("_excise_loader", loader)
        self.predictor = module.load(target, options)
        load_ms = (time.perf_counter_ns() - start) / 1e6
        steady, peak = timing.memory()
        return {
            "load_ms": load_ms,
            "start_ms": (start - STARTED_NS) / 1e6,
            "rss_mib": steady,
            "peak_rss_mib": peak,
            "signature": getattr(self.predictor, "signature", None),
            "thread_safe": bool(getattr(self.predictor, "thread_safe", False)),
            "stages": list(getattr(self.predictor, "stages", ()) or ()),
            "shadow": bool(drop or getattr(self.predictor, "shadow", False)),
            "required": dict(getattr(self.predictor, "required", None) or {}),
            "has_model": getattr(self.predictor, "model", None) is not None,
            "default_input": getattr(self.predictor, "default_input", None),
            "distributions": distributions(set(sys.modules) - self.before),
        }

    def data(self, name, kind, columns, ids):
        names = [spec["name"] for spec in (getattr(self.predictor, "signature", None) or {}).get("inputs", ())]
        prepare = getattr(self.predictor, "prepare", None)
        self.samples[name] = inputs.Rows(columns, kind, names, ids, prepare)
        return {"rows": self.samples[name].count}

    def warm(self, sample, rows, batch, shadow, seconds):
        """Call until two windows agree, or the time is spent. The first call's time is given apart."""
        calls = cycle(chunks(rows, batch))
        walls, started = [], time.perf_counter()
        while len(walls) < 2 * WARM_UP_WINDOW or not flat(walls):
            walls.append(self.timed(sample, [next(calls)], shadow)["wall_ns"][0])
            if len(walls) > 2 and time.perf_counter() - started > seconds:
                break
        with self.without_shadow(shadow):
            output = self.way(shadow)(self.samples[sample].call(next(calls)))
        return {
            "first_call_ms": walls[0] / 1e6,
            "call_ms": float(np.median(walls[1:] or walls)) / 1e6,
            "calls": len(walls),
            "serialize_ms": timing.serialize_ns(output) / 1e6,
        }

    def run(self, sample, rows, batch, shadow, cores=None, lead=()):
        """One timed block, on these cores where they are named, once calls on ``lead`` have filled the caches."""
        if cores and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, cores)
        return self.timed(sample, chunks(rows, batch), shadow, chunks(lead, batch))

    def timed(self, sample, cuts, shadow, lead=()):
        leading, made = ([self.samples[sample].call(cut) for cut in those] for those in (lead, cuts))
        run = self.staged_run if self.plain_chain(shadow) else self.whole_run
        device = timing.device_clock()
        timing.reset_peak()
        with self.without_shadow(shadow):
            self.attempt(sample, lead, run, leading)
            self.counted()
            before = timing.switches()
            if device:
                device.start()
            wall, cpu, stages = self.attempt(sample, cuts, run, made)
            gpu_ms, gpu_mib = device.stop() if device else (None, None)
            after = timing.switches()
        steady, peak = timing.memory()
        return {
            "wall_ns": wall,
            "cpu_ns": cpu,
            "stage_ns": stages,
            "rss_mib": steady,
            "peak_rss_mib": peak,
            "switches": [after[0] - before[0], after[1] - before[1]],
            "gpu_ms": gpu_ms,
            "gpu_mib": gpu_mib,
            "requests": self.requests_in(made),
            **self.counted(),
        }

    def counted(self):
        """What a predictor that asks somebody else counts: requests that failed, times and tokens by name."""
        return {
            "failures": self.asked_for("failures"),
            "meters": {name: np.asarray(values, dtype=float) for name, values in self.asked_for("meters").items()},
        }

    def requests_in(self, made):
        """How many requests some calls are, where their failures are counted."""
        return sum(map(len, made)) if hasattr(self.predictor, "failures") else 0

    def asked_for(self, name):
        """What the predictor counted since the last question."""
        return dict(getattr(self.predictor, name)()) if hasattr(self.predictor, name) else {}

    def staged_run(self, made):
        """The declared chain, stage by stage."""
        return timing.run_staged(self.predictor.staged, made)

    def whole_run(self, made):
        """Calls as production makes them; their stages are not known."""
        if hasattr(self.predictor, "on_loop"):
            wall, cpu = timing.run_on_loop(self.predictor, made)
        else:
            wall, cpu = timing.run(getattr(self.predictor, "ask", self.predictor.predict), made)
        return wall, cpu, {}

    def attempt(self, sample, cuts, run, made):
        """Run calls; where one fails, the error names its first row."""
        try:
            return run(made)
        except (Exception, SystemExit) as error:
            first = cuts[min(getattr(error, "call", 0), len(cuts) - 1)][0]
            error.row = self.samples[sample].ids[first]
            raise

    def plain_chain(self, shadow):
        """Whether a call is the declared chain and nothing else, so that its stages can be timed."""
        if not getattr(self.predictor, "stages", ()):
            return False
        return not shadow or not getattr(self.predictor, "shadow", False)

    def way(self, shadow):
        """How a call is made: as production makes it, or without its shadow pipeline."""
        if shadow or not getattr(self.predictor, "shadow", False):
            return self.predictor.predict
        return lambda batch: self.predictor.staged(batch, ignore)

    def without_shadow(self, shadow):
        """Leaves out the calls that were named as dropped, where the shadow pipeline is not wanted."""
        return self.shadow if self.shadow is not None and not shadow else contextlib.nullcontext()

    def outputs(self, sample, rows, batch, shadow, seconds):
        """What the model answers, until the time is spent; ``rows`` says how far it came."""
        with self.without_shadow(shadow):
            return self.answered(sample, rows, batch, shadow, seconds)

    def answered(self, sample, rows, batch, shadow, seconds):
        answers, sizes, done, walls, requests = [], [], [], [], 0
        predict, started = self.way(shadow), time.perf_counter()
        for cut in chunks(rows, batch):
            made = self.samples[sample].call(cut)
            start = time.perf_counter()
            try:
                answer = predict(made)
            except (Exception, SystemExit) as error:
                error.row = self.samples[sample].ids[cut[0]]
                raise
            timing.leave_if_forked()
            walls.append(time.perf_counter() - start)
            answers.append(outputs.by_name(answer, len(cut)))
            sizes.append(len(cut))
            requests += self.requests_in([made])
            done.extend(cut)
            if time.perf_counter() - started > seconds:
                break
        return {
            "rows": np.array(done, dtype=np.int64),
            "values": outputs.joined(answers, sizes),
            "call_ms": 1e3 * float(np.median(walls)),
            "requests": requests,
            "failures": self.asked_for("failures"),
            "last_failure": getattr(self.predictor, "last_failure", None),
            # Once more after the calls: what a model imports on its first call belongs to it as well.
            "distributions": distributions(set(sys.modules) - self.before),
        }

    def profile(self, sample, rows, batch):
        """A separate profiled pass over production's own calls; never the timed one."""
        made = [self.samples[sample].call(cut) for cut in chunks(rows, batch)]
        if self.watcher is not None:
            return self.survey(made)
        copies = [self.samples[sample].call(cut) for cut in chunks(rows, batch)]
        return profiling.profile(self.predictor, made, copies, timing.leave_if_forked)

    def survey(self, made):
        """A service's calls by function."""
        predictor, call = self.predictor, survey.caller_of(self.predictor)
        seen = survey.watch(self.watcher, call, made, sites.own_code(predictor.folders))
        routes = survey.by_route(predictor, call, made)
        times = survey.time_sites(call, made, seen, trampolines.Trampolines())
        rows, classes = survey.parts(times, seen, sites.KINDS)
        self.surveyed = made, seen
        return {
            "calls": len(made),
            "functions": rows,
            "classes": classes,
            "operators": [],
            "routes": routes,
            "undeclared": [],
        }

    def unneeded(self, seconds):
        """Of a service that was surveyed: calls that no answer depends on."""
        predictor, (made, seen) = self.predictor, self.surveyed
        tried = dead.candidates(seen, predictor.required)
        kept = dead.Listener([one for one in self.watcher.sites.values() if dead.named(one, predictor.required)])
        stubs, reason = dead.search(predictor.predict, made, tried, kept, trampolines.Trampolines, seconds)
        undeclared = [
            {
                "name": stub.site.label,
                "where": stub.site.where,
                "ms": stub.site.ns / 1e6,
                "constant": stub.how == dead.ONCE,
            }
            for stub in stubs
        ]
        return {"undeclared": undeclared, "stubs": [dead.written(stub) for stub in stubs], "reason": reason}

    def transform(self, script, sample, rows, batch, out_dir, options):
        """Run a transform's script on the loaded model with real inputs."""
        made = [self.samples[sample].call(cut) for cut in chunks(rows, batch)]
        return load_file("_excise_transform", script).apply(self.predictor, made, out_dir, options)


def ignore(_name):
    """A stage clock that nobody reads."""


def chunks(rows, batch):
    rows = [int(row) for row in rows]
    return [rows[start : start + batch] for start in range(0, len(rows), batch)]


def cycle(cuts):
    while True:
        for cut in cuts:
            yield cut


def flat(walls):
    last = float(np.median(walls[-WARM_UP_WINDOW:]))
    before = float(np.median(walls[-2 * WARM_UP_WINDOW : -WARM_UP_WINDOW]))
    return before - last <= FLAT * before


def distributions(modules):
    """Names of the installed distributions behind the modules that the model brought in."""
    try:
        from importlib.metadata import packages_distributions
    except ImportError:
        return []
    known = packages_distributions()
    roots = {name.partition(".")[0] for name in modules}
    return sorted({name for root in roots for name in known.get(root, ())})


def claim_stdout():
    """What the model prints must not mix with frames or with the command's own output."""
    os.dup2(2, 1)
    sys.stdout = sys.stderr


def die_with_parent():
    """On Linux the kernel ends this process when the measuring one is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def reader(descriptor):
    def read(size):
        parts, left = [], size
        while left:
            part = os.read(descriptor, min(left, 1 << 20))
            if not part:
                os._exit(0)
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    return read


def write(descriptor, parts):
    for part in parts:
        view = memoryview(part)
        while view:
            view = view[os.write(descriptor, view) :]


def failure(error):
    last = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
    return {
        "type": type(error).__name__,
        "message": str(error)[:2000],
        "row": getattr(error, "row", None),
        "where": "%s:%d in %s" % (os.path.basename(last.filename), last.lineno, last.name) if last else None,
        "traceback": traceback.format_exc()[-8000:],
    }


def answer(worker, request):
    try:
        return {"ok": getattr(worker, request.pop("command"))(**request)}
    except (Exception, SystemExit) as error:
        return {"error": failure(error)}


def main(read_fd, write_fd):
    claim_stdout()
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.set_inheritable(read_fd, False)
    os.set_inheritable(write_fd, False)
    if HERE in sys.path:
        sys.path.remove(HERE)
    worker, read = Worker(), reader(read_fd)
    while True:
        request = wire.decode(read)
        if request["command"] == "close":
            if worker.predictor is not None:
                worker.predictor.close()
            os._exit(0)
        if request["command"] == "polite":
            reply = {"ok": timing.polite(request["nice"], request["cores"])}
        else:
            reply = answer(worker, request)
        timing.leave_if_forked()
        write(write_fd, wire.encode(reply))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
