"""How the ledger reaches its database, and what it says when it cannot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from excise.core.errors import Conflict, MissingExtra, StoreError, UsageError

BUSY_TIMEOUT_S = 30.0
"""How long a writer waits for the others; a fact is written in milliseconds."""

FILE_NAME = "ledger.db"
DIALECTS = ("sqlite", "postgresql")

CURES = (
    ("locked", Conflict, "another process is writing for a long time; try again"),
    ("full", StoreError, "free some space on that disk"),
    ("readonly", StoreError, "make the folder writable, or choose another project folder"),
    ("unable to open", StoreError, "check that the folder exists and may be written by you"),
    ("disk i/o", StoreError, "the disk is full or failing: free some space and try again"),
    ("not a database", StoreError, "move the file away; it is not a ledger of excise"),
    ("malformed", StoreError, "move the file away and keep it: it is damaged"),
)


def locate(url_or_path: str | os.PathLike[str]) -> URL:
    """The database's URL: as given, or of the SQLite file at a path (``ledger.db`` inside a folder).

    Raises:
        UsageError: a URL that cannot be parsed, or of a database that excise does not know.
    """
    words = os.fspath(url_or_path)
    if "://" not in words:
        path = Path(words)
        file = path / FILE_NAME if path.is_dir() or not path.suffix else path
        return URL.create("sqlite", database=str(file.absolute()))
    try:
        url = make_url(words)
    except ArgumentError as error:
        raise UsageError(f"{words!r} is not a database URL", hint="postgresql://user@host/name, or a path") from error
    if url.get_backend_name() not in DIALECTS:
        raise UsageError(f"no ledger on {url.get_backend_name()!r}", hint="give a path (SQLite) or a postgresql:// URL")
    return url


def connect(url: URL) -> Engine:
    """An engine that opens a connection per use, so that forks and threads share nothing.

    Raises:
        MissingExtra: the database's driver is not installed.
    """
    try:
        if url.get_backend_name() == "sqlite":
            return connect_sqlite(url)
        return create_engine(url, poolclass=NullPool)
    except (ImportError, NoSuchModuleError) as error:
        raise MissingExtra(getattr(error, "name", None) or url.get_driver_name(), extra="postgres") from error


def connect_sqlite(url: URL) -> Engine:
    """A SQLite engine whose transactions begin where we say, and wait for other writers."""
    engine = create_engine(
        readable(url), poolclass=NullPool, connect_args={"timeout": BUSY_TIMEOUT_S, "isolation_level": None}
    )
    event.listen(engine, "begin", take_write_lock)
    return engine


def readable(url: URL) -> URL:
    """The URL, or its read-only form where SQLite could not make the files beside the ledger that WAL needs."""
    file = Path(str(url.database))
    if not file.exists() or may_write(file.parent):
        return url
    # With no log beside it, nobody is writing: the file may be read as it stands.
    frozen = {} if Path(f"{file}-wal").exists() else {"immutable": "1"}
    return url.set(database=f"file:{file}", query={"mode": "ro", "uri": "true", **frozen})


def may_write(folder: Path) -> bool:
    """Whether this process, as whom it acts now, may make files in a folder."""
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def take_write_lock(connection: Connection) -> None:
    """Begin as a writer: a transaction that starts as a reader cannot be promoted without failing as busy."""
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def log_ahead(engine: Engine) -> None:
    """Switch a SQLite file to write-ahead logging, once; it stays with the file."""
    if engine.dialect.name != "sqlite":
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.exec_driver_sql("PRAGMA journal_mode").scalar() != "wal":
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Turn the database's errors into one line with a hint.

    Raises:
        StoreError: the ledger cannot be read or written.
        Conflict: others held it longer than the busy timeout.
    """
    try:
        yield
    except DBAPIError as error:
        raise explain(str(error.orig), url) from error
    except SQLAlchemyError as error:
        raise StoreError(f"ledger {name_of(url)}: {first_line(error)}") from error
    except OSError as error:
        raise StoreError(
            f"ledger {name_of(url)}: {error.strerror or error}", hint="check that the folder may be written by you"
        ) from error


def explain(message: str, url: URL) -> StoreError:
    """The error for what a database said."""
    for words, kind, hint in CURES:
        if words in message.lower():
            return kind(f"ledger {name_of(url)}: {first_line(message)}", hint=hint)
    return StoreError(f"ledger {name_of(url)}: {first_line(message)}", hint="check that the database can be reached")


def name_of(url: URL) -> str:
    """What to call the ledger in a message: a path, or the URL without its password."""
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


def first_line(words: Any) -> str:
    """The first line of a database's message."""
    return str(words).strip().partition("\n")[0]
