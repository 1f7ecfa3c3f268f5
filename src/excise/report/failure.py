"""How an error is shown: one line that says what happened, and one that says what to do."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from excise.core.errors import ExciseError
from excise.report.wording import visible

DEBUG_HINT = "run again with --debug for the traceback"


def failure(error: BaseException) -> Text:
    """``Error: …`` and ``Hint: …``; an error that excise did not raise on purpose says so."""
    if isinstance(error, ExciseError):
        return _told("Error", error.message, error.hint)
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return _told("Internal error", message, DEBUG_HINT)


def show_failure(error: BaseException, console: Console) -> None:
    """Print an error; lines are not wrapped, so that a log keeps each on its own."""
    console.print(failure(error), soft_wrap=True)


def _told(kind: str, message: str, hint: str | None) -> Text:
    told = Text.assemble((f"{kind}: ", "bold red"), _line(message))
    return told if hint is None else told.append("\nHint: ", "bold").append(_line(hint))


def _line(text: str) -> str:
    """The whole text on one line: an error is not cut short."""
    return visible(" ".join(text.split()))
