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
    script = ScriptDirectory.from_config(_config())
    newest = set(script.get_heads())
    with engine.connect() as connection:
        if _revisions(connection) == newest:
            return
    with _alone(engine) as connection:
        found = _revisions(connection)
        known = {each.revision for each in script.walk_revisions()}
        if found - known:
            raise DatabaseError(
                f"关系库版本 {'、'.join(sorted(found - known))} 比本程序新，请用写入它的程序打开 · "
                f"the relational store is of revision {', '.join(sorted(found - known))}, which this program does not "
                "know: start the newer "
                "program that wrote it, or restore an older backup"
            )
        config = _config()
        config.attributes["connection"] = connection
        if not found and inspect(connection).has_table("users"):
            command.stamp(config, FIRST)
        command.upgrade(config, "heads")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _revisions(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other process's migration runs beside."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        yield connection
        connection.commit()
