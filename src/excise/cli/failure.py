"""What a command ends with when something went wrong: one line, a hint and an exit code."""

from __future__ import annotations

import errno
import sys
from typing import Any, NamedTuple

from excise.core.errors import ExciseError

USAGE = 2
INTERNAL_ERROR = 70
INTERRUPTED = 130
BROKEN_PIPE = 141
"""What a shell reports for a process that SIGPIPE ended."""

FAULTS_OF_THE_PLACE = frozenset(
    (errno.EACCES, errno.EDQUOT, errno.EISDIR, errno.ENOENT, errno.ENOSPC, errno.ENOTDIR, errno.EPERM, errno.EROFS)
)
"""Errors of the operating system that its user can mend; any other is a fault of ours."""


class Failure(NamedTuple):
    """What to tell; an empty message tells nothing."""

    message: str
    hint: str | None
    exit_code: int

    def __str__(self) -> str:
        hint = f"\nHint: {self.hint}" if self.hint else ""
        return f"Error: {self.message}{hint}"


def of(error: BaseException) -> Failure:
    """The failure that an exception means to a person at a terminal."""
    if isinstance(error, ExciseError):
        return Failure(error.message, error.hint, error.exit_code)
    if isinstance(error, KeyboardInterrupt) or _is_click(error, "Abort"):
        return Failure("interrupted", None, INTERRUPTED)
    if isinstance(error, BrokenPipeError):
        return Failure("", None, BROKEN_PIPE)
    if _is_click(error, "ClickException"):
        return _usage(error)
    if isinstance(error, OSError) and error.errno in FAULTS_OF_THE_PLACE and error.filename is not None:
        return Failure(
            f"{error.filename}: {error.strerror}", "check the path, its permissions and the free space", USAGE
        )
    return _internal(error)


def _is_click(error: BaseException, name: str) -> bool:
    """Whether it is click's exception ``name``, without loading click in order to ask."""
    click = sys.modules.get("click")
    return click is not None and isinstance(error, getattr(click, name))


def _usage(error: Any) -> Failure:
    """A click usage error; what click would put behind its message in brackets becomes the hint."""
    said = error.message if getattr(error, "possibilities", None) else error.format_message()
    return Failure(" ".join(said.split()).rstrip("."), _usage_hint(error), USAGE)


def _usage_hint(error: BaseException) -> str:
    if meant := getattr(error, "possibilities", None):
        return f"did you mean {' or '.join(meant)}?"
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context else 'excise'} --help shows what is expected"


def _internal(error: BaseException) -> Failure:
    said = " ".join(str(error).split())
    return Failure(
        f"internal error: {type(error).__name__}{': ' if said else ''}{said}",
        "this is a fault of excise; run again with --debug and report what it prints",
        INTERNAL_ERROR,
    )
