"""The engine of the relational store, its tables brought to the newest revision when it is first opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from middleplatform.database.migrate import DatabaseError, upgrade

Place = Path | str
"""A home folder (the database is its platform.db, mode 0600) or the URL of a database."""
SETTING = "SEVENONES_DATABASE"
"""The environment variable that names a PostgreSQL database; without it the relational store is in the home."""
_OPENING = Lock()
"""Threads that open a new database at once would each make its tables."""


def connect(where: Place) -> Engine:
    """The engine of a place, its tables made or migrated. The same engine is given for the same place.
    Raises DatabaseError when it cannot be opened, or was written by a newer program."""
    with _OPENING:
        return _connect(_url_of(where))


@contextmanager
def unchanged(where: Place) -> Iterator[Engine]:
    """The engine of a place whose tables are left as they are, for as long as the block runs. Raises DatabaseError,
    also in place of whatever the database says of a statement."""
    url = _parsed(_url_of(where))
    try:
        engine = _engine(url)
    except OSError as error:
        raise _cannot(url, error) from error
    try:
        yield engine
    except DBAPIError as error:
        raise _cannot(url, error) from error
    finally:
        engine.dispose()


@lru_cache(maxsize=16)
def _connect(url: str) -> Engine:
    parsed = _parsed(url)
    try:
        engine = _engine(parsed)
        upgrade(engine)
    except (OSError, DBAPIError) as error:
        raise _cannot(parsed, error) from error
    return engine


def _url_of(where: Place) -> str:
    return where if isinstance(where, str) else f"sqlite:///{(where / 'platform.db').resolve()}"


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # whose words may hold the password
        raise DatabaseError(
            "关系库地址有误 · the relational store's address is none: give it as postgresql://user:password@host/name"
        ) from None
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed


def _engine(url: URL) -> Engine:
    if _is_sqlite(url) and url.database:
        path = Path(url.database)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    try:
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=True)
    except (ArgumentError, ImportError) as error:
        raise _cannot(url, error) from error
    if _is_sqlite(url):
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _cannot(url: URL, error: Exception) -> DatabaseError:
    return DatabaseError(f"无法打开关系库 · cannot open the relational store {shown(url)}: {error}")


def shown(url: URL) -> str:
    """A URL as it may be told: neither its password nor its options, which may hold one."""
    return url.set(query={}).render_as_string(hide_password=True)


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _prepare_sqlite(connection: object, _: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("busy_timeout=10000", "journal_mode=WAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
