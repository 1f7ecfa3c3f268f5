"""Puts something in a Python function's way, for every caller: by its code, wherever references to it are held.

Self-contained: stdlib only, Python 3.8 syntax. A function's ``__code__`` is replaced by a small one that calls what was
put in its way; the original goes on living as a clone. So nothing has to be found that holds the function: a route's
closure, a bound method, a name imported elsewhere. Frames keep the original's name and file.
"""

import gc
import inspect
import sys
import types
import warnings

CALL = "\0call"
"""Constant in the compiled trampoline that what is put in the way takes the place of."""
UNFIT = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
"""Generators are left alone: their calls return before they have done anything."""


class Trampolines(object):
    """Everything that was put in the way; ``off`` takes it away for a while."""

    def __init__(self):
        self._swaps = []

    def put(self, code, make):
        """Call ``make(original)`` instead of every function with this code; how many functions there are.

        ``original`` is a clone that does what the function did; what ``make`` returns takes the caller's arguments. Of
        a coroutine function both are coroutine functions.
        """
        if code.co_flags & UNFIT:
            return 0
        found = functions_with(code)
        for function in found:
            self._swap(function, "__code__", code, trampoline(code, make(clone(function))))
        return len(found)

    def put_builtin(self, function, make):
        """Likewise for a function of C's, in every loaded module that holds it under some name."""
        replacement = make(function)
        places = [
            (module, name)
            for module in list(sys.modules.values())
            for name, value in list((getattr(module, "__dict__", None) or {}).items())
            if value is function
        ]
        for module, name in places:
            self._swap(module, name, function, replacement)
        return len(places)

    def put_at(self, sites, make):
        """Put ``make(original, find)`` in the way of a function that is called from these sites; whether that could be done.

        ``find(frame)`` is the site from which the call with this frame came, None for another place.
        """
        first = sites[0]
        if not first.builtin:
            find = finder(sites)
            return self.put(first.code, lambda original: make(original, lambda frame: find(frame.f_back)))
        if not callable(first.code):
            return False  # a method of a type of C's cannot be exchanged
        return self.put_builtin(first.code, lambda original: make(original, finder(sites)))

    def _swap(self, owner, name, original, replacement):
        self._swaps.append((owner, name, original, replacement))
        setattr(owner, name, replacement)

    def on(self):
        """Everything in the way once more."""
        for owner, name, _, replacement in self._swaps:
            setattr(owner, name, replacement)

    def off(self):
        """Everything as it was."""
        for owner, name, original, _ in reversed(self._swaps):
            setattr(owner, name, original)


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


def functions_with(code):
    """Every function whose code it is."""
    return [one for one in gc.get_referrers(code) if isinstance(one, types.FunctionType) and one.__code__ is code]


def clone(function):
    """A function that does the same and is not known to anybody."""
    made = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def trampoline(code, target):
    """Code with the name, the file and the free variables of ``code`` that calls ``target``."""
    waits = code.co_flags & inspect.CO_COROUTINE
    name = code.co_name if code.co_name.isidentifier() else "trampoline"
    source = "def outer(%s):\n %sdef %s(*args, **kwargs):\n  if 0: (%s)\n  return %s%r(*args, **kwargs)\n" % (
        ", ".join(code.co_freevars),
        "async " if waits else "",
        name,
        "".join(free + ", " for free in code.co_freevars),
        "await " if waits else "",
        CALL,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a text is not callable: it never is called
        outer = compile(source, code.co_filename, "exec").co_consts[0]
    inner = next(constant for constant in outer.co_consts if isinstance(constant, types.CodeType))
    constants = tuple(target if constant == CALL else constant for constant in inner.co_consts)
    return inner.replace(co_consts=constants, co_firstlineno=code.co_firstlineno)
