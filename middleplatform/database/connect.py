"""The engine of the relational store, its tables brought to the newest revision when it is first opened."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from middleplatform.database.migrate import DatabaseError, upgrade

Place = Path | str
"""A home folder (the database is its platform.db, mode 0600) or the URL of a database."""


def connect(where: Place) -> Engine:
    """The engine of a place, its tables made or migrated. The same engine is given for the same place.
    Raises DatabaseError when it cannot be opened, or was written by a newer program."""
    return _connect(where if isinstance(where, str) else f"sqlite:///{(where / 'platform.db').resolve()}")


@lru_cache(maxsize=16)
def _connect(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    try:
        if _is_sqlite(parsed) and parsed.database:
            path = Path(parsed.database)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            path.chmod(0o600)
        engine = create_engine(parsed, hide_parameters=True, pool_pre_ping=True)
        if _is_sqlite(parsed):
            event.listen(engine, "connect", _prepare_sqlite)
        upgrade(engine)
    except (OSError, OperationalError, DBAPIError) as error:
        shown = parsed.render_as_string(hide_password=True)
        raise DatabaseError(f"无法打开关系库 · cannot open the relational store {shown}: {error}") from error
    return engine


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _prepare_sqlite(connection: object, _: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("busy_timeout=10000", "journal_mode=WAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
