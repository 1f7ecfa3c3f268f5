"""Sees where a service's own code calls what, and what kind of work that is.

Self-contained: stdlib only, Python 3.8 syntax. A profile function in every thread tells which functions of the service's
own code ran, which functions of libraries they called from which line, and which steps of the framework ran.
"""

import os
import sys
import sysconfig
import threading
import time

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
