"""Where a project keeps what excise writes."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = ".excise"


def find_project(start: str | os.PathLike[str] = ".") -> Path:
    """The ``.excise`` folder of ``start`` or of its nearest ancestor, as git finds ``.git``.

    Nothing is created here: the rooms that write make the folder with their first write.

    Args:
        start: a folder, or a file inside the project.

    Returns:
        An existing ``.excise``; where there is none, the one that a first write will make in ``start``.
    """
    here = Path(start).resolve()
    folder = here.parent if here.is_file() else here
    candidates = (ancestor / FOLDER for ancestor in (folder, *folder.parents))
    return next((path for path in candidates if path.is_dir()), folder / FOLDER)
