"""The append-only record: facts in SQLite, or in PostgreSQL by URL, and where a project keeps them."""

from excise.ledger.facts import Fact, Ledger
from excise.ledger.project import find_project

__all__ = ["Fact", "Ledger", "find_project"]
