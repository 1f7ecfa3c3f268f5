"""Facts: dated documents that are appended once and never changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

import msgspec
from sqlalchemy import URL, Engine, Insert, RowMapping, Select, select
from sqlalchemy.dialects import postgresql, sqlite

from excise.core.clock import Clock, SystemClock
from excise.ledger.database import connect, explained, locate, log_ahead, may_write
from excise.ledger.migrations import FACTS, migrate


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One appended document.

    Attributes:
        id: counts up in the order of appending (on PostgreSQL: of the first attempt).
        kind: ``audit``, ``verdict``, ``window``, …
        subject: what it is about, a release's or a model's name.
        key: unique within the kind; a second append under it changes nothing.
        recorded: ISO 8601, UTC.
        document: bytes, JSON by custom.
    """

    id: int
    kind: str
    subject: str
    key: str
    recorded: str
    document: bytes


class Ledger:
    """The append-only record of a project.

    Several processes may write at once. A process killed in the middle of a write leaves the ledger
    as it was before that write.

    Args:
        url: of the database.
        clock: dates the facts.
    """

    def __init__(self, url: URL, *, clock: Clock | None = None) -> None:
        self._url = url
        self._clock = clock or SystemClock()
        self._engine: Engine | None = None

    @classmethod
    def open(cls, url_or_path: str | os.PathLike[str], *, clock: Clock | None = None) -> Self:
        """The ledger at a database URL, a SQLite file, or in a folder; created by the first append.

        Raises:
            UsageError: a URL of a database that excise does not know.
        """
        return cls(locate(url_or_path), clock=clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def append(self, kind: str, subject: str, document: bytes, *, key: str) -> bool:
        """Append a fact unless its key is already there, durably, and say whether it was new.

        Raises:
            StoreError: read-only, full, damaged, or written by a newer excise.
            Conflict: other writers held the ledger for longer than the busy timeout.
        """
        recorded = self._clock.now().isoformat()
        row = {"kind": kind, "subject": subject, "key": key, "recorded": recorded, "document": document}
        with explained(self._url):
            engine = self._writable()
            with engine.begin() as connection:
                return connection.execute(insertion(engine.dialect.name).values(row)).rowcount == 1

    def history(self, kind: str, subject: str | None = None, limit: int | None = None) -> list[Fact]:
        """Facts of one kind, oldest first; of one subject, and the newest ``limit`` of them, where given.

        Raises:
            StoreError: the ledger cannot be read.
        """
        newest_first = selection(kind, subject).limit(limit)
        with explained(self._url):
            engine = self._readable()
            if engine is None:
                return []
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                rows = connection.execute(newest_first).mappings().all()
        return [to_fact(row) for row in reversed(rows)]

    def latest(self, kind: str, subject: str) -> Fact | None:
        """The newest fact of one kind about one subject, None where there is none."""
        return next(iter(self.history(kind, subject, limit=1)), None)

    def _writable(self) -> Engine:
        if self._engine is None:
            if self._file is not None:
                self._file.parent.mkdir(parents=True, exist_ok=True)
            self._engine = self._migrated()
        return self._engine

    def _readable(self) -> Engine | None:
        """None where a first append has yet to create the file: reading leaves nothing behind."""
        if self._engine is None and self._file is not None:
            if not self._file.exists():
                return None
            if not may_write(self._file.parent):
                return connect(self._url)
        return self._writable()

    def _migrated(self) -> Engine:
        engine = connect(self._url)
        log_ahead(engine)
        with engine.begin() as connection:
            migrate(connection)
        return engine

    @property
    def _file(self) -> Path | None:
        return Path(str(self._url.database)) if self._url.get_backend_name() == "sqlite" else None


def insertion(dialect: str) -> Insert:
    """An insert that leaves an existing key alone, in the words of one database."""
    if dialect == "postgresql":
        return postgresql.insert(FACTS).on_conflict_do_nothing(index_elements=["kind", "key"])
    return sqlite.insert(FACTS).on_conflict_do_nothing(index_elements=["kind", "key"])


def selection(kind: str, subject: str | None) -> Select[tuple[object, ...]]:
    """Facts of one kind, of one subject where given, newest first."""
    chosen = select(FACTS).where(FACTS.c.kind == kind)
    if subject is not None:
        chosen = chosen.where(FACTS.c.subject == subject)
    return chosen.order_by(FACTS.c.id.desc())


def to_fact(row: RowMapping) -> Fact:
    """A row as a Fact."""
    return Fact(**{**row, "document": bytes(row["document"])})
