"""Likely data of a folder: which table is current, which is the reference, which column is the label."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from excise.adapters.models.contents import known, local
from excise.api.finding.folder import relative, walk, words
from excise.api.finding.services import Service
from excise.api.finding.source import parsed, texts
from excise.core.refs import ModelRef, RefKind
from excise.tables.heads import column_names, is_readable

CURRENT_WORDS = frozenset(
    {"current", "cur", "production", "prod", "live", "serving", "recent", "today", "latest", "now"}
)
REFERENCE_WORDS = frozenset({"reference", "ref", "train", "training", "baseline", "approved", "validation"})
TARGET_NAMES = ("target", "label", "y", "class", "outcome")
OTHERWISE_USED = (".json", ".npy", ".txt")
"""Suffixes that a table may have and that most files with them are none."""
RECORDED = {"method", "path"}
"""Columns that say that rows are recorded requests."""
FEWEST_USED = 2
"""Columns that a program must be seen to use before the one that it does not use is taken for the label."""


def find_data(root: Path) -> list[str]:
    """Tables in the folder, those right in it first; what an adapter takes for a model is none."""
    files = [path for path in walk(root) if is_readable(path.name) and path.suffix.lower() not in OTHERWISE_USED]
    return [relative(path, root) for path in files if not known(local(path))]


def is_recorded(path: Path) -> bool:
    """Whether a table's rows are requests."""
    return set(column_names(path)) >= RECORDED


def find_reference(data: Iterable[str], current: str | None) -> str | None:
    """The table whose name says that it is the reference."""
    return next((name for name in data if words(name) & REFERENCE_WORDS and name != current), None)


def find_current(data: Iterable[str], reference: str | None) -> str | None:
    """The table whose name says that it is current, else the first that is not the reference."""
    rest = [name for name in data if name != reference]
    return next((name for name in rest if words(name) & CURRENT_WORDS), next(iter(rest), None))


def find_target(columns: tuple[str, ...], used: set[str] | None) -> str | None:
    """The label's column: by its name, else the only one that the model does not use. Anything less plain is left.

    Args:
        columns: of the current data.
        used: names of columns that the model's program is seen to use, None where it is not seen.
    """
    by_lower = {name.lower(): name for name in columns}
    named = next((by_lower[name] for name in TARGET_NAMES if name in by_lower), None)
    unused = [name for name in columns if name not in (used or ())]
    plain = used is not None and len(unused) == 1 and len(columns) > FEWEST_USED
    return named or (unused[0] if plain else None)


def used_by(model: str, service: Service | None, root: Path) -> set[str] | None:
    """Names that a service's rows must have, or that a handler's file spells out; None for a model file."""
    if service is not None:
        return None if service.fields is None else set(service.fields)
    ref = ModelRef.parse(model)
    return texts(parsed(root / ref.target)) if ref.kind is RefKind.FILE_ATTRIBUTE else None
