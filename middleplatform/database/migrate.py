"""From any earlier revision of the tables to the newest, one process at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

FIRST = "0001"
"""The revision of the tables that were made before there were revisions."""
_LOCK = 0x7E7E0001
"""The number of PostgreSQL's advisory lock under which tables are changed."""


class DatabaseError(Exception):
    """The relational store cannot be opened or used: what is wrong and what to do."""


def upgrade(engine: Engine) -> None:
    """Bring the tables to the newest revision. Raises DatabaseError when a newer program has written them."""
    newest = set(ScriptDirectory.from_config(_config()).get_heads())
    with engine.connect() as connection:
        if _revisions(connection) == newest:
            return
    with alone(engine) as connection:
        found = _revisions(connection)
        for revision in sorted(found):
            check_known(revision)
        if not found and inspect(connection).has_table("users"):
            config = _config()
            config.attributes["connection"] = connection
            command.stamp(config, FIRST)
        bring_to(connection, "heads")


def bring_to(connection: Connection, revision: str) -> None:
    """Make the tables, or what they lack up to a revision, in the connection's transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def revision_of(connection: Connection) -> str | None:
    """The revision that a place's tables are of, None when there are none."""
    found = _revisions(connection)
    if not found and inspect(connection).has_table("users"):
        return FIRST
    return next(iter(found), None)


def check_known(revision: str) -> None:
    """Raises DatabaseError when a newer program made this revision."""
    script = ScriptDirectory.from_config(_config())
    if revision not in {each.revision for each in script.walk_revisions()}:
        raise DatabaseError(
            f"关系库版本 {revision} 比本程序新，请用写入它的程序打开 · the relational store is of revision {revision}, "
            "which this program does not know: start the newer program that wrote it, or restore an older backup"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _revisions(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other process's migration runs beside."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        yield connection
        connection.commit()
