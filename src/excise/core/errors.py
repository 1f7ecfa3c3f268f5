"""Every error that excise raises on purpose, and the exit code that each one ends a command with.

ExciseError                  70  a fault of ours
├── UsageError                2  the call is wrong
│   ├── ConfigError              a key or value in excise.toml
│   └── InvalidRef               a model reference that cannot be parsed
├── InputError                2  what was given cannot be used
│   ├── DataError                a table: empty, unreadable, wrong columns
│   ├── ModelError               a model: truncated, wrong type, wrong interface
│   │   └── UntrustedPickle      a pickle without --trust-pickle
│   ├── MissingExtra             an optional dependency is not installed
│   └── StoreError               a release, a ledger or a directory
│       ├── NotFound             no such name or digest
│       └── Conflict             somebody else is writing
├── Mismatch                  1  a digest, a signature or an output differs from what was promised
├── NotComparable             4  two things that cannot be held against each other
├── NotMeasured               4  the measurement could not be made
│   └── WorkerError              the process under measurement
│       ├── WorkerDied           it ended by itself or by a signal
│       ├── CallFailed           the model raised on a row
│       └── CallTimeout          the model did not answer in time
└── TooNoisy                  3  measured, but the machine moves more than the effect
"""

from __future__ import annotations

from typing import ClassVar


class ExciseError(Exception):
    """An error with its cure.

    Args:
        message: one line that says what happened and what was seen.
        hint: one line that says what to do about it, shown after ``Hint:``.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nHint: {self.hint}"


class UsageError(ExciseError):
    """The call is wrong: a flag, a combination of flags, an argument."""

    exit_code = 2


class ConfigError(UsageError):
    """A key or a value in ``excise.toml`` that excise does not know."""


class InvalidRef(UsageError):
    """A model reference that cannot be parsed."""


class InputError(ExciseError):
    """What was given cannot be used."""

    exit_code = 2


class DataError(InputError):
    """A table that is empty, unreadable or lacks columns."""


class ModelError(InputError):
    """A model that is truncated, of the wrong type, or lacks the interface."""


class UntrustedPickle(ModelError):
    """A pickle was given without ``--trust-pickle``; loading one runs code."""


class MissingExtra(InputError):
    """An optional dependency is not installed.

    Args:
        package: the distribution that was looked for.
        extra: the extra of excise that brings it.
    """

    def __init__(self, package: str, *, extra: str) -> None:
        super().__init__(f"{package} is not installed", hint=f"pip install 'excise[{extra}]'")
        self.package = package
        self.extra = extra


class StoreError(InputError):
    """A release, a ledger or a directory that cannot be read or written."""


class NotFound(StoreError):
    """No such name or digest in the store."""


class Conflict(StoreError):
    """Somebody else is writing the same thing."""


class Mismatch(ExciseError):
    """A digest, a signature or an output differs from what was promised."""

    exit_code = 1


class NotComparable(ExciseError):
    """Two things that cannot be held against each other."""

    exit_code = 4


class NotMeasured(ExciseError):
    """The measurement could not be made."""

    exit_code = 4


class WorkerError(NotMeasured):
    """The process under measurement failed."""


class WorkerDied(WorkerError):
    """The process under measurement ended by itself or by a signal."""


class CallFailed(WorkerError):
    """The model raised on a row.

    Args:
        message: one line with the row and the exception.
        row: index of the first row of the failing call, where known.
        hint: what to do about it.
    """

    def __init__(self, message: str, *, row: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.row = row


class CallTimeout(WorkerError):
    """The model did not answer within ``--timeout``."""


class TooNoisy(ExciseError):
    """Measured, but the machine moves more than the effect."""

    exit_code = 3


def first_line(error: BaseException, most: int = 160) -> str:
    r"""The first line of what a library said, cut; the name of its error where it said nothing.

    >>> first_line(ValueError("no such key: 7\nTraceback …")), first_line(KeyError())
    ('no such key: 7', 'KeyError')
    """
    return str(error).strip().partition("\n")[0][:most] or type(error).__name__
