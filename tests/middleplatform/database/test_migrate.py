"""Tables are made, migrated from what earlier programs left, and a newer program's are refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, text

from middleplatform.access.bus_keys import list_keys
from middleplatform.access.tokens import list_tokens
from middleplatform.alarms.book import alarms_of
from middleplatform.audit.log import entries, note
from middleplatform.database import DatabaseError, Place, connect, migrations
from middleplatform.database.metadata import metadata
from middleplatform.database.migrate import upgrade
from middleplatform.tickets.book import Kind, find, in_force, open_ticket
from tests.servers import CODE


def test_revisions_make_the_tables_that_the_program_uses(place: Place) -> None:
    with connect(place).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_what_was_there_before_revisions_is_migrated(tmp_path: Path) -> None:
    old = create_engine(f"sqlite:///{tmp_path / 'platform.db'}")
    with old.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE users (name VARCHAR(40) PRIMARY KEY, password VARCHAR(200) NOT NULL, "
                "role VARCHAR(10) NOT NULL, created BIGINT NOT NULL)"
            )
        )
        connection.execute(
            text(
                "CREATE TABLE tokens (id INTEGER PRIMARY KEY AUTOINCREMENT, digest VARCHAR(64) NOT NULL "
                "UNIQUE, name VARCHAR(80) NOT NULL, role VARCHAR(10) NOT NULL, user VARCHAR(40) "
                "REFERENCES users(name), created BIGINT NOT NULL, expires BIGINT, revoked BIGINT)"
            )
        )
        connection.execute(text("INSERT INTO tokens (digest, name, role, created) VALUES ('d', 'old', 'reader', 7)"))
    assert [(row.name, row.role, row.created) for row in list_tokens(tmp_path)] == [("old", "analyst", 7)]


def test_what_was_kept_before_alarms_and_tickets_stays(place: Place) -> None:
    """From the revision before the last ones, with a user, a token and an entry of the audit log."""
    url = place if isinstance(place, str) else f"sqlite:///{place / 'platform.db'}"
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    to(engine, "0007")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO users (name, password, role, created, must_change) "
                "VALUES ('olga', '-', 'analyst', 7, false)"
            )
        )
        connection.execute(
            text("INSERT INTO tokens (digest, name, role, created, maker) VALUES ('d', 'old', 'analyst', 7, 'olga')")
        )
        note(connection, "user.add", "olga", who="old")
    assert [(each.name, each.maker) for each in list_tokens(place)] == [("old", "olga")]
    assert [(each.what, each.who) for each in entries(place)] == [("user.add", "old")]
    ticket = open_ticket(place, CODE, Kind.MAINTENANCE, "olga", "belt splice", ["belt1"], 1)
    assert in_force(place, CODE, 5) == [] and find(place, CODE, ticket.id) == ticket
    assert alarms_of(place, CODE) == [] and list_keys(place, CODE) == []


def to(engine: Engine, revision: str) -> None:
    """The tables as an earlier program left them."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_a_newer_programs_tables_are_refused(place: Place) -> None:
    engine = connect(place)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="9999"):
        upgrade(engine)


def test_many_that_open_at_once_make_the_tables_once(place: Place) -> None:
    url = place if isinstance(place, str) else f"sqlite:///{place / 'platform.db'}"
    engines = [create_engine(url.replace("postgresql:", "postgresql+psycopg:"), connect_args={}) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, engines))
    with engines[0].connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1
