"""Which transforms may be tried on a model, and why the others may not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from excise.core.predictor import Subject, Transform


class Proposal(msgspec.Struct, frozen=True):
    """One transform, held against one subject.

    Attributes:
        transform: what would be done.
        reason: why it is not tried; None where it is.
    """

    transform: Transform
    reason: str | None = None

    @property
    def applies(self) -> bool:
        """Whether it is tried."""
        return self.reason is None


def propose(subject: Subject, transforms: Iterable[Transform], *, only: Sequence[str] | None = None) -> list[Proposal]:
    """Every transform with its reason, those that may be tried first, by name.

    Args:
        subject: the model.
        transforms: what is registered.
        only: names of an older catalogue; a transform that it did not have is not tried. None allows all.
    """
    made = [Proposal(one, _reason(subject, one, only)) for one in transforms]
    return sorted(made, key=lambda proposal: (not proposal.applies, proposal.transform.name))


def _reason(subject: Subject, transform: Transform, only: Sequence[str] | None) -> str | None:
    if only is not None and transform.name not in only:
        return "not in this catalogue"
    return transform.applies(subject)
