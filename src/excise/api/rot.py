"""Dependency rot: the newest environment that the model's packages allow, built only when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from excise.api.candidates import Candidate
from excise.api.release import WORKER_NEEDS
from excise.core.errors import NotMeasured, StoreError
from excise.core.tax import Culprit, Remedy
from excise.releases.newest import Plan, build_newest, newest_plan

if TYPE_CHECKING:
    from excise.api.auditor import Auditor

NEWEST = "newest"
SHOWN = 3


def rot_candidates(auditor: Auditor) -> Iterator[Candidate]:
    """The newest environment, when ``rot`` is set; what cannot be had is a gap with its reason."""
    if not auditor.settings.rot:
        auditor.gap(Culprit.DEPENDENCY_ROT, "not asked for; --rot builds the newest environment and tries it")
        return
    try:
        plan = plan_for(auditor)
        if not plan.changed:
            auditor.gap(Culprit.DEPENDENCY_ROT, "every package is at its newest compatible version already")
            return
        if callable(auditor.settings.rot) and not auditor.settings.rot(told(plan)):
            auditor.gap(Culprit.DEPENDENCY_ROT, "declined")
            return
        auditor.tell(0.03, f"building {words(plan)}")
        built = build_newest(plan, auditor.project / "envs")
    except (NotMeasured, StoreError) as error:
        auditor.gap(Culprit.DEPENDENCY_ROT, error)
        return
    remedy = Remedy(
        name=NEWEST,
        culprit=Culprit.DEPENDENCY_ROT,
        seen=words(plan),
        command=f"excise release env build {auditor.settings.model} --newest",
    )
    yield Candidate(remedy=remedy, python=built.executable)


def plan_for(auditor: Auditor) -> Plan:
    """What would be installed for the distributions that the model loads.

    Raises:
        NotMeasured: it does not resolve, or is larger than allowed.
    """
    settings = auditor.settings
    return newest_plan(
        {*auditor.facts["distributions"], WORKER_NEEDS},
        auditor.environment.executable,
        find_links=tuple(settings.find_links),
        offline=settings.offline,
        max_download_mb=settings.max_download_mb or None,
    )


def told(plan: Plan) -> str:
    """The plan before anything is fetched: every changed package, and how much would be downloaded at most."""
    changed = [f"  {package.name} {package.before or '(new)'} → {package.version}" for package in plan.changed]
    size = f"{plan.download_bytes / 1e6:.0f} MB in {len(plan.packages)} wheels, by {plan.tool}"
    return "\n".join([f"The newest compatible environment: {size}", *changed])


def words(plan: Plan) -> str:
    """The changed packages, in a few words."""
    changed = [f"{package.name} {package.before or 'none'} → {package.version}" for package in plan.changed]
    more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
    return ", ".join(changed[:SHOWN]) + more
