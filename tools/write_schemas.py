"""Writes docs/schemas/*.json from the types, so that what is published is what is printed."""  # noqa: INP001  a script

from __future__ import annotations

from pathlib import Path

from excise.report.documents import schema_files

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schemas"


def main() -> None:
    """Write every schema; files that no document has any more are removed."""
    wanted = schema_files()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for stale in sorted(path for path in FOLDER.glob("*.json") if path.name not in wanted):
        stale.unlink()
    for name, content in wanted.items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
