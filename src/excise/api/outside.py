"""What can be told of an endpoint from outside: its answers against kept ones, its latency, what it meters."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from excise.api.keeping import KIND, readable
from excise.core.audit import Against, Audit, Beside, Gap, Meter, Standing
from excise.core.errors import StoreError, UsageError
from excise.core.estimate import Estimate
from excise.core.measurement import CellTrials, Experiment, Outputs
from excise.core.tax import PRODUCTION, Culprit
from excise.ledger import Ledger
from excise.stats.pairs import paired
from excise.stats.percentiles import percentile
from excise.stats.proportions import proportion
from excise.tax import disagreeing, relative

if TYPE_CHECKING:
    from excise.api.auditor import Auditor

AGAINST = "against"
"""Cell of the model that production is held against."""
ANSWERS = "answers"
"""The ledger's kind of fact that holds digests of answers."""
WHY = "an endpoint cannot be run again here"
UNREACHED = f"{Culprit.MODEL_BLOAT}, {Culprit.DEPENDENCY_ROT}, {Culprit.FAT_FEATURES}, {Culprit.SHADOW_PIPELINE}"
TOKENS = {"input": "input_tokens", "cached": "cached_tokens", "output": "output_tokens"}
"""Names of token prices, and the meters that count them."""
METERS = ("ttft_ms", "tpot_ms", "itl_ms", *TOKENS.values())
"""In the order in which a reader asks: the first token, the others, how many."""
PER_MILLION, PER = 1e6, 1000
MOST_FAILING = 0.5
"""Share of requests; what fails more often is asked in the wrong way, and its latency is that of its errors."""
DIGITS = 6
"""Significant digits of a number in an answer that are kept: more of them differ between machines."""


def gaps() -> Iterator[Gap]:
    """What an endpoint keeps to itself."""
    yield Gap(what=f"tax rate, {UNREACHED}", why=f"{WHY}; audit the service itself: excise audit asgi:module:app")
    yield Gap(what="CPU, memory and the price of a machine", why="they are the endpoint's own")


def seen(standing: Standing, cost: Estimate | None) -> Standing:
    """Of one inference only what a client sees."""
    return Standing(
        latency_ms=standing.latency_ms,
        p50_ms=standing.p50_ms,
        p95_ms=standing.p95_ms,
        p99_ms=standing.p99_ms,
        first_call_ms=standing.first_call_ms,
        cost_per_1000=cost,
        skill=standing.skill,
    )


def meters(trials: CellTrials) -> tuple[Meter, ...]:
    """What the answers said of single calls, with intervals over rounds."""
    known = [name for name in METERS if name in trials.meters]
    return tuple(_meter(name, [one for one in trials.meters[name] if one.size]) for name in known)


def _meter(name: str, rounds: list[NDArray[np.float64]]) -> Meter:
    values = np.concatenate(rounds)
    unit = "ms" if name.endswith("_ms") else "tokens"
    return Meter(
        name=name,
        mean=paired(np.array([float(one.mean()) for one in rounds]), unit=unit),
        p50=percentile(values, 0.5),
        p95=percentile(values, 0.95),
        p99=percentile(values, 0.99),
    )


def token_prices(text: str | None) -> dict[str, float]:
    """``input=0.15,cached=0.075,output=0.6``: USD per million tokens.

    >>> token_prices("input=0.15, output=0.6")
    {'input': 0.15, 'output': 0.6}

    Raises:
        UsageError: another name, or no number.
    """
    found: dict[str, float] = {}
    for part in (text or "").split(",") if text else []:
        name, _, price = part.partition("=")
        try:
            found[name.strip()] = float(price)
        except ValueError:
            found[name.strip()] = math.nan
        if name.strip() not in TOKENS or not 0 <= found[name.strip()] < math.inf:
            hint = "USD per million tokens: input=0.15,cached=0.075,output=0.6"
            raise UsageError(f"{part.strip()!r} is no token price", hint=hint)
    return found


def token_cost(trials: CellTrials, prices: Mapping[str, float]) -> Estimate | None:
    """USD per 1000 calls by metered tokens; cached input is charged at its own price where it has one."""
    if not prices or "output_tokens" not in trials.meters:
        return None
    rounds = [
        sum(prices.get(kind, 0.0) * count for kind, count in _tokens(trials, index, prices).items())
        for index in range(len(trials.meters["output_tokens"]))
    ]
    return paired(np.array(rounds) * PER / PER_MILLION, unit="usd")


def _tokens(trials: CellTrials, index: int, prices: Mapping[str, float]) -> dict[str, float]:
    """Mean tokens per call of one round, by kind; cached ones are input where they have no price of their own."""
    counts = {kind: trials.meters.get(meter) for kind, meter in TOKENS.items()}
    means = {kind: float(found[index].mean()) if found and found[index].size else 0.0 for kind, found in counts.items()}
    if "cached" in prices:
        means["input"] -= means["cached"]
    else:
        means["cached"] = 0.0
    return means


def against(auditor: Auditor, experiment: Experiment) -> Against | None:
    """The other model on the same requests; None where none was named, or where it answered less than half of them.

    Its latency is production's times the paired ratio, as that of every cell is.
    """
    ref, trials = auditor.settings.against, experiment.cells.get(AGAINST)
    if ref is None or trials is None:
        return None
    own = experiment.cells[PRODUCTION]
    failed, asked = sum(trials.failures.values()), trials.requests
    if failed > MOST_FAILING * asked:
        reason = max(trials.failures, key=lambda one: trials.failures[one])
        auditor.gap(AGAINST, f"{failed} of {asked} requests failed: {reason}")
        return None
    return Against(
        ref=ref,
        latency_ms=paired(np.nanmean(trials.wall_ms, axis=1), unit="ms"),
        slower=relative(experiment, AGAINST, PRODUCTION),
        p95_ms=percentile(trials.call_ms, 0.95),
        disagreement=auditor.found.disagreement,
        failures=proportion(failed, asked),
        own_failures=proportion(sum(own.failures.values()), own.requests),
    )


def disagreement(one: Outputs, other: Outputs) -> Estimate:
    """The share of rows that two models answer differently."""
    apart = disagreeing(one, other)
    return proportion(int(apart.sum()), len(apart))


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Digests of answers by the digest of the request, so that a later audit sees which answers have changed.

    Attributes:
        started: of the audit that kept them, ISO 8601.
        answers: digest of a request to digest of its answer; answers that differ from call to call are left out.
    """

    schema: str = "excise/answers/v1"
    started: str
    answers: dict[str, str]


def since_first(auditor: Auditor, beside: Beside, latency: Estimate | None) -> tuple[Beside, list[Gap]]:
    """Creep and response drift against the first audit of this endpoint that is kept; keeps this one's answers."""
    name, now = auditor.subject.ref.name, _digests(auditor)
    try:
        with Ledger.open(auditor.project) as ledger:
            audits = [readable(fact.document) for fact in ledger.history(KIND, name)]
            answers = [msgspec.json.decode(fact.document, type=Kept) for fact in ledger.history(ANSWERS, name)]
            if auditor.settings.keep:
                started = auditor.started.isoformat(timespec="seconds")
                kept = Kept(started=started, answers=now)
                ledger.append(ANSWERS, name, msgspec.json.encode(kept), key=f"{name} {started}")
    except (StoreError, OSError, msgspec.ValidationError) as error:
        return beside, [Gap(what="computational_creep", why=str(error).splitlines()[0])]
    first = next((one for one in audits if one is not None and _alike(one, auditor)), None)
    drifts = [found for kept in answers if (found := _drift(kept.answers, now))]
    drift = drifts[0] if drifts else None
    beside = msgspec.structs.replace(beside, computational_creep=creep(first, latency), response_drift=drift)
    return beside, list(_missing(beside, first))


def _missing(beside: Beside, first: Audit | None) -> Iterator[Gap]:
    if first is None:
        yield Gap(what="computational_creep", why="this is the first audit of this endpoint that is kept")
    if beside.response_drift is None:
        yield Gap(what="response_drift", why="no answers to the same requests are kept, or they differ call by call")


def _alike(audit: Audit, auditor: Auditor) -> bool:
    """Whether an audit asked the same way."""
    names = ("request", "body", "batch")
    shown = auditor.settings.shown()
    return all(audit.settings.get(name) == shown.get(name) for name in names)


def creep(first: Audit | None, latency: Estimate | None) -> Estimate | None:
    """Today's latency against the first audit's, minus 1; not run side by side, so the machine's own change is in it.

    Source: variances of independent logarithms add.
    """
    before = None if first is None else first.current.latency_ms
    if before is None or latency is None or math.isinf(before.half_width + latency.half_width):
        return None
    ratio = latency.value / before.value
    half = math.hypot(before.half_width / before.value, latency.half_width / latency.value)
    low, high = ratio * math.exp(-half) - 1, ratio * math.exp(half) - 1
    return Estimate(value=ratio - 1, low=low, high=high, unit="ratio", n=min(before.n, latency.n))


def _drift(before: Mapping[str, str], now: Mapping[str, str]) -> Estimate | None:
    """The share of the same requests that are answered differently."""
    same = before.keys() & now.keys()
    return proportion(sum(before[one] != now[one] for one in same), len(same)) if same else None


def _digests(auditor: Auditor) -> dict[str, str]:
    """Digests of this audit's answers by request, without calls that failed or differ from call to call."""
    answers, again = auditor.found.own_answers, auditor.found.own_again
    if answers is None or again is None:
        return {}
    count = min(len(answers.rows), len(again.rows))
    steady = ~disagreeing(_first(answers, count), _first(again, count))
    requests = auditor.samples.tables["current"].take(answers.rows[:count]).records()
    asked = repr(auditor.asked.template and (auditor.asked.template["path"], auditor.asked.template["body"]))
    values = [name_values(answers, index) for index in range(len(requests))]
    return {
        _digest([asked, request]): _digest([answer])
        for request, answer, same in zip(requests, values, steady, strict=True)
        if same and any(part is not None for part in answer.values())
    }


def _first(outputs: Outputs, count: int) -> Outputs:
    values = {name: array[:count] for name, array in outputs.values.items()}
    return Outputs(cell=outputs.cell, rows=outputs.rows[:count], values=values)


def name_values(outputs: Outputs, index: int) -> dict[str, Any]:
    """One row's answer by output."""
    return {name: _rounded(array[index]) for name, array in outputs.values.items()}


def _rounded(value: Any) -> Any:
    """The value with its numbers cut to the digits that are kept."""
    plain = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(plain, float):
        return f"{plain:.{DIGITS}g}"
    if isinstance(plain, list | tuple):
        return [_rounded(part) for part in plain]
    return {key: _rounded(part) for key, part in plain.items()} if isinstance(plain, dict) else plain


def _digest(value: Any) -> str:
    return hashlib.blake2b(repr(value).encode(), digest_size=8).hexdigest()
