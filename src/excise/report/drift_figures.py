"""What a terminal and a page say alike of drift: effects, p-values, costs and causes, as text."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence

from excise.core.drift import Cause, Drift, Drifted, FeatureDrift, Looks, StreamAlarm
from excise.core.estimate import Estimate
from excise.core.harm import Assumption, Basis, Harm, Harmed, RiskBet
from excise.features.causes import percent
from excise.report.wording import counted, example, human, masked, one_line, shortened

TINY_P = 1e-4
SOURCE_WIDTH = 48
BLOCKS = "▁▂▃▄▅▆▇█"
CASTABLE = {"type_changed", "strings_in_numbers", "blanks", "case_variants", "precision", "non_integer"}
"""Causes that a caster mends."""


def effect(found: Estimate | None) -> str:
    """An effect and what it is at least."""
    if found is None:
        return ""
    return f"{found.value:.3f} ≥ {found.low:.3f}" if found.low else f"{found.value:.3f}"


def p_value(value: float | None) -> str:
    """An adjusted p-value; below a ten thousandth only that."""
    if value is None:
        return ""
    return f"< {TINY_P:g}" if value < TINY_P else f"{value:.2g}"


def cost(found: Estimate | None) -> str:
    """What a cause costs a call, with its doubt where that is known."""
    if found is None:
        return ""
    doubt = "" if found.low is None or found.high is None else f" ± {(found.high - found.low) / 2:.2g}"
    if found.low is not None and found.high is not None and found.low <= 0 <= found.high:
        return "no cost beyond noise"
    return f"{found.value:+.2g}{doubt} ms a call"


def said(cause: Cause, *, show: bool) -> str:
    """A cause in one line."""
    share = "" if cause.share is None else f" in {percent(cause.share)} of the rows"
    shown = "" if cause.example is None else f", such as {example(cause.example, show=show)}"
    return f"{one_line(cause.what)}{share}{shown}"


def alarm(found: StreamAlarm, *, show: bool) -> str:
    """What there is more of."""
    if found.level is None or show:
        return one_line(found.direction)
    return one_line(found.direction.replace(repr(found.level), masked(found.level)))


def bound(looks: Looks) -> str:
    """How far evidence has come, and what it is held against."""
    share = looks.evidence / looks.threshold
    reached = f"{percent(share)} of" if share < 1 else f"{share:.2g} times"
    kept = "" if looks.counted else f"{one_line(looks.at)} was looked at before: nothing was added; "
    return (
        f"{kept}evidence is {reached} the threshold; at most {looks.false_alarms:g} false alarms "
        f"in {counted(looks.looks_per_quarter, 'look')}"
    )


def cause_name(cause: Cause) -> str:
    """Its name in words."""
    return human(cause.cause)


def spark(shares: Sequence[float], highest: float) -> str:
    """Shares as blocks, the highest as a full one.

    >>> spark([0.0, 0.5, 1.0], 1.0)
    ' ▄█'
    """
    if highest <= 0:
        return " " * len(shares)
    heights = (round(share / highest * len(BLOCKS)) for share in shares)
    return "".join(" " if not height else BLOCKS[min(height, len(BLOCKS)) - 1] for height in heights)


def sparks(feature: FeatureDrift) -> tuple[str, str]:
    """Both distributions, drawn to one scale."""
    top = highest(feature)
    return spark([cell.reference for cell in feature.cells], top), spark([cell.current for cell in feature.cells], top)


def highest(feature: FeatureDrift) -> float:
    """The largest share of a cell in either sample, which both are drawn to."""
    return max((max(cell.reference, cell.current) for cell in feature.cells), default=0.0)


def of_verdict(drift: Drift, verdict: Drifted) -> list[FeatureDrift]:
    """The features with a verdict, as they stand."""
    return [one for one in drift.features if one.verdict is verdict]


def calls_for_action(drift: Drift) -> bool:
    """Whether a feature drifted materially, or all looks of a stream say that one changed; harm always does."""
    if drift.harm is not None and drift.harm.outcome is Harmed.HARM:
        return True
    return bool(of_verdict(drift, Drifted.MATERIAL) if drift.looks is None else drift.looks.alarms)


def circumstances(drift: Drift) -> str:
    """Both samples."""
    before, now = drift.reference, drift.current
    return (
        f"{shortened(now.source, SOURCE_WIDTH)}, {counted(now.rows, 'row')}, against "
        f"{shortened(before.source, SOURCE_WIDTH)}, {counted(before.rows, 'row')}"
    )


def terms(drift: Drift) -> str:
    """What the verdicts rest on."""
    rate = "chance of any false alarm" if drift.correction == "holm" else "share of false alarms"
    order = "; rows in time order" if drift.ordered else ""
    return f"{rate} at most {percent(drift.alpha)}; material from an effect of {drift.floor:g} on{order}"


HOLDS = {True: "holds", False: "does not hold", None: "cannot be checked"}
MEASURES = {"skill": "skill", "accuracy": "accuracy", "auc": "AUC"}


def quality(harm: Harm) -> list[tuple[str, str, str, str]]:
    """Each measure that applies: its name, then, now, and the change."""
    found = [(name, getattr(harm, field)) for field, name in MEASURES.items()]
    return [
        (name, doubted(change.then), doubted(change.now), doubted(change.lost.scaled(-1.0), signed=True))
        for name, change in found
        if change is not None
    ]


def doubted(found: Estimate, *, signed: bool = False) -> str:
    """A quality with half its interval's width."""
    value = f"{found.value:+.3f}" if signed else f"{found.value:.3f}"
    return value if math.isinf(found.half_width) else f"{value} ± {found.half_width:.3f}"


def basis(harm: Harm) -> str:
    """What a statement about quality rests on."""
    how = "by labels" if harm.how is Basis.LABELS else "estimated from calibrated scores, without labels"
    rows = f"{counted(harm.current_rows, 'row')}, against {counted(harm.reference_rows, 'row')} of the reference"
    cut = "" if harm.cut is None else f"; {one_line(harm.cut)}"
    return f"{how}: {rows}{cut}"


def evidence(bet: RiskBet) -> str:
    """How far a bet has come."""
    return (
        f"evidence {bet.e_value:.3g}, largest {bet.most:.3g}, harm is shown from {bet.threshold:g} on; "
        f"wrongly in at most {percent(bet.alpha)}"
    )


def assumed(assumption: Assumption) -> str:
    """An assumption, whether it holds, and why that is known."""
    name = human(assumption.name)
    return f"{name} {HOLDS[assumption.holds]}: {one_line(assumption.evidence)}"


def remedy(drift: Drift) -> str | None:
    """The command that mends forms, None where nothing is to be cast."""
    causes = {cause.cause for one in drift.features for cause in one.causes}
    if not causes & CASTABLE:
        return None
    now, before = (shlex.quote(one_line(side.source)) for side in (drift.current, drift.reference))
    return f"excise profile {now} --against {before} --emit-cast cast.py"
