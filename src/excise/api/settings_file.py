"""The commented ``excise.toml``: every setting that there is, with what it means beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from excise.api import config
from excise.core.errors import Conflict, StoreError

MEANING_COLUMN = 34
"""Where what a setting means begins, unless its value is longer."""


def text(values: Mapping[str, str | None], others: Iterable[str], examples: Mapping[str, str] | None = None) -> str:
    """The content: what was chosen, and every other setting as a comment.

    Args:
        values: settings by key; None for what is left open.
        others: what was seen as well.
        examples: values to show for settings that are left open, instead of the table's.
    """
    seen = [f"# seen as well: {one_line(name)}" for name in others]
    shown = examples or {}
    shared = [setting(key, values.get(key), shown.get(key)) for key in config.SHARED]
    blocks = ["# Settings of excise. Flags and EXCISE_… variables beat what stands here.", *seen, "", *shared]
    for verb, keys in config.SECTIONS.items():
        chosen = values if verb == "audit" else {}
        own = [setting(key, chosen.get(key), shown.get(key)) for key in keys if key not in config.SHARED]
        blocks += ["", f"[{verb}]", *own] if own else []
    return "\n".join(blocks) + "\n"


def setting(key: str, value: str | None, example: str | None = None) -> str:
    """One line: the setting with what it means behind it, commented out where it has no value."""
    about = config.KEYS[key]
    otherwise = about.example if example is None else quoted(example)
    line = f"{key} = {otherwise if value is None else quoted(value)}"
    return f"{'# ' if value is None else ''}{line}".ljust(MEANING_COLUMN) + f"  # {about.meaning}"


def quoted(value: str) -> str:
    """A TOML basic string; JSON's escapes are TOML's, but for DEL, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def one_line(name: str) -> str:
    """A file's name that cannot break out of a comment."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def write(path: Path, content: str) -> None:
    """Create the file; never over one that has appeared in the meantime.

    Raises:
        Conflict: it exists by now.
        StoreError: the folder cannot be written to.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        raise Conflict(f"{path} exists already", hint="init overwrites nothing") from None
    except OSError as error:
        path.unlink(missing_ok=True)
        raise StoreError(
            f"cannot write {path}: {error.strerror}", hint="check the folder and its permissions"
        ) from error
