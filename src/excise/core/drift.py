"""What differs between two samples of inputs, feature by feature."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from excise.core.audit import Gap
from excise.core.estimate import Estimate
from excise.core.harm import Harm
from excise.core.verdict import Outcome

SCHEMA = "excise/drift/v1"


class Drifted(StrEnum):
    """What can be said of one feature; every value but ``none`` and ``not_measured`` is an alarm."""

    NONE = "none"
    IMMATERIAL = "immaterial"
    MATERIAL = "material"
    NOT_MEASURED = "not_measured"

    @property
    def alarms(self) -> bool:
        """Whether a difference was found."""
        return self in (Drifted.IMMATERIAL, Drifted.MATERIAL)


class FailOn(StrEnum):
    """What a comparison is to fail on."""

    IMMATERIAL = "immaterial"
    MATERIAL = "material"
    HARM = "harm"


class CauseKind(StrEnum):
    """Why a feature drifted, the causes of form before those of content."""

    COLUMN_MISSING = "column_missing"
    COLUMN_EXTRA = "column_extra"
    ALL_NULL = "all_null"
    TYPE_CHANGED = "type_changed"
    STRINGS_IN_NUMBERS = "strings_in_numbers"
    BLANKS = "blanks"
    CASE_VARIANTS = "case_variants"
    NULLS = "nulls"
    NON_INTEGER = "non_integer"
    PRECISION = "precision"
    WIDER_TYPE = "wider_type"
    INFINITE = "infinite"
    UNIT_CHANGE = "unit_change"
    NEW_CATEGORY = "new_category"
    VANISHED_CATEGORY = "vanished_category"
    RANGE = "range"
    SKEW = "skew"
    DISTRIBUTION = "distribution"


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Why a feature drifted.

    Attributes:
        cause: machine-readable name.
        what: one line.
        share: of the current rows (of the reference's for what vanished), None where that makes no sense.
        example: a value seen, None without; masked in whatever leaves the machine.
        cost_ms: what such rows take longer than clean ones in a call of the model; None without a model.
    """

    cause: CauseKind
    what: str
    share: float | None
    example: str | None = None
    cost_ms: Estimate | None = None


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """A level, or a range of numbers, and its share of the rows in both samples."""

    name: str
    reference: float
    current: float


class FeatureDrift(msgspec.Struct, frozen=True, kw_only=True):
    """One feature, then and now.

    Attributes:
        name: of the column. kind: what its values are in the reference, in today's rows where it is new.
        verdict: none, immaterial, material or not_measured.
        p_value, p_adjusted: of the test of equality, the second over all features; None where nothing was tested.
        effect: distance between the two, from 0 to 1, with its lower bound: Kolmogorov-Smirnov for numbers and times,
            total variation for levels, twice the excess of a classifier's area under the curve over one half for
            embeddings and free text whose rows are at hand; None where nothing was tested.
        measure: ``ks``, ``tv`` or ``auc``.
        others: further distances: ``psi``, ``jensen_shannon``, ``wasserstein`` (in the reference's sigmas).
        causes: the widest first.
        importance: skill that the model loses without the feature, or share of its answers that change; None without
            a model.
        cells: the distribution in both samples, fit to be drawn.
    """

    name: str
    kind: str
    verdict: Drifted
    p_value: float | None
    p_adjusted: float | None
    effect: Estimate | None
    measure: str | None
    others: Mapping[str, float]
    causes: tuple[Cause, ...]
    importance: float | None = None
    cells: tuple[Cell, ...] = ()


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One side of the comparison."""

    source: str
    rows: int


class StreamAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """A feature that has changed, by all looks together.

    Attributes:
        feature: its name.
        direction: what there is more of.
        level: the level that ``direction`` names, None where it names none; masked in whatever leaves the machine.
        evidence: the feature's own.
        since: label of the look at which evidence began to gather.
    """

    feature: str
    direction: str
    level: str | None
    evidence: float
    since: str


class Looks(msgspec.Struct, frozen=True, kw_only=True):
    """What all looks of a stream say together.

    Attributes:
        stream: the file that keeps it.
        at: label of this look. counted: whether its rows were added; not where the label was looked at before.
        looked: looks so far. since: label of the first.
        false_alarms: accepted in a quarter. looks_per_quarter: how often is looked at most.
        threshold: evidence, over all features together, at which there is an alarm. evidence: what there is.
        alarms: the features behind it, in the reference's order.
    """

    stream: str
    at: str
    counted: bool
    looked: int
    since: str
    false_alarms: float
    looks_per_quarter: int
    threshold: float
    evidence: float
    alarms: tuple[StreamAlarm, ...]


class DriftRun(msgspec.Struct, frozen=True, kw_only=True):
    """How it was computed; comparisons ignore it."""

    started: str
    seconds: float
    engine: str


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """Two samples held against each other.

    Attributes:
        outcome: fail where a feature reaches ``fail_on``, with a stream where one alarms by all looks together, or
            where harm is shown; not measured where that was asked for and could not be told; pass otherwise.
        why: one line.
        verdict: of the worst feature.
        fail_on: ``immaterial``, ``material`` or ``harm``, None where nothing is to fail.
        alpha: chance of any false alarm on a clean sample (of Benjamini and Hochberg: share of false ones).
        correction: ``holm`` or ``bh``.
        floor: effect, or share of rows, that counts as material.
        ordered: whether the rows' order was taken into account.
        features: the ones that matter most first.
        not_measured: what could not be told, and why.
        looks: what all looks of the stream say; None without one.
        harm: what became of the model's quality; None without a model and labels of the reference.
    """

    schema: str = SCHEMA
    run: DriftRun
    outcome: Outcome
    why: str
    verdict: Drifted
    fail_on: FailOn | None
    alpha: float
    correction: str
    floor: float
    ordered: bool
    reference: Sample
    current: Sample
    features: tuple[FeatureDrift, ...]
    not_measured: tuple[Gap, ...] = ()
    looks: Looks | None = None
    harm: Harm | None = None
