"""A look at whether an audit could run here, and at what is missing for a full one; nothing is timed or written."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import requires
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from excise.adapters.transforms import installed
from excise.api import config
from excise.api.choosing import Choice, Sight, choose
from excise.api.givens import Givens
from excise.api.init import command
from excise.api.settings import AuditSettings
from excise.core.check import Check, Need
from excise.core.errors import CallFailed, ExciseError, UntrustedPickle, WorkerError
from excise.core.spelling import did_you_mean
from excise.core.verdict import Outcome
from excise.economics import PriceBook, default_price
from excise.frontier import propose
from excise.measure.process import Worker
from excise.tables import Table, read

LOOK_S = 5.0
"""How long the model's process may take to load and to answer once."""
PASSED = (
    "baseline",
    "batch",
    "body",
    "csv",
    "dollars_per_hour",
    "headers",
    "input",
    "offline",
    "price",
    "reference",
    "request",
    "slots",
    "target",
)
"""Settings that a look takes as an audit does."""
ALL = "the audit"
EXTRA = re.compile(r"(?P<name>[\w.-]+).*extra\s*==\s*['\"](?P<extra>[\w-]+)")
"""A line of the distribution's metadata that belongs to an extra."""


def check(given: Choice, *, trust_pickle: bool = False, look_s: float = LOOK_S) -> Check:
    """Look at what the settings name, or at what the folder holds where there are no settings.

    Args:
        given: flags; they beat the settings.
        trust_pickle: load pickles, which runs code that they hold.
        look_s: how long the model's process may take.

    Raises:
        ConfigError: the settings cannot be read, or hold what is not known.
    """
    settings = config.load()
    values = settings.settings("audit")
    if settings.path is None:
        values = choose(given, Sight.of(Path()), Path())._asdict()
    values = {key: value for key, value in {**values, **given.filled()}.items() if value is not None}
    line = "excise audit" if settings.path and not given.filled() else command({"model": "MODEL", **values})
    return Check.of(Look(values, trust_pickle=trust_pickle, look_s=look_s).needs(), line)


class Look:
    """One look at everything that an audit is given."""

    def __init__(self, values: Mapping[str, Any], *, trust_pickle: bool, look_s: float) -> None:
        self.values, self.look_s = values, look_s
        passed = {key: values[key] for key in PASSED if key in values}
        self.givens = Givens(
            AuditSettings(
                model=values.get("model", ""), current=values.get("current"), trust_pickle=trust_pickle, **passed
            )
        )

    def needs(self) -> Iterator[Need]:
        """What is required first, then what makes an audit fuller."""
        yield (model := self.model())
        yield (current := self.current())
        yield (reference := self.reference())
        yield self.answers(model, current, reference)
        yield self.target()
        yield self.baseline()
        yield self.price()
        yield self.packages(model)

    def model(self) -> Need:
        """Whether the model is there, whole and of a known kind."""
        if "model" not in self.values:
            return missing("model", "none in the settings, none found", ALL, "excise init MODEL", required=True)
        return tried("model", lambda: f"{self.values['model']}, {self.givens.opened.subject.kind}", ALL)

    def current(self) -> Need:
        """Whether the current inputs can be read."""
        if "current" not in self.values:
            what = "current inputs"
            return missing(what, "none in the settings, none found", ALL, "--current DATA", required=True)
        return tried("current inputs", lambda: self.shape("current"), ALL)

    def answers(self, *given: Need) -> Need:
        """Whether the model loads in a process of its own and answers a call on the first rows."""
        if any(need.required and need.outcome is Outcome.FAIL for need in given):
            why = "it takes a model and inputs"
            return Need(what="answers", outcome=Outcome.NOT_MEASURED, seen=why, unlocks=ALL, required=True)
        with late_after(self.look_s) as watched:
            need = tried("answers", lambda: self.one_call(watched), ALL)
        if need.outcome is Outcome.FAIL and watched.late:
            why = f"not within {self.look_s:g} s; an audit waits longer"
            return Need(what="answers", outcome=Outcome.NOT_MEASURED, seen=why, unlocks=ALL, required=True)
        return need

    def one_call(self, watched: Watched) -> str:
        """One call in a fresh process, as an audit makes it.

        Raises:
            ExciseError: production does not run on its own inputs.
        """
        givens = self.givens
        rows = givens.asked.current
        features = rows.drop([givens.target]) if givens.target in rows.names else rows
        batch = min(givens.settings.batch, rows.rows)
        with Worker(sys.executable, project=givens.opened.folder) as worker:
            watched.pid = worker.pid
            worker.load(givens.subject.variant.loader)
            worker.data(features, kind=givens.kind, rows=range(batch))
            answer = worker.outputs("current", range(batch), batch=batch, shadow=True, seconds=0.0)
        if answer.get("failures"):
            raise CallFailed(f"the request failed: {answer['last_failure']}", hint="--request, --header, --body")
        return "it loads, and answers the first rows"

    def reference(self) -> Need:
        """Whether there are inputs from when the model was approved."""
        unlocks = "fat features, workload shift, data drift"
        if "reference" in self.values or self.own_reference() is not None:
            return tried("reference inputs", lambda: self.shape("reference"), unlocks)
        return missing("reference inputs", "none", unlocks, "--reference DATA")

    def own_reference(self) -> Path | None:
        """The reference that a release brings."""
        with suppress(ExciseError):
            return self.givens.opened.reference
        return None

    def target(self) -> Need:
        """Whether there are labels."""
        unlocks = "skill, instead of agreement with production"
        with suppress(ExciseError, LookupError):
            columns, target = self.table("current").names, self.givens.target
            if target in columns:
                return found("target", str(target), unlocks)
            if target is not None:
                return missing("target", f"no column {target!r}", unlocks, did_you_mean(target, columns))
        return missing("target", "none", unlocks, "--target COLUMN")

    def baseline(self) -> Need:
        """Whether there is an approved release to hold production against."""
        unlocks = "computational creep"
        if "baseline" in self.values:
            return tried("baseline", lambda: self.givens.baseline and self.values["baseline"], unlocks)
        make = f"excise release create {shlex.quote(self.values.get('model', 'MODEL'))}"
        return missing("baseline", "none", unlocks, f"{make}, then --baseline NAME@1")

    def price(self) -> Need:
        """Whether this machine's price is known."""
        unlocks = "dollars of this machine"
        if {"price", "dollars_per_hour"} & set(self.values):
            return tried("price", lambda: self.givens.pricing.facts and self.givens.pricing.facts.sku, unlocks)
        stands_in = default_price(PriceBook.bundled(), self.givens.environment.hardware).sku
        return missing("price", f"{stands_in} stands in", unlocks, "--price SKU, or --dollars-per-hour")

    def packages(self, model: Need) -> Need:
        """Whether the libraries are there that make leaner variants."""
        unlocks = "lean variants of the model"
        if model.outcome is not Outcome.PASS:
            return Need(what="packages", outcome=Outcome.NOT_MEASURED, seen="it takes a model", unlocks=unlocks)
        tried_here = [one.transform for one in propose(self.givens.opened.subject, installed()) if one.applies]
        needed = dict.fromkeys(module for transform in tried_here for module in transform.needs)
        lacking = [module for module in needed if find_spec(module) is None]
        if lacking:
            extras = ",".join(sorted({extra_of(module) for module in lacking}))
            return missing("packages", f"not here: {', '.join(lacking)}", unlocks, f"pip install 'excise[{extras}]'")
        return found("packages", ", ".join(needed) or "none needed", unlocks)

    def shape(self, name: str) -> str:
        """What a sample holds, in a few words."""
        table = self.table(name)
        return f"{table.source}, {table.rows:,} rows, {len(table.names)} columns"

    def table(self, name: str) -> Table:
        """A sample as the audit gets it; where the model does not allow that, as it was given.

        Raises:
            DataError: it cannot be read.
        """
        with suppress(ExciseError):
            return getattr(self.givens.asked, name)  # type: ignore[no-any-return]
        return read(self.values[name], csv=self.givens.settings.csv)


class Watched:
    """A process that may be ended because it takes too long."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self.late = False

    def end(self) -> None:
        """End it and whatever it started."""
        self.late = True
        if self.pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)


@contextmanager
def late_after(seconds: float) -> Iterator[Watched]:
    """A process is ended when the block takes longer."""
    watched = Watched()
    timer = threading.Timer(seconds, watched.end)
    timer.start()
    try:
        yield watched
    finally:
        timer.cancel()


def tried(what: str, seen: Callable[[], Any], unlocks: str) -> Need:
    """A need that was given: there if it can be used, else missing with the reason; an audit does not run without."""
    try:
        return found(what, str(seen()), unlocks, required=True)
    except UntrustedPickle as error:
        return missing(what, error.message, unlocks, "--trust-pickle, if you know who made it", required=True)
    except ExciseError as error:
        cure = error.hint or ("run it alone on the first row" if isinstance(error, WorkerError) else None)
        return missing(what, error.message, unlocks, cure, required=True)


def found(what: str, seen: str, unlocks: str, *, required: bool = False) -> Need:
    """A need that is there."""
    return Need(what=what, outcome=Outcome.PASS, seen=seen, unlocks=unlocks, required=required)


def missing(what: str, seen: str, unlocks: str, get: str | None, *, required: bool = False) -> Need:
    """A need that is not there."""
    return Need(what=what, outcome=Outcome.FAIL, seen=seen, unlocks=unlocks, get=get, required=required)


def extra_of(module: str) -> str:
    """The smallest extra of excise that brings a module; the module itself where none does."""
    lines = [match for line in requires("excise") or () if (match := EXTRA.match(line))]
    size = Counter(match["extra"] for match in lines)
    bringing = [match["extra"] for match in lines if match["name"] == module]
    return min(bringing, key=lambda extra: size[extra], default=module)
