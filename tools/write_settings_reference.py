"""Writes docs/settings.md from the table of settings, so that no key is missing there."""  # noqa: INP001  a script

from __future__ import annotations

from pathlib import Path

from excise.api import config

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
OPENING = """# Settings

Written by `make docs`. `excise init` writes a commented `excise.toml`; `[tool.excise]` in `pyproject.toml` serves as
well. The file is looked for upward, as far as the folder that holds `.git`, and its paths count from its own folder.

- A flag beats the environment, the environment beats the file.
- Keys marked *all* may stand at the top, where they hold for every verb that knows them; a verb's own section beats
  them. In the environment they are `EXCISE_TARGET` (all verbs) and `EXCISE_AUDIT_TARGET` (one verb); lists are
  separated by commas.
- An unknown key, section or `EXCISE_…` variable is an error that names the closest known one. So is a value of the
  wrong kind.
- There is no key for `--trust-pickle`, `--force` or `--json`: a file that came with a checkout must not be able to
  run code or to overload a machine.

| key | kind | meaning | example | where |
| --- | --- | --- | --- | --- |
"""


def reference() -> str:
    """The whole page."""
    return OPENING + "".join(row(key) for key in config.KEYS)


def row(key: str) -> str:
    """One setting."""
    about = config.KEYS[key]
    places = (["*all*"] if key in config.SHARED else []) + [
        f"`[{verb}]`" for verb, keys in config.SECTIONS.items() if key in keys
    ]
    return f"| `{key}` | {about.kind.words} | {about.meaning} | `{about.example}` | {' '.join(places)} |\n"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
