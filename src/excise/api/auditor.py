"""The steps of an audit, in the order in which DESIGN's main job takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from excise.api.asking import secrets_of, with_request
from excise.api.candidates import Candidate, needed
from excise.api.givens import Givens
from excise.api.keeping import keep, keep_interrupted
from excise.api.outside import AGAINST, MOST_FAILING, disagreement
from excise.api.remedies import CAST, all_candidates
from excise.api.returns import BASELINE, REFERENCE, tax_return
from excise.api.samples import Samples
from excise.api.settings import AuditSettings
from excise.api.subjects import Opened
from excise.api.trades import Offer, offer
from excise.core.audit import Audit, Gap
from excise.core.clock import Clock
from excise.core.errors import CallFailed, ExciseError, NotComparable, NotMeasured
from excise.core.estimate import Estimate
from excise.core.harm import Harm
from excise.core.measurement import CellTrials, Experiment, Outputs
from excise.core.secrets import masked
from excise.core.tax import PRODUCTION, Culprit, Trial, cell_name
from excise.features.support import support
from excise.measure.answers import Answers, collect, first_rows
from excise.measure.breakdown import Breakdown, profile, survey
from excise.measure.design import Arm, Budget, Cell, Design, Engine
from excise.measure.experiment import Interrupted, run_experiment
from excise.measure.guest import load_average, refuse_when_busy, usable_cores
from excise.tax import Admission, Choice, admit, choose
from excise.tax.harm import harm

Progress = Callable[[float, float, str], None]

SCREEN_SHARE = 0.3
"""Of the budget: the choice needs to know which remedies help, the estimate how much."""
ANSWER_SHARE = 0.1
"""Of the budget, for each of the two passes in which the cells' answers are compared."""
ANSWER_ROWS = 4000
"""More rows than this do not change what half a percent of skill can be told from."""
SURVEY_SHARE = 0.25
"""Of the time to prepare: for a service's survey, and as much for leaving calls out."""
SCREEN_ROUNDS, ESTIMATE_ROUNDS = 3, 4
"""Fewest rounds of fresh processes; a t interval over fewer is of no use."""
HOPELESS = 2.0
"""A variant whose unpaired pilot is this many times slower than the best of its culprit is not timed in pairs."""

CURES = {
    "401": "it wants to know who asks: --header 'Authorization: Bearer ${TOKEN}'",
    "403": "who asks is not allowed to: look at --header",
    "404": "the path is another one: look at --request",
    "405": "the method is another one: look at --request",
    "422": "the body is not what it takes: look at --body, and at the columns",
    "connection refused": "nothing listens there: start it, or look at the host and the port",
    "timeout": "raise --timeout, or look at why it hangs",
}
"""What to do about a failure, by how its name begins."""
BY_HAND = "send one by hand, and mend --request, --header, --body or the rows"


@dataclass(slots=True)
class Found:
    """What the steps leave for the report."""

    gaps: list[Gap] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    screen: Experiment | None = None
    choice: Choice | None = None
    estimate: Experiment | None = None
    admissions: dict[str, Admission] = field(default_factory=dict)
    estimated: dict[str, Admission] = field(default_factory=dict)
    harm: Harm | None = None
    kept: dict[str, tuple[str, ...]] = field(default_factory=dict)
    breakdown: Breakdown | None = None
    disagreement: Estimate | None = None
    own_answers: Outputs | None = None
    own_again: Outputs | None = None
    prepare_s: float = 0.0


class Auditor(Givens):
    """One audit while it runs: what it is given, and the steps, each of which reads what the earlier ones found."""

    def __init__(self, settings: AuditSettings, progress: Progress | None, clock: Clock | None = None) -> None:
        super().__init__(settings, clock)
        self.progress = progress or (lambda _done, _total, _what: None)
        self.found = Found()
        self.load_average = load_average()

    def run(self) -> Audit:
        """All steps; the returned audit is kept in the ledger unless the settings say no."""
        refuse_when_busy(force=self.settings.force)
        self.check()
        self.begun = self.clock.monotonic()
        try:
            self.measure_all()
        except KeyboardInterrupt as interrupt:
            if self.settings.keep:
                keep_interrupted(self, interrupt.experiment if isinstance(interrupt, Interrupted) else None)
            raise
        made = tax_return(self)
        return keep(self, made) if self.settings.keep else made

    def measure_all(self) -> None:
        """Every step that runs the model."""
        self.production_answers()
        self.prepare()
        self.admit_on_choice_half()
        self.screen()
        self.estimate()
        self.admit_on_estimate_half()
        self.look_inside()

    @property
    def measured(self) -> Experiment:
        """The half that states the rate.

        Raises:
            NotMeasured: it was not run.
        """
        if self.found.estimate is None:
            raise NotMeasured("the estimate was not run", hint="give the audit a larger --budget")
        return self.found.estimate

    def design(self, sets: Sequence[Sequence[Candidate]], beside: Sequence[tuple[Arm, Cell]] = ()) -> Design:
        """An experiment on production and these sets of remedies."""
        arms, cells = self.ground.places(sets)
        arms |= {arm.name: arm for arm, _ in beside}
        cells |= {cell.name: cell for _, cell in beside}
        return Design(
            arms=arms,
            cells=cells,
            incumbent=PRODUCTION,
            samples=self.samples.tables,
            kind=self.kind,
            batch=self.settings.batch,
            timeout_s=self.settings.timeout_s,
            engine=Engine(self.settings.engine),
            cores=usable_cores(self.settings.max_cores) if self.settings.max_cores else None,
        )

    def gap(self, what: str, why: object) -> None:
        """Something is not measured, and why."""
        self.found.gaps.append(Gap(what=what, why=str(why).splitlines()[0]))

    def tell(self, share: float, what: str) -> None:
        """Progress, as a share of the whole audit."""
        self.progress(share, 1.0, what)

    def answer_seconds(self, cells: int) -> float:
        """Time of one cell in a pass that compares answers."""
        return max(0.2, ANSWER_SHARE * self.settings.budget_s * len(usable_cores()) / cells)

    def production_answers(self) -> None:
        """Production alone on a few rows: whether it runs, what it is made of, what its pilot takes."""
        self.tell(0.0, "loading the model")
        some = self.samples.choice[: 8 * self.settings.batch]
        self.pilot = collect(self.design([]), some, seconds=2.0)
        arm = self.ground.place(())[0].name
        self.facts: Mapping[str, Any] = self.pilot.facts[arm]
        self.refuse_failing(self.pilot, f"of the first {self.pilot.requests}", f"it said {self.pilot.last_failure}")

    def refuse_failing(self, made: Answers | CellTrials, asked: str, said: str) -> None:
        """A service that answers most requests with an error tells nothing of its costs; nor of its secrets.

        Raises:
            CallFailed: more than half of the requests failed.
        """
        failed = sum(made.failures.values())
        if failed > MOST_FAILING * made.requests:
            reason = max(made.failures, key=lambda one: made.failures[one])
            hint = next((cure for name, cure in CURES.items() if reason.startswith(name)), BY_HAND)
            told = f"{failed} {asked} requests failed ({reason}); {said}"
            raise CallFailed(masked(told, secrets_of(self.asked)), hint=hint)

    def prepare(self) -> None:
        """Every remedy that can be tried here: exports, environments, the caster, the bare chain."""
        self.tell(0.02, "preparing remedies")
        begun = self.clock.monotonic()
        if self.subject.kind == "service":
            self.survey()
        self.candidates: dict[str, Candidate] = {}
        for candidate in all_candidates(self):
            self.candidates[candidate.remedy.name] = candidate
        self.found.prepare_s = self.clock.monotonic() - begun

    def survey(self) -> None:
        """A service's functions by name, and which of its calls no answer depends on."""
        arm, cell = self.ground.place(())
        try:
            self.found.breakdown = survey(
                self.design([]),
                arm,
                cell,
                self.samples.choice,
                call_ms=self.pilot.pilot_ms[PRODUCTION],
                seconds=SURVEY_SHARE * self.settings.prepare_budget_s,
            )
        except ExciseError as error:
            self.gap("breakdown", error)
            return
        self.ground = self.ground.without(self.found.breakdown.drop)

    def admit_on_choice_half(self) -> None:
        """Correct before fast: what disagrees beyond the floor is out before it is timed."""
        self.tell(0.05, "comparing answers")
        self.ways: dict[str, tuple[Candidate, ...]] = {
            name: (candidate,) for name, candidate in self.candidates.items()
        }
        answers = self.collect(list(self.ways.values()), self.samples.choice)
        self.join_with_cast(answers.failed)
        joined = [way for way in self.ways.values() if len(way) > 1]
        if joined:
            again = self.collect(joined, self.samples.choice)
            answers = merged(answers, again)
        for name, way in list(self.ways.items()):
            cell = cell_name(one.remedy.name for one in way)
            if cell in answers.outputs:
                self.found.admissions[name] = self.admission(answers, cell)
            else:
                self.refuse(name, None, answers.failed[cell])
        self.drop_hopeless(answers)

    def join_with_cast(self, failed: Mapping[str, str]) -> None:
        """What does not run on production's own inputs is tried once more on clean ones."""
        if CAST not in self.candidates or CAST in failed:
            return
        for name, (candidate, *_) in list(self.ways.items()):
            if name in failed:
                self.ways[name] = (candidate, self.candidates[CAST])

    def collect(
        self,
        sets: Sequence[Sequence[Candidate]],
        rows: NDArray[np.int64],
        beside: Sequence[tuple[Arm, Cell]] = (),
    ) -> Answers:
        """Answers of production, these sets, and what stands beside."""
        design = self.design(sets, beside)
        size = max(self.settings.batch, len(rows) - len(rows) % self.settings.batch)
        return collect(design, rows[: min(size, ANSWER_ROWS)], seconds=self.answer_seconds(len(design.cells)))

    def admission(self, answers: Answers, name: str, *, delta: float | None = None) -> Admission:
        """Whether a cell keeps skill, overall and in every slice, on the rows that were answered."""
        rows = answers.outputs[PRODUCTION].rows
        labels = self.samples.labels
        return admit(
            answers.outputs[PRODUCTION],
            answers.outputs[name],
            None if labels is None else labels[rows],
            delta=self.settings.delta if delta is None else delta,
            slices={slice_name: mask[rows] for slice_name, mask in self.samples.slices.items()},
            metric=self.metric,
        )

    def refuse(self, name: str, admissible: bool | None, reason: str) -> None:
        """A remedy that goes no further."""
        candidate = self.candidates.pop(name)
        self.ways.pop(name)
        self.found.trials.append(
            Trial(remedy=name, culprit=candidate.remedy.culprit, effect_ms=None, admissible=admissible, reason=reason)
        )

    def drop_hopeless(self, answers: Answers) -> None:
        """Of several lean variants only those near the best go on to be timed in pairs."""
        pilot: dict[str, float] = {}
        self.offers: list[Offer] = []
        for name, admission in self.found.admissions.items():
            if admission.admissible:
                pilot[name] = answers.pilot_ms[cell_name(one.remedy.name for one in self.ways[name])]
            else:
                self.offers += [made] if (made := offer(self, answers, name)) else []
                self.refuse(name, False, admission.why)
        for culprit in Culprit:
            rivals = [n for n in pilot if n in self.candidates and self.candidates[n].remedy.culprit is culprit]
            best = min((pilot[name] for name in rivals), default=0.0)
            for name in rivals:
                if pilot[name] > HOPELESS * best:
                    why = f"{pilot[name]:.3g} ms in the pilot, where the best of {culprit} took {best:.3g} ms"
                    self.refuse(name, True, why)

    def screen(self) -> None:
        """The first half: which remedies help."""
        if not self.candidates:
            return
        self.tell(0.1, "screening remedies")
        design = self.design(list(self.ways.values()))
        budget = self.budget(SCREEN_SHARE, self.samples.choice, least=SCREEN_ROUNDS)
        budget.twin = False  # the choice is lenient; the estimate tells how noisy the machine is
        self.found.screen = self.measure(design, budget, 0.1, SCREEN_SHARE)
        self.found.choice = choose(
            self.found.screen,
            [candidate.remedy for candidate in self.candidates.values()],
            admissible=self.found.admissions,
            cost=self.pricing.cost,
        )
        self.found.trials += self.found.choice.tried

    def budget(self, share: float, rows: NDArray[np.int64], *, least: int) -> Budget:
        """A part of the time; what was not used before is not given away."""
        seconds = share * self.settings.budget_s
        return Budget(seconds=seconds, rows=rows, least=least, aim=2 * least, half_width=self.settings.half_width)

    def measure(self, design: Design, budget: Budget, start: float, share: float) -> Experiment:
        """Run an experiment and tell how far it is."""

        def inner(done: float, total: float, what: str) -> None:
            self.tell(start + share * min(done / total, 1.0), what)

        return run_experiment(design, budget, seed=int(self.random.integers(2**31)), progress=inner, clock=self.clock)

    def estimate(self) -> None:
        """The second half, with fresh processes: every subset of what was chosen, and what stands beside."""
        self.tell(0.4, "measuring")
        choice = self.found.choice
        self.chosen = {} if choice is None else {"latency": choice.latency, "money": choice.money}
        sets = needed(self.chosen.values(), self.candidates)
        best = min(self.offers, key=lambda one: one.pilot_ms, default=None)
        self.deal = best.taken_with(self.chosen.get("latency", ()), self.candidates) if best else ()
        sets += [self.deal] if self.deal else []
        share = 1 - 2 * ANSWER_SHARE - (SCREEN_SHARE if self.found.screen else 0.0)
        budget = self.budget(share, self.samples.estimate, least=ESTIMATE_ROUNDS)
        self.found.estimate = self.measure(self.design(sets, self.beside()), budget, 0.4, 0.5)
        own = self.found.estimate.cells[PRODUCTION]
        self.refuse_failing(own, f"of {own.requests}", "it answered before")

    def beside(self) -> list[tuple[Arm, Cell]]:
        """Cells for creep and for workload shift."""
        found = self.reference_cells()
        if found and "cast" in self.samples.tables:
            arm, _ = self.ground.place(())
            found.append((arm, Cell(name=cell_name([CAST]), arm=arm.name, sample="cast")))
        if self.baseline is not None:
            found.append(self.release_cell(BASELINE, self.baseline))
        return [*found, *self.against_cells()]

    def against_cells(self) -> list[tuple[Arm, Cell]]:
        """The model that production is held against; nothing without one."""
        return [] if self.against is None else [self.release_cell(AGAINST, self.against)]

    def reference_cells(self) -> list[tuple[Arm, Cell]]:
        """Production on the reference inputs; nothing without them."""
        arm, _ = self.ground.place(())
        known = "reference" in self.samples.tables
        return [(arm, Cell(name=REFERENCE, arm=arm.name, sample="reference"))] if known else []

    def release_cell(self, name: str, opened: Opened) -> tuple[Arm, Cell]:
        """Another model, run now beside production."""
        subject = with_request(opened.subject, self.asked, self.settings)
        arm = Arm(name=name, variant=subject.variant, python=self.environment.executable, project=opened.folder)
        return arm, Cell(name=name, arm=name, sample="current")

    def admit_on_estimate_half(self) -> None:
        """Admissibility once more, on the other rows, of what the rate will be stated for."""
        self.tell(0.92, "comparing answers again")
        wanted: dict[str, tuple[Candidate, ...]] = {}
        for names in self.chosen.values():
            for size in range(len(names), 0, -1):
                wanted[cell_name(names[:size])] = tuple(self.candidates[name] for name in names[:size])
        traded = cell_name(one.remedy.name for one in self.deal) if self.deal else None
        wanted |= {traded: self.deal} if traded else {}
        beside = [*self.reference_cells(), *self.against_cells()]
        answers = self.collect(list(wanted.values()), self.samples.estimate, beside)
        self.compare_answers(answers)
        for cell in (PRODUCTION, *wanted):
            if cell in answers.outputs:
                floor = self.settings.floor if cell == traded else None
                delta = None if floor is None else 1 - floor
                self.found.estimated[cell] = self.admission(answers, cell, delta=delta)
        if REFERENCE in answers.outputs and self.samples.reference_labels is not None:
            self.judge_quality(answers)
        for ledger, names in self.chosen.items():
            self.found.kept[ledger] = self.still_admissible(names)

    def compare_answers(self, answers: Answers) -> None:
        """Production's answers against the other model's, and an endpoint's against its own a moment later."""
        own, other = answers.outputs[PRODUCTION], answers.outputs.get(AGAINST)
        self.found.disagreement = None if other is None else disagreement(own, other)
        if AGAINST in answers.failed:
            self.gap(AGAINST, answers.failed[AGAINST])
        if self.subject.kind == "endpoint":
            self.found.own_answers = own
            self.found.own_again = self.collect([], self.samples.estimate).outputs[PRODUCTION]

    def judge_quality(self, answers: Answers) -> None:
        """Production's quality now against that on the reference, where that has labels."""
        try:
            self.found.harm = quality_now(self.samples, answers, self.metric)
        except NotComparable as error:
            self.gap("data_drift", error)

    def still_admissible(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The longest run of the chosen remedies, largest screening effect first, whose cell keeps its skill."""
        for size in range(len(names), 0, -1):
            cell = cell_name(names[:size])
            admission = self.found.estimated.get(cell)
            if admission and cell in self.measured.cells:
                if admission.admissible:
                    return names[:size]
                self.gap(cell, f"{admission.why}, on the half of the rows that states the rate")
        return ()

    def look_inside(self) -> None:
        """The profiled pass, apart from anything timed; a service was surveyed before."""
        if self.subject.kind in ("service", "endpoint"):
            return
        self.tell(0.96, "profiling")
        arm, cell = self.ground.place(())
        try:
            self.found.breakdown = profile(self.design([]), arm, cell, self.samples.estimate)
        except ExciseError as error:
            self.gap("breakdown", error)


def quality_now(samples: Samples, answers: Answers, metric: str | None) -> Harm | None:
    """What became of production's quality; the reference was drawn with replacement, and each of its rows counts once.

    Raises:
        NotComparable: it cannot be told.
    """
    if samples.reference_labels is None or samples.reference_picked is None:
        return None
    then, now = answers.outputs[REFERENCE], answers.outputs[PRODUCTION]
    _, once = np.unique(samples.reference_picked[then.rows], return_index=True)
    then = taken(then, once)
    labels = None if samples.labels is None else samples.labels[now.rows]
    known = support(samples.tables["reference"], samples.tables["current"]) if labels is None else None
    found = harm(then, now, samples.reference_labels[then.rows], labels, metric=metric, support=known)
    return msgspec.structs.replace(found, features=samples.drifted)


def taken(outputs: Outputs, places: NDArray[np.int64]) -> Outputs:
    """Some of the answers."""
    values = {name: np.asarray(value)[places] for name, value in outputs.values.items()}
    return Outputs(cell=outputs.cell, rows=outputs.rows[places], values=values)


def merged(first: Answers, second: Answers) -> Answers:
    """Two passes over the same rows, in the same order, as one; rows that only one of them reached are dropped."""
    outputs = {**second.outputs, **first.outputs}
    shortest = min(len(one.rows) for one in outputs.values())
    return Answers(
        outputs={name: first_rows(one, shortest) for name, one in outputs.items()},
        failed={**first.failed, **second.failed},
        pilot_ms={**second.pilot_ms, **first.pilot_ms},
        facts={**second.facts, **first.facts},
    )
