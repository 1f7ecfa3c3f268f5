"""Past audits of a project."""

from __future__ import annotations

from pathlib import Path

from excise.core.audit import Audit


def audits(model: str | None = None, *, project: Path | None = None) -> list[Audit]:
    """Past audits, oldest first.

    Args:
        model: of this model only; a reference as ``excise audit`` takes it.
        project: folder whose ``.excise`` holds the record; the nearest one upward unless named.
    Raises:
        StoreError: the ledger cannot be read.
    """
    from excise.api.keeping import history  # noqa: PLC0415  the rooms are imported when something is read
    from excise.core.refs import ModelRef  # noqa: PLC0415  as above
    from excise.ledger import find_project  # noqa: PLC0415  as above

    return history(find_project(project or Path.cwd()), ModelRef.parse(model).name if model else None)
