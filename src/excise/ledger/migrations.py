"""The ledger's tables, and the numbered steps that bring an older ledger to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    insert,
    inspect,
    select,
    text,
)

from excise.core.errors import StoreError

METADATA = MetaData()

FACTS = Table(
    "facts",
    METADATA,
    # SQLite counts by itself only in a column that is exactly INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("recorded", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint("kind", "key", name="facts_key"),
    Index("facts_subject", "kind", "subject", "id"),
)

STEPS = Table(
    "migrations",
    MetaData(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("applied", Text, nullable=False),
)

REFUSALS = {
    "sqlite": (
        (
            "CREATE TRIGGER facts_keep_{verb} BEFORE {verb} ON facts"
            " BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END"
        ),
    ),
    "postgresql": (
        (
            "CREATE OR REPLACE FUNCTION facts_keep() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'facts are append-only'; END $$"
        ),
        "CREATE TRIGGER facts_keep_{verb} BEFORE {verb} ON facts FOR EACH ROW EXECUTE FUNCTION facts_keep()",
    ),
}
"""How each database is told that a fact is never changed or removed."""

ADVISORY_LOCK = 0x65786369  # "exci": any number that no other program locks on


class Migration(NamedTuple):
    """One step: its number, its name, and what it does inside the caller's transaction."""

    number: int
    name: str
    apply: Callable[[Connection], None]


def create_facts(connection: Connection) -> None:
    """The table of facts, and the triggers that refuse to change it."""
    METADATA.create_all(connection, checkfirst=False)
    for verb in ("UPDATE", "DELETE"):
        for statement in REFUSALS[connection.dialect.name]:
            connection.execute(text(statement.format(verb=verb)))


MIGRATIONS: Sequence[Migration] = (Migration(1, "facts", create_facts),)


def version(connection: Connection) -> int:
    """The number of the last step taken; 0 in an empty database."""
    if not inspect(connection).has_table(STEPS.name):
        return 0
    return int(connection.execute(select(func.max(STEPS.c.number))).scalar() or 0)


def migrate(connection: Connection, steps: Sequence[Migration] = MIGRATIONS) -> int:
    """Take the steps that are missing, inside the caller's transaction, and return how many they were.

    Raises:
        StoreError: the ledger was written by a newer excise.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK)))
    done = version(connection)
    if done > steps[-1].number:
        raise StoreError(
            f"the ledger has layout {done}, this excise knows layouts up to {steps[-1].number}",
            hint="upgrade excise, or point it at another ledger",
        )
    missing = [step for step in steps if step.number > done]
    if missing:
        STEPS.create(connection, checkfirst=True)
    for step in missing:
        step.apply(connection)
        applied = datetime.now(UTC).isoformat()
        connection.execute(insert(STEPS).values(number=step.number, name=step.name, applied=applied))
    return len(missing)
