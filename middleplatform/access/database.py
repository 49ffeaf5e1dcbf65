"""The relational store of users and tokens: SQLite in the home folder unless a URL names another."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine, ForeignKey, String, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

_making = threading.Lock()


class Base(DeclarativeBase):
    pass


class User(Base):
    """A person who signs in. `password` is an argon2 hash. Times are µs UTC."""

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    password: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20))
    created: Mapped[int]


class Token(Base):
    """A token's facts. The token itself is not here: only its SHA-256 is."""

    __tablename__ = "tokens"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    role: Mapped[str] = mapped_column(String(20))
    created: Mapped[int]
    expires: Mapped[int | None]
    revoked: Mapped[int | None]
    user: Mapped[str | None] = mapped_column(ForeignKey("users.name"))


@lru_cache(maxsize=16)
def _engine(home: Path) -> Engine:
    path = home / "platform.db"
    with _making:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 10})

    @event.listens_for(engine, "connect")
    def _safe(connection: object, _: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")  # type: ignore[attr-defined]
        connection.execute("PRAGMA synchronous=FULL")  # type: ignore[attr-defined]
        connection.execute("PRAGMA foreign_keys=ON")  # type: ignore[attr-defined]

    Base.metadata.create_all(engine)
    return engine


@contextmanager
def session(home: Path) -> Iterator[Session]:
    """One transaction on the home's relational store."""
    with Session(_engine(home.resolve())) as open_session, open_session.begin():
        yield open_session
