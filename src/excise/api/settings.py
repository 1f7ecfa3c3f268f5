"""Everything that an audit can be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from excise.core.predictor import InputKind


class AuditSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one audit; every one has a flag of the same name.

    Attributes:
        model: what the user wrote for MODEL.
        current: inputs as production gets them now: a path, URL, glob, or a frame.
        reference: inputs from when the model was approved; None: a release brings its own, else creep and fat
            features are not measured.
        target: the label column; None: a release brings its own, else agreement is the floor.
        budget_s: wall time of measuring. prepare_budget_s: of exporting and building environments.
        price: ``provider/sku``; dollars_per_hour: instead of a price from the book; slots: calls that one machine
            serves at once, None for one per core.
        input: form of a call's input, None for the model's own default. batch: rows per call.
        request: how a service or an endpoint is asked, ``POST /predict``; None: the rows are recorded requests, or the
            URL says it. headers: ``Name: value``, sent with every request; never kept. body: template of a body, in
            which ``{{column}}`` and ``{{row}}`` stand for the row's own.
        required: functions of a service that must stay, though no answer depends on them.
        lean: model references of the user's own leaner candidates.
        baseline: release to hold today's production against (computational creep).
        delta: share of skill that a remedy may cost and still be waste.
        floor: share of skill to keep in a *trade*, shown apart; None for none.
        metric: loss behind skill, None for automatic. slices: columns whose values are checked one by one.
        rot: try the newest compatible environment; a function is shown the plan and says yes or no.
        offline, find_links, max_download_mb: how it is built.
        timeout_s: for one call. max_cores: for the model's processes. force: measure on a busy machine too.
        engine: ``interleaved`` or ``duet``. half_width: stop once every ratio is known to this.
        trust_pickle: load pickles, which run code. csv: how CSV cells are typed.
        seed: of rows and orders. project: folder whose ``.excise`` keeps the record. keep: whether it is kept.
    """

    model: str
    current: Any
    reference: Any = None
    target: str | None = None
    budget_s: float = 60.0
    prepare_budget_s: float = 120.0
    price: str | None = None
    dollars_per_hour: float | None = None
    slots: float | None = None
    input: InputKind | None = None
    batch: int = 1
    request: str | None = None
    headers: Sequence[str] = ()
    body: str | None = None
    required: Sequence[str] = ()
    lean: Sequence[str] = ()
    baseline: str | None = None
    delta: float = 0.005
    floor: float | None = None
    metric: str | None = None
    slices: Sequence[str] = ()
    rot: bool | Callable[[str], bool] = False
    offline: bool = False
    find_links: Sequence[str] = ()
    max_download_mb: int = 500
    timeout_s: float = 30.0
    max_cores: int | None = None
    force: bool = False
    engine: str = "interleaved"
    half_width: float | None = None
    trust_pickle: bool = False
    csv: Literal["exact", "text", "infer"] = "exact"
    seed: int = 0
    project: Path | None = None
    keep: bool = True

    def shown(self) -> Mapping[str, Any]:
        """The settings that change what is measured, as plain values for the report."""
        names = (
            "budget_s",
            "batch",
            "delta",
            "floor",
            "slices",
            "request",
            "body",
            "required",
            "lean",
            "baseline",
            "timeout_s",
            "max_cores",
            "csv",
        )
        return {name: getattr(self, name) for name in names if getattr(self, name) not in (None, (), False)}
