"""Names what a call of a service spends its time on, function by function: first seen, then timed.

Self-contained: stdlib only, Python 3.8 syntax.

First the calls are watched (``sites.py``). That clock would count Python code too dear, so the functions that matter are
then timed by marks at their start and end, in calls that nothing watches; a function's own time is the time in which no
other marked one ran inside it. Methods of types of C's cannot be marked: their time is the watched one, which is right
for them, since nothing inside them is watched.
"""

import inspect
import sys
import time
from collections import Counter

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
        return lambda batch: predictor.on_loop(lambda: on_loop(batch), predictor.timeout_s)
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
        trampolines.put_at(alike, lambda original, find: marking(original, find, note))


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


def time_sites(call, made, sites, trampolines):
    """Times of the sites per call, in nanoseconds, with what the marks cost taken out, over calls that went undisturbed."""
    plain = median([end - start for start, end in map(call, made)])
    events, kept = [], []
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


def by_route(predictor, call, made):
    """Milliseconds of calls by the route that answered them."""
    found = {}
    for batch in made:
        start, end = call(batch)
        found.setdefault(predictor.last.route, []).append((end - start) / 1e6)
    return found


def median(values):
    """The middle one, the greater of two."""
    return sorted(values)[len(values) // 2]


def parts(times, sites, kinds):
    """Rows like those of a profile, and the sums by kind, in ms per call; the sites' own times and kinds are settled."""
    own = {site: spent for site, spent in times.own.items() if site is not None}
    classes = dict.fromkeys(kinds, 0.0)
    for site in sites:
        if site.builtin and site not in own:
            take_from_caller(site, own, times)
    told = told_kinds(own, times)
    for site in own:
        site.kind, site.ns = told[site], times.whole[site]
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
