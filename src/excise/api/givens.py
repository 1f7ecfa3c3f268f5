"""What an audit is given: the model, its rows, its machine and its price, each read once and checked."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from excise.api import samples as sampling
from excise.api.asking import ASKED, Asked, asked, with_request
from excise.api.candidates import Ground
from excise.api.outside import token_prices
from excise.api.pricing import Pricing, pricing
from excise.api.settings import AuditSettings
from excise.api.subjects import Opened, open_model, open_release
from excise.core.clock import Clock, SystemClock
from excise.core.predictor import InputKind, Subject
from excise.core.refs import ModelRef
from excise.ledger import find_project
from excise.releases import environment
from excise.tables import read
from excise.tax import loss_named, metric_of


class Givens:
    """What is given; a property that is asked for the first time reads it."""

    def __init__(self, settings: AuditSettings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.random = np.random.default_rng(settings.seed)
        self.started = self.clock.now()

    def tell(self, share: float, what: str) -> None:
        """Progress, as a share of the whole; nobody listens unless a subclass does."""

    def check(self) -> None:
        """Everything that can be wrong without running the model, before anything is written."""
        loss_named(self.settings.metric)
        _ = self.opened, self.samples, self.pricing, self.baseline, self.against, self.token_prices

    @cached_property
    def opened(self) -> Opened:
        """The model."""
        return open_model(
            self.settings.model,
            trust_pickle=self.settings.trust_pickle,
            project=self.settings.project,
            offline=self.settings.offline,
            tell=partial(self.tell, 0.0),
        )

    @cached_property
    def project(self) -> Path:
        """The folder ``.excise``; it need not exist yet."""
        return find_project(self.settings.project or Path.cwd())

    @cached_property
    def samples(self) -> sampling.Samples:
        """The rows."""
        return sampling.prepare(
            self.asked.current,
            self.asked.reference,
            target=self.target,
            slices=self.settings.slices,
            random=self.random,
        )

    @cached_property
    def asked(self) -> Asked:
        """The rows as they were given, and how a service or an endpoint is asked with them."""
        reference = self.settings.reference if self.settings.reference is not None else self.opened.reference
        approved = None if reference is None else read(reference, csv=self.settings.csv)
        current = read(self.settings.current, csv=self.settings.csv)
        subject = self.opened.subject
        if subject.kind not in ASKED:
            return Asked(None, current, approved)
        return asked(self.settings, subject, current, approved)

    @cached_property
    def subject(self) -> Subject:
        """The model as it is run here."""
        return with_request(self.opened.subject, self.asked, self.settings)

    @cached_property
    def baseline(self) -> Opened | None:
        """The approved release that production is held against; None without one."""
        named = self.settings.baseline
        return None if named is None else open_release(ModelRef.parse(named), self.settings.project)

    @cached_property
    def against(self) -> Opened | None:
        """The model that production is held against on the same rows; None without one."""
        named = self.settings.against
        if named is None:
            return None
        return open_model(named, trust_pickle=self.settings.trust_pickle, project=self.settings.project)

    @cached_property
    def token_prices(self) -> dict[str, float]:
        """USD per million tokens, by kind."""
        return token_prices(self.settings.token_prices)

    @property
    def target(self) -> str | None:
        """The label column."""
        return self.settings.target or self.opened.target

    @cached_property
    def metric(self) -> str | None:
        """The loss behind skill, the same for every sample of the labels; None to choose by the outputs."""
        return metric_of(self.samples.labels, self.settings.metric)

    @cached_property
    def kind(self) -> InputKind:
        """The form of a call's input: what the user said, what the handler says, what its kind takes."""
        return InputKind(self.settings.input or self.subject.default_input)

    @cached_property
    def environment(self) -> Any:
        """Where it is measured."""
        return environment.capture()

    @cached_property
    def pricing(self) -> Pricing:
        """The money ledger."""
        if self.subject.kind == "endpoint":
            return Pricing(facts=None, cost=None)
        return pricing(
            price=self.settings.price,
            dollars_per_hour=self.settings.dollars_per_hour,
            slots=self.settings.slots,
            batch=self.settings.batch,
            hardware=self.environment.hardware,
            today=self.started.date(),
        )

    @cached_property
    def ground(self) -> Ground:
        """Production."""
        return Ground(variant=self.subject.variant, python=self.environment.executable, project=self.opened.folder)
