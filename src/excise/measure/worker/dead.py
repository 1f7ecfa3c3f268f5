"""Finds work that no answer depends on: a call is left out, and the answers stay what they were.

Self-contained: stdlib only, Python 3.8 syntax. Each call from the service's own code is tried, on requests whose
answers differ: first it does nothing (its value is None), then its first value stands for every later one. What changes
no answer in the first way can be dropped, in the second way computed once. What was found stays out while the next one is
tried, so that all of them can be left out together. Functions that are required get what they got, and do what they did.
"""

import contextlib
import contextvars
import gc
import inspect
import json
import sys
import time
import types

TRIED = ("own_code", "validation", "serialization", "logging", "input_output")
"""Kinds of calls that are tried: not what makes the model's input or asks the model, nor what the framework does."""
DROP, ONCE = "drop", "once"
REQUESTS = 40
"""Different answers that must stay what they were, at most."""
MOST = 40
OF_PROCESSES = (
    "_exit",
    "abort",
    "execv",
    "execve",
    "fork",
    "forkpty",
    "kill",
    "killpg",
    "posix_spawn",
    "wait",
    "waitpid",
)
"""Functions of C's that are not tried: a process that believes to be its own child would be lost."""


class Stub(object):
    """A call that is left out, from one place.

    Attributes:
        site: ``code`` (or a function of C's), ``caller`` and ``line``. how: ``drop`` or ``once``.
        met: whether the call was made since, so that leaving it out says something.
        needed: whether a function that is required made it.
    """

    def __init__(self, site, how):
        self.site, self.how, self.met, self.needed = site, how, False, False

    def put(self, trampolines):
        """Leave the call out; whether it was found."""
        return trampolines.put_at([self.site], self.leave_out)

    def leave_out(self, original, find):
        """What is called instead."""
        frame_at, kept, how = sys._getframe, [], self.how

        def call(*args, **kwargs):
            if find(frame_at(1)) is None:
                return original(*args, **kwargs)
            self.meet()
            if how == DROP:
                return None
            if not kept:
                kept.append(original(*args, **kwargs))
            return kept[0]

        async def acall(*args, **kwargs):
            if find(frame_at(1)) is None:
                return await original(*args, **kwargs)
            self.meet()
            if how == DROP:
                return None
            if not kept:
                kept.append(await original(*args, **kwargs))
            return kept[0]

        return acall if inspect.iscoroutinefunction(original) else call

    def meet(self):
        """The call is made."""
        self.met = True
        self.needed = self.needed or IN_REQUIRED.get()


IN_REQUIRED = contextvars.ContextVar("in_required", default=False)
"""Whether a function that is required is running."""


class Listener(object):
    """Hears what the functions that are required are given; ``heard`` holds it, call by call."""

    def __init__(self, sites):
        self.sites, self.heard = list({one.code: one for one in sites}.values()), []

    def put(self, trampolines):
        """Listen to every call, wherever it comes from."""
        for site in self.sites:
            trampolines.put_at([site], self.listen)

    def listen(self, original, _):
        """What is called instead."""

        def call(*args, **kwargs):
            with self.hearing(args, kwargs):
                return original(*args, **kwargs)

        async def acall(*args, **kwargs):
            with self.hearing(args, kwargs):
                return await original(*args, **kwargs)

        return acall if inspect.iscoroutinefunction(original) else call

    @contextlib.contextmanager
    def hearing(self, args, kwargs):
        """While a function that is required runs; what it was given is remembered."""
        self.heard.append((args, kwargs))
        token = IN_REQUIRED.set(True)
        try:
            yield
        finally:
            IN_REQUIRED.reset(token)


def search(predict, made, tried, listener, trampolines, seconds):
    """Stubs of calls that no answer depends on, the dear ones first; and why not all can be told (None where they can)."""
    until = time.monotonic() + seconds
    judge, found = Judge(predict, made, trampolines, listener), []
    if judge.reason:
        return [], judge.reason
    for count, site in enumerate(tried):
        if time.monotonic() > until:
            return found, "there was time to leave out %d of %d calls" % (count, len(tried))
        if any(left_out_with(site, stub.site) for stub in found):
            continue
        for how in (DROP, ONCE):
            if judge.unchanged(found + [Stub(site, how)]):
                found.append(Stub(site, how))
                break
    return found, None


def candidates(sites, required):
    """The sites that are tried."""
    own = [one for one in sites if one.of_service and one.kind in TRIED and not of_processes(one)]
    return [one for one in own if not named(one, required)][:MOST]


def of_processes(site):
    """Whether it makes or ends processes."""
    return site.builtin and site.label.rpartition(".")[2] in OF_PROCESSES


def named(site, required):
    """Whether a function is marked as required, by its name with or without its class or module."""
    return site.label in required or site.label.rpartition(".")[2] in required


def left_out_with(site, other):
    """Whether a call is made by a function, or by a C function on the same line, that is left out already."""
    return site.caller is other.code or (other.builtin and site.caller is other.caller and site.line == other.line)


class Judge(object):
    """Whether answers, and what required functions are given, stay what they were.

    Parts that differ from call to call by themselves are not looked at.
    """

    def __init__(self, predict, made, trampolines, listener):
        self.predict, self.trampolines, self.listener = predict, trampolines, listener
        self.reason = None
        first, second = self.ask(made), self.ask(made)
        self.made, self.expected, seen = [], [], set()
        for batch, one, other in zip(made, first, second):
            stable = [
                {path: value for path, value in part.items() if again.get(path) == value}
                for part, again in zip(one, other)
            ]
            key = json.dumps(stable[0], sort_keys=True, default=str)
            if key not in seen and len(self.made) < REQUESTS:
                seen.add(key)
                self.made.append(batch)
                self.expected.append(stable)
        if len(self.made) < 2:
            self.reason = "all answers are alike, so that nothing can be told from them"

    def ask(self, made):
        """Every answer, and what was heard meanwhile, as leaves by path."""
        trampolines = self.trampolines()
        try:
            self.listener.put(trampolines)
            return [self.answered(batch) for batch in made]
        finally:
            trampolines.off()

    def answered(self, batch):
        """The answer to these requests and what was heard meanwhile, both as leaves by path."""
        self.listener.heard = []
        answer = leaves(self.predict(batch))
        return answer, leaves(self.listener.heard)

    def unchanged(self, stubs):
        """Whether the answers are the same without these calls."""
        trampolines = self.trampolines()
        try:
            if not all([stub.put(trampolines) for stub in stubs]):
                return False
            self.listener.put(trampolines)
            same = all(self.as_expected(batch, expected) for batch, expected in zip(self.made, self.expected))
            return same and all(stub.met and not stub.needed for stub in stubs)
        except (Exception, SystemExit):
            return False
        finally:
            trampolines.off()

    def as_expected(self, batch, expected):
        """Whether the answer to these requests is what it was, and so is what was heard."""
        return all(
            part.get(path, MISSING) == value
            for part, wanted in zip(self.answered(batch), expected)
            for path, value in wanted.items()
        )


MISSING = object()


def leaves(value, path=""):
    """The single values in an answer by their path."""
    if isinstance(value, dict):
        pairs = [(str(key), part) for key, part in value.items()]
    elif isinstance(value, (list, tuple)):
        pairs = [(str(index), part) for index, part in enumerate(value)]
    else:
        return {path: value if isinstance(value, (int, float, str, bool, type(None))) else repr(value)}
    found = {}
    for key, part in pairs:
        found.update(leaves(part, "%s/%s" % (path, key)))
    return found or {path: repr(value)}


class Place(object):
    """Where a call is, found again in another process by what ``written`` says of it."""

    builtin = False

    def __init__(self, written, codes):
        self.line = written["line"]
        self.caller = None if written["caller"] is None else codes[tuple(written["caller"])]
        if written["module"]:
            self.builtin, self.code = True, getattr(sys.modules[written["module"]], written["code"])
        else:
            self.code = codes[tuple(written["code"])]


def written(stub):
    """A stub as plain values."""
    site = stub.site
    return {
        "module": site.code.__module__ if site.builtin else None,
        "code": site.code.__name__ if site.builtin else key(site.code),
        "caller": None if site.caller is None else key(site.caller),
        "line": site.line,
        "how": stub.how,
    }


def key(code):
    """What a code object is known by in every process."""
    return [code.co_filename, code.co_firstlineno, code.co_name]


def codes_in(files):
    """Code objects of the functions from these files, by their key."""
    found, queue = (
        {},
        [
            one.__code__
            for one in gc.get_objects()
            if type(one) is types.FunctionType and one.__code__.co_filename in files
        ],
    )
    while queue:
        code = queue.pop()
        found[tuple(key(code))] = code
        queue.extend(part for part in code.co_consts if isinstance(part, types.CodeType))
    return found


class Shadow(object):
    """The calls that a service is run without when its shadow pipeline is dropped; they are looked for when first used."""

    def __init__(self, stubs, trampolines):
        self.written, self.trampolines = stubs, trampolines
        self._placed = None

    def __enter__(self):
        if self._placed is None:
            self._placed = self.trampolines()
            places = [
                place for one in self.written for place in (one["code"], one["caller"]) if isinstance(place, list)
            ]
            codes = codes_in({place[0] for place in places})
            for one in self.written:
                if not Stub(Place(one, codes), one["how"]).put(self._placed):
                    raise LookupError("%s is not there to be left out" % one["code"])
        else:
            self._placed.on()

    def __exit__(self, *_):
        self._placed.off()
