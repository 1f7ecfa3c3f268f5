"""What a command ends with when something went wrong: the error to show, if any, and the exit code."""

from __future__ import annotations

import errno
import sys
from typing import Any, NamedTuple

from excise.core.errors import ExciseError, InputError, UsageError

INTERNAL_ERROR = 70
INTERRUPTED = 130
BROKEN_PIPE = 141
"""What a shell reports for a process that SIGPIPE ended."""

FAULTS_OF_THE_PLACE = frozenset(
    (errno.EACCES, errno.EDQUOT, errno.EISDIR, errno.ENOENT, errno.ENOSPC, errno.ENOTDIR, errno.EPERM, errno.EROFS)
)
"""Errors of the operating system that its user can mend; any other is a fault of ours."""


class Failure(NamedTuple):
    """The error to show, None where silence is right, and the exit code."""

    error: BaseException | None
    exit_code: int


def of(error: BaseException) -> Failure:
    """The failure that an exception means to a person at a terminal."""
    if isinstance(error, ExciseError):
        return Failure(error, error.exit_code)
    if isinstance(error, KeyboardInterrupt) or _is_click(error, "Abort"):
        return Failure(ExciseError("interrupted"), INTERRUPTED)
    if isinstance(error, BrokenPipeError):
        return Failure(None, BROKEN_PIPE)
    if _is_click(error, "ClickException"):
        return Failure(_usage(error), UsageError.exit_code)
    if isinstance(error, OSError) and error.errno in FAULTS_OF_THE_PLACE and error.filename is not None:
        return Failure(_place(error), InputError.exit_code)
    return Failure(error, INTERNAL_ERROR)


def _is_click(error: BaseException, name: str) -> bool:
    """Whether it is click's exception ``name``, without loading click in order to ask."""
    click = sys.modules.get("click")
    return click is not None and isinstance(error, getattr(click, name))


def _usage(error: Any) -> UsageError:
    """A click usage error; what click would put behind its message in brackets becomes the hint."""
    said = error.message if getattr(error, "possibilities", None) else error.format_message()
    return UsageError(said.rstrip("."), hint=_usage_hint(error))


def _usage_hint(error: Any) -> str:
    if meant := getattr(error, "possibilities", None):
        return f"did you mean {' or '.join(meant)}?"
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context else 'excise'} --help shows what is expected"


def _place(error: OSError) -> InputError:
    return InputError(f"{error.filename}: {error.strerror}", hint="check the path, its permissions and the free space")
