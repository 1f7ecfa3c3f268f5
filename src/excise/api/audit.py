"""``excise.audit``: what is this model's tax rate today, and what do I do about each line?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from excise.api.settings import AuditSettings
from excise.core.errors import UsageError
from excise.core.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from excise.core.audit import Audit

    Progress = Callable[[float, float, str], None]


def no_bar() -> Progress | None:
    """Nothing is shown unless somebody shows it."""
    return None


bar = no_bar
"""Makes what shows progress where the caller gave nothing; a notebook's display takes its place."""


def audit(model: Any, *, current: Any, progress: Progress | None = None, **settings: Any) -> Audit:
    """Measure a model's tax rate: the share of its cost that can be avoided today, line by line.

    Args:
        model: a file, ``file.py:attr``, ``module:attr``, ``asgi:module:app``, a URL, ``name@version``, what a registry
            keeps, or a fitted estimator.
        current: inputs as production gets them now: a path, URL, glob, or a frame (pandas, polars, pyarrow).
        progress: called with (done, total, what) while it runs.
        **settings: the fields of ``AuditSettings``.

    Returns:
        The frozen audit; ``excise.core.audit.Audit`` names every field and its unit.

    Raises:
        UsageError: an unknown setting.
        DataError, ModelError, MissingExtra, StoreError: what was given cannot be used.
        CallFailed, CallTimeout, WorkerDied: production itself does not run on its own inputs.
        TooNoisy: the machine is overloaded and ``force`` is false.
    """
    from excise.api.auditor import Auditor  # noqa: PLC0415  the rooms are imported when something is measured

    checked = _checked(model, current, settings)
    shown = progress or bar()
    try:
        return Auditor(checked, shown).run()
    finally:
        if shown is not None and hasattr(shown, "close"):
            shown.close()


def _checked(model: Any, current: Any, settings: dict[str, Any]) -> AuditSettings:
    known = AuditSettings.__struct_fields__
    for name in settings:
        if name not in known:
            raise UsageError(f"audit() knows no setting {name!r}", hint=did_you_mean(name, known))
    if isinstance(settings.get("project"), str):
        settings["project"] = Path(settings["project"])
    model, settings["trust_pickle"] = kept(
        model, settings.get("project"), trust_pickle=settings.get("trust_pickle", False)
    )
    made = AuditSettings(model=model, current=current, **settings)
    _check_numbers(made)
    return made


def kept(model: Any, project: Path | None = None, *, trust_pickle: bool) -> tuple[str, bool]:
    """A model as a reference, one in memory as a file; and whether its pickle is trusted: our own of just now is."""
    if isinstance(model, str | os.PathLike):
        return str(model), trust_pickle
    from excise.adapters.models.objects import keep  # noqa: PLC0415  only a notebook pays for it
    from excise.ledger import find_project  # noqa: PLC0415  as above

    return str(keep(model, find_project(project or Path.cwd()))), True


def _check_numbers(settings: AuditSettings) -> None:
    positive = ("budget_s", "prepare_budget_s", "timeout_s", "batch")
    for name in positive:
        if not getattr(settings, name) > 0:
            raise UsageError(f"{name} is {getattr(settings, name)!r}", hint="give a number above zero")
    if not 0 <= settings.delta < 1:
        raise UsageError(f"delta is {settings.delta!r}", hint="give a share of skill, such as 0.005")
