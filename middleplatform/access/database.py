"""The tables of users and tokens, and the engine that they live in: SQLite in the home folder, or any by URL."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from sqlalchemy import BigInteger, Column, Engine, ForeignKey, Integer, MetaData, String, Table, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, ProgrammingError

ROLES = ("reader", "admin")

metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("password", String(200), nullable=False),
    Column("role", String(10), nullable=False),
    Column("created", BigInteger, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("name", String(80), nullable=False),
    Column("role", String(10), nullable=False),
    Column("user", String(40), ForeignKey("users.name"), nullable=True),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=True),
    Column("revoked", BigInteger, nullable=True),
)
"""`digest` is the hexadecimal sha256 of the token, which itself is nowhere kept; `user` is set on
tokens that a sign-in made; times are µs UTC, `expires` NULL for never."""


class AccessError(Exception):
    """A user or token cannot be made or found: what is wrong and what to do."""


def connect(where: Path | str) -> Engine:
    """The engine of a home folder (its platform.db, mode 0600) or of a database URL. Makes missing tables.
    The same engine is given for the same place. Raises AccessError."""
    return _connect(where if isinstance(where, str) else f"sqlite:///{(where / 'platform.db').resolve()}")


@lru_cache(maxsize=16)
def _connect(url: str) -> Engine:
    parsed = make_url(url)
    try:
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            path = Path(parsed.database)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            path.chmod(0o600)
        engine = create_engine(parsed, hide_parameters=True, pool_pre_ping=True)
        if parsed.get_backend_name() == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        try:
            metadata.create_all(engine)
        except (OperationalError, ProgrammingError):
            metadata.create_all(engine)  # another process made the tables at the same moment
    except (OSError, OperationalError) as error:
        shown = parsed.render_as_string(hide_password=True)
        raise AccessError(f"无法打开用户库 · cannot open {shown}: {error}") from error
    return engine


def _prepare_sqlite(connection: object, _: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("busy_timeout=5000", "journal_mode=WAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
