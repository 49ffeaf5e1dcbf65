"""Both places that the relational store can live in, each empty at the start of a test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from middleplatform.database import Place
from tests.postgres import Postgres, postgres

__all__ = ["postgres"]


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A home folder, or the URL of an empty database of a real server."""
    if request.param == "sqlite":
        yield tmp_path
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"mine_{uuid.uuid4().hex[:12]}"
    root = create_engine(server.url().replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with root.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    root.dispose()
    yield server.url(database=name)
