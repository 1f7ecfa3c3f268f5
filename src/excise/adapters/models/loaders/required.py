"""Keeps the functions that a handler marks as ``required`` when its other shadow work is dropped.

Self-contained: stdlib only, Python 3.8 syntax.

One production call is watched: which required functions ran, and whether each argument was the call's input or the
output of a stage (by identity) or a constant. Afterwards each is called with the same roles filled anew. A function
whose arguments come from elsewhere cannot be kept alone, and then nothing is dropped: that is an error with its name.
"""

import sys


class NotSeparable(Exception):
    """A required function cannot be run without the rest of the shadow pipeline."""


class Kept(object):
    """One required function, and where its arguments come from: ``("role", name)`` or ``("constant", value)``."""

    def __init__(self, name, function, args, kwargs):
        self.name = name
        self.function = function
        self.args = args
        self.kwargs = kwargs

    def __call__(self, values):
        args = [fill(source, values) for source in self.args]
        kwargs = {key: fill(source, values) for key, source in self.kwargs.items()}
        return self.function(*args, **kwargs)


def fill(source, values):
    """The value of an argument in this call."""
    return values[source[1]] if source[0] == "role" else source[1]


def learn(handler, stages, required, batch):
    """Watch one production call and return its required functions as ``Kept``, in calling order.

    Raises:
        NotSeparable: a required function was not called, or an argument of it cannot be traced.
    """
    owners = {name: owner_of(handler, name) for name in required}
    watch = Watch(batch)
    for name in stages:
        watch.stage(handler, name)
    for name, owner in owners.items():
        watch.function(owner, name)
    try:
        handler(batch)
    finally:
        watch.undo()
    missing = sorted(set(required) - {kept.name for kept in watch.kept})
    if missing:
        raise NotSeparable("required %s was not called by the handler" % ", ".join(missing))
    return watch.kept


def owner_of(handler, name):
    """The handler itself, or the module of its class, whichever has the function."""
    module = sys.modules.get(type(handler).__module__)
    for owner in (handler, module):
        if callable(getattr(owner, name, None)):
            return owner
    raise NotSeparable("required %r is neither a method of the handler nor a function beside it" % name)


class Watch(object):
    """Wraps functions for one call and notes what passed through them."""

    def __init__(self, batch):
        self.seen = [("input", batch)]
        self.kept = []
        self.undone = []

    def stage(self, owner, name):
        """Remember what a stage returns."""
        original = getattr(owner, name)

        def watched(*args, **kwargs):
            output = original(*args, **kwargs)
            self.seen.append((name, output))
            return output

        self.put(owner, name, watched)

    def function(self, owner, name):
        """Remember where the arguments of a required function come from."""
        original = getattr(owner, name)

        def watched(*args, **kwargs):
            roles = [self.role(value, name) for value in args]
            named = {key: self.role(value, name) for key, value in kwargs.items()}
            self.kept.append(Kept(name, original, roles, named))
            return original(*args, **kwargs)

        self.put(owner, name, watched)

    def role(self, value, name):
        """Where a value came from: the latest thing seen that is the same object, else a plain constant."""
        for role, thing in reversed(self.seen):
            if thing is value:
                return ("role", role)
        if value is None or isinstance(value, (bool, int, float, str, bytes)):
            return ("constant", value)
        raise NotSeparable("required %s() takes a %s that no stage returned" % (name, type(value).__name__))

    def put(self, owner, name, watched):
        """Set an attribute on the object itself and remember how it was."""
        had = name in vars(owner)
        self.undone.append((owner, name, had, vars(owner).get(name)))
        setattr(owner, name, watched)

    def undo(self):
        """Everything as it was."""
        for owner, name, had, original in reversed(self.undone):
            if had:
                setattr(owner, name, original)
            else:
                delattr(owner, name)
