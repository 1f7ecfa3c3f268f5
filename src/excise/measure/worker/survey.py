"""Names what a call of a service spends its time on, function by function: first seen, then timed.

Self-contained: stdlib only, Python 3.8 syntax.

First the calls are watched by a profile function in every thread: it tells which functions of the service's own code ran,
which functions of libraries they called from which line, and which steps of the framework ran. Its clock would count
Python code too dear, so the functions that matter are then timed by marks at their start and end, in calls that nothing
watches; a function's own time is the time in which no other marked one ran inside it. Functions of C's cannot be marked:
their time is the watched one, which is right for them, since nothing inside them is watched.
"""

import inspect
import os
import sys
import sysconfig
import threading
import time
from collections import Counter

from_siblings = sys.modules["_excise_worker_trampolines"]
Trampolines = from_siblings.Trampolines

KINDS = ("dependencies", "parsing", "validation", "preprocessing", "model", "serialization", "logging", "input_output",
         "middleware", "own_code", "framework")  # fmt: skip
LIBRARIES = {
    "model": ("sklearn", "xgboost", "lightgbm", "catboost", "torch", "onnxruntime", "tensorflow", "keras", "openvino",
              "transformers", "sentence_transformers", "xllamacpp", "ai_edge_litert", "statsmodels", "joblib"),
    "preprocessing": ("pandas", "numpy", "polars", "pyarrow", "scipy", "PIL", "cv2", "tokenizers", "feature_engine"),
    "validation": ("pydantic", "pydantic_core", "marshmallow", "jsonschema", "cerberus", "attr", "cattrs", "pandera"),
    "serialization": ("json", "orjson", "ujson", "simplejson", "pickle", "csv", "msgpack", "msgspec", "base64"),
    "logging": ("logging", "structlog", "loguru", "warnings", "opentelemetry", "prometheus_client", "sentry_sdk",
                "statsd", "mlflow", "wandb", "traceback"),
    "input_output": ("socket", "_socket", "ssl", "http", "urllib", "urllib3", "requests", "httpx", "aiohttp", "redis",
                     "sqlite3", "_sqlite3", "psycopg", "psycopg2", "asyncpg", "sqlalchemy", "boto3", "botocore", "io",
                     "_io", "posix", "os", "select", "selectors", "time", "asyncio", "subprocess", "tempfile", "shutil"),
}  # fmt: skip
LIBRARY_KINDS = {name: kind for kind, names in LIBRARIES.items() for name in names}
TRANSFORMERS = ("transform", "fit_transform", "inverse_transform")
"""Methods of model libraries that prepare a model's input."""
STEPS = {
    ("fastapi", "app"): "framework",
    ("fastapi", "run_endpoint_function"): "framework",
    ("fastapi", "solve_dependencies"): "dependencies",
    ("fastapi", "request_body_to_args"): "validation",
    ("fastapi", "request_params_to_args"): "validation",
    ("fastapi", "serialize_response"): "serialization",
    ("fastapi", "jsonable_encoder"): "serialization",
    ("starlette", "app"): "framework",
    ("starlette", "handle"): "framework",
    ("starlette", "run_in_threadpool"): "framework",
    ("starlette", "render"): "serialization",
    ("starlette", "body"): "parsing",
    ("starlette", "json"): "parsing",
    ("starlette", "form"): "parsing",
    ("flask", "dumps"): "serialization",
    ("flask", "loads"): "parsing",
    ("flask", "jsonify"): "serialization",
    ("werkzeug", "get_json"): "parsing",
    ("werkzeug", "get_data"): "parsing",
    ("django", "json_dumps"): "serialization",
    ("rest_framework", "is_valid"): "validation",
    ("rest_framework", "render"): "serialization",
    ("litestar", "decode_json"): "parsing",
    ("litestar", "encode_json"): "serialization",
}
"""Steps of a framework by package and function."""
ALWAYS_THERE = ("errors.py", "exceptions.py", "asyncexitstack.py")
"""Middleware that nobody added."""
ENTRIES = ("__call__", "dispatch", "process_request", "process_response")
"""Methods by which a framework enters a middleware."""
SMALL = 0.003
"""Share of a call below which a function is not told of, unless it is of one of the kinds in ``ALWAYS``."""
ALWAYS = ("dependencies", "parsing", "validation", "serialization", "logging", "input_output")
OFTEN = 50
"""A function that one call enters more often than this is not marked: the marks would be what is timed."""
MOST = 80
OUTLIER = 1.5
"""A call that took this many times the median was disturbed: it is not looked into."""
WARM = 3
"""Calls that nobody watches, so that imports and caches are not told of."""
ALONE = 0.15
"""Share of a function that may be of another kind when the whole of it is told under the kind of most of it."""
INSTALLED = ("site-packages", "dist-packages")
STDLIB = tuple(os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib"))


class Site(object):
    """A function, and where the service's own code calls it; the line is 0 where somebody else does.

    ``of_service`` says that the call is the service's doing and not the framework's.
    """

    __slots__ = ("code", "caller", "line", "kind", "label", "where", "of_service", "ns", "calls")

    def __init__(self, code, caller, line, kind, label, where, of_service):
        self.code, self.caller, self.line, self.kind = code, caller, line, kind
        self.label, self.where, self.of_service = label, where, of_service
        self.ns = self.calls = 0

    @property
    def builtin(self):
        """Whether it is C's."""
        return not hasattr(self.code, "co_name")


class Watcher(object):
    """The profile function of all threads; it passes everything by until it is told to watch."""

    def __init__(self):
        self.own = None
        self.watching = self.over = False
        self.sites = {}
        self._stacks = {}
        self._kinds = {}
        threading.setprofile(self)

    def stop(self):
        """Leave every thread at its next event."""
        self.over = True
        threading.setprofile(None)

    def __call__(self, frame, event, arg):
        if not self.watching:
            if self.over:
                sys.setprofile(None)
            return
        now = time.perf_counter_ns()
        stack = self._stacks.setdefault(threading.get_ident(), [])
        if event == "call":
            stack.append((frame, self.site(frame), now))
        elif event == "return":
            self.leave(stack, frame, now)
        elif event == "c_call":
            stack.append((arg, self.builtin_site(frame, arg), now))
        else:
            self.leave(stack, arg, now)

    def leave(self, stack, thing, now):
        """A function has returned: everything above it on the stack has, too."""
        for place in range(len(stack) - 1, max(-1, len(stack) - 4), -1):
            if stack[place][0] is thing:
                _, site, started = stack[place]
                del stack[place:]
                if site is not None:
                    site.ns += now - started
                    site.calls += 1
                return

    def site(self, frame):
        """Where a Python function was called; None where it is nobody's business."""
        code, caller = frame.f_code, frame.f_back
        kind, own, _ = self.kind_of(code)
        if own and kind is None:
            return None
        if caller is not None and self.is_own(caller.f_code):
            kind = kind or library_kind(module_of(frame), code.co_name)
            where = place_of(caller.f_code, caller.f_lineno)
            return self.known(code, caller.f_code, caller.f_lineno, kind, code_label(frame), where, True)
        return None if kind is None else self.known(code, None, 0, kind, code_label(frame), place_of(code), own)

    def builtin_site(self, frame, function):
        """Where the service's own code called a function of C's that is of a kind by itself."""
        if not self.is_own(frame.f_code):
            return None
        owner = getattr(function, "__self__", None)
        module = str(getattr(function, "__module__", None) or type(owner).__module__)
        name = getattr(function, "__name__", "")
        kind = library_kind(module, name)
        if kind == "framework":
            return None
        label = "%s.%s" % (module.lstrip("_") if owner is sys.modules.get(module) else type(owner).__name__, name)
        thing = function if owner is sys.modules.get(module) else label
        return self.known(
            thing, frame.f_code, frame.f_lineno, kind, label, place_of(frame.f_code, frame.f_lineno), True
        )

    def known(self, code, caller, line, kind, label, where, of_service):
        """The site of that key."""
        key = (id(code) if hasattr(code, "co_name") else code, id(caller), line)  # hashing a code object takes long
        if key not in self.sites:
            self.sites[key] = Site(code, caller, line, kind, label, where, of_service)
        return self.sites[key]

    def is_own(self, code):
        """Whether it is the service's own code."""
        return self.kind_of(code)[1]

    def kind_of(self, code):
        """Kind of a function that is of interest by itself, and whether it is the service's own."""
        found = self._kinds.get(id(code))
        if found is None:
            found = self._kinds[id(code)] = (*self.look(code), code)  # held, so that its id stays its own
        return found

    def look(self, code):
        path = os.path.realpath(code.co_filename)
        if self.own(path):  # comprehensions and lambdas are their function's
            inner = code.co_name.startswith("<")
            return None if inner else "middleware" if code.co_name in ENTRIES else "own_code", True
        package = package_of(path)
        step = STEPS.get((package, code.co_name))
        if step is None and code.co_name == "__call__" and os.sep + "middleware" in path:
            step = "framework" if os.path.basename(path) in ALWAYS_THERE else "middleware"
        return step, False


def package_of(path):
    """The installed package that a file belongs to; empty for none."""
    parts = path.split(os.sep)
    for folder in INSTALLED:
        if folder in parts:
            return parts[parts.index(folder) + 1].partition(".")[0]
    return ""


def library_kind(module, name):
    """Kind of a library's function by its module."""
    top = module.partition(".")[0]
    kind = LIBRARY_KINDS.get(top) or LIBRARY_KINDS.get(top.lstrip("_")) or "framework"
    return "preprocessing" if kind == "model" and name in TRANSFORMERS else kind


def module_of(frame):
    """Name of the module that a frame runs in."""
    return str(frame.f_globals.get("__name__", ""))


def code_label(frame):
    """A function's name as people know it: with its class, or with its module where that says more."""
    code = frame.f_code
    name = getattr(code, "co_qualname", None)
    if name is None:
        owner = frame.f_locals.get("self") if code.co_varnames[:1] == ("self",) else None
        name = code.co_name if owner is None else "%s.%s" % (type(owner).__name__, code.co_name)
    name = name.rpartition("<locals>.")[2]
    module = module_of(frame).partition(".")[0]
    return "%s.%s" % (module, name) if "." not in name and module in LIBRARY_KINDS else name


def place_of(code, line=None):
    """File and line, as short as a person can find it again."""
    path = code.co_filename
    for folder in INSTALLED:
        path = path.partition(os.sep + folder + os.sep)[2] or path
    short = path if not os.path.isabs(path) else os.path.basename(path)
    return "%s:%d" % (short, line or code.co_firstlineno)


def own_code(folders):
    """Whether a file is the service's own: below its folders, and neither installed nor of Python's library."""
    roots = tuple(os.path.realpath(folder).rstrip(os.sep) + os.sep for folder in folders)

    def own(path):
        if not path.startswith(roots) or path.startswith(STDLIB) or os.path.basename(path).startswith("<"):
            return False
        return not any(folder in path.split(os.sep) for folder in INSTALLED)

    return own


def caller_of(predictor):
    """A function that makes one call and tells when it began and when its answer was complete, in nanoseconds."""
    now = time.perf_counter_ns
    ask = getattr(predictor, "ask", predictor.predict)

    def call(batch):
        start = now()
        ask(batch)
        return start, now()

    async def on_loop(batch):
        start = now()
        return start, await ask(batch)

    if hasattr(predictor, "on_loop"):
        return lambda batch: predictor.on_loop(lambda: on_loop(batch))
    return call


def watch(watcher, call, made, own):
    """Watch the calls; the sites that matter, the dear ones first. Their times are per call, in nanoseconds."""
    for batch in made[:WARM]:
        call(batch)
    watcher.own = own
    watched = made[WARM:] or made
    sys.setprofile(watcher)
    watcher.watching = True
    spans = [call(batch) for batch in watched]
    watcher.watching = False
    watcher.stop()
    whole = sum(end - start for start, end in spans) / len(watched)
    found = []
    for site in watcher.sites.values():
        site.ns, site.calls = site.ns / len(watched), site.calls / len(watched)
        if site.ns >= SMALL * whole or site.kind in ALWAYS:
            found.append(site)
    return sorted(found, key=lambda site: -site.ns)[:MOST]


def marked(trampolines, sites, note):
    """Put marks at the start and the end of the sites' functions: ``note(token, site, ns)``, the site None at the end."""
    together = {}
    for site in sites:
        if site.calls <= OFTEN:
            together.setdefault(id(site.code), []).append(site)
    for alike in together.values():
        put(trampolines, alike, lambda original, find: marking(original, find, note))


def put(trampolines, sites, make):
    """Put ``make(original, find)`` in the way of a function that is called from these sites; whether that could be done.

    ``find(frame)`` is the site from which the call with this frame came, None for another place.
    """
    first = sites[0]
    if not first.builtin:
        find = finder(sites)
        return trampolines.put(first.code, lambda original: make(original, lambda frame: find(frame.f_back)))
    if not callable(first.code):
        return False  # a method of a type of C's cannot be exchanged
    return trampolines.put_builtin(first.code, lambda original: make(original, finder(sites)))


def finder(sites):
    """A function that finds the site at which the frame of a caller stands; None for another place."""
    anywhere = next((site for site in sites if site.caller is None), None)
    by_line = {}
    for site in sites:
        by_line.setdefault(site.line, []).append(site)

    def find(frame):
        if frame is not None:
            for site in by_line.get(frame.f_lineno, ()):
                if site.caller is frame.f_code:
                    return site
        return anywhere

    return find if any(by_line) else lambda frame: anywhere


def marking(original, find, note):
    """A function that tells when it begins and when it ends."""
    now, frame_at = time.perf_counter_ns, sys._getframe

    def call(*args, **kwargs):
        site = find(frame_at(1))
        if site is None:
            return original(*args, **kwargs)
        token = object()
        note((token, site, now()))
        try:
            return original(*args, **kwargs)
        finally:
            note((token, None, now()))

    async def acall(*args, **kwargs):
        site = find(frame_at(1))
        if site is None:
            return await original(*args, **kwargs)
        token = object()
        note((token, site, now()))
        try:
            return await original(*args, **kwargs)
        finally:
            note((token, None, now()))

    return acall if inspect.iscoroutinefunction(original) else call


class Times(object):
    """Nanoseconds of every site over some calls.

    Attributes:
        own: in which it was the innermost one; of None: in which none was.
        whole: from its start to its end.
        inside: own time of others while it ran, by (site, other); its own under (site, site).
    """

    def __init__(self):
        self.own, self.whole, self.inside, self.entered = Counter(), Counter(), Counter(), Counter()
        self.calls = 0

    def add(self, events, start, end):
        """One call's events. Requests are asked one by one: whatever thread an event is from, there is one stack."""
        stack, before = [], start
        for token, site, moment in events:
            moment = min(moment, end)  # what is done after the answer is no part of it
            self.spend(stack, moment - before)
            before = moment
            if site is not None:
                stack.append((token, site, moment))
                self.entered[site] += 1
                continue
            place = next((i for i in range(len(stack) - 1, -1, -1) if stack[i][0] is token), None)
            if place is not None:
                _, left, began = stack.pop(place)
                self.whole[left] += moment - began
        self.spend([], end - before)
        self.calls += 1

    def spend(self, stack, spent):
        """Time that passed while these sites ran, the innermost last."""
        inner = stack[-1][1] if stack else None
        self.own[inner] += spent
        for site in {site for _, site, _ in stack}:
            self.inside[(site, inner)] += spent

    def scaled(self, factor):
        """Per call, times a factor."""
        for counts in (self.own, self.whole, self.inside):
            for key in counts:
                counts[key] *= factor / self.calls
        for site, count in self.entered.items():
            site.calls = count / float(self.calls)
        return self


def time_sites(call, made, sites):
    """Times of the sites per call, in nanoseconds, with what the marks cost taken out, over calls that went undisturbed."""
    plain = median([end - start for start, end in map(call, made)])
    events, trampolines, kept = [], Trampolines(), []
    marked(trampolines, sites, events.append)
    for batch in made[:WARM]:
        call(batch)
    for batch in made:
        del events[:]
        start, end = call(batch)
        kept.append((start, end, list(events)))
    trampolines.off()
    usual, times = median([end - start for start, end, _ in kept]), Times()
    for start, end, happened in kept:
        if end - start <= OUTLIER * usual:
            times.add(happened, start, end)
    return times.scaled(min(1.0, plain / usual))


def median(values):
    """The middle one, the greater of two."""
    return sorted(values)[len(values) // 2]


def parts(times, sites):
    """Rows like those of a profile, and the sums by kind, in ms per call; the sites' own times and kinds are settled."""
    own = {site: spent for site, spent in times.own.items() if site is not None}
    classes = dict.fromkeys(KINDS, 0.0)
    for site in sites:
        if site.builtin and site not in own:
            take_from_caller(site, own, times)
    kinds = told_kinds(own, times)
    for site in own:
        site.kind, site.ns = kinds[site], times.whole[site]
    for site, spent in own.items():
        classes[site.kind] += max(0.0, spent) / 1e6
    classes["framework"] += times.own[None] / 1e6
    rows = [
        {
            "name": site.label,
            "where": site.where,
            "self_ms": max(0.0, spent) / 1e6,
            "total_ms": site.ns / 1e6,
            "calls": site.calls,
            "class": site.kind,
        }
        for site, spent in own.items()
    ]
    return sorted(rows, key=lambda row: -row["self_ms"]), classes


def take_from_caller(site, own, times):
    """A function of C's ran inside the marked function that called it."""
    callers = [one for one in own if one.code is site.caller]
    spent = min(site.ns, sum(own[one] for one in callers))
    whole = sum(own[one] for one in callers) or 1.0
    for one in callers:
        part = spent * own[one] / whole
        own[one] -= part
        times.inside[(one, one)] -= part
        times.inside[(one, site)] += part
    own[site] = times.whole[site] = spent


def told_kinds(own, times):
    """Kind of every site; a function of the service's own is of the kind of what it mostly does, and all inside it too."""
    kinds = {site: site.kind for site in own}
    for site in own:
        if site.kind == "own_code" and site.caller is not None:
            inside = Counter()
            for (outer, inner), spent in times.inside.items():
                if outer is site:
                    inside[inner.kind] += spent
            kind = main_kind(inside)
            if kind is not None:
                kinds.update({inner: kind for outer, inner in times.inside if outer is site})
    return kinds


def main_kind(inside):
    """The kind that a function is told under: of half of its time at least, with little of any other beside it."""
    plain = Counter({kind: spent for kind, spent in inside.items() if kind not in ("own_code", "framework")})
    for kind in ("logging", "input_output"):
        if plain[kind]:  # a text is made in order to be written
            plain[kind] += plain.pop("serialization", 0)
    if not plain:
        return None
    (kind, most), whole = plain.most_common(1)[0], sum(inside.values())
    return kind if most >= whole / 2 and sum(plain.values()) - most <= ALONE * whole else None
