"""Both places that the relational store can live in, each empty at the start of a test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from middleplatform.database import Place
from tests.postgres import Postgres, postgres

__all__ = ["postgres"]


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A home folder, or the URL of an empty database of a real server."""
    if request.param == "sqlite":
        yield tmp_path
        return
    yield empty_database(request.getfixturevalue("postgres"))


def empty_database(server: Postgres) -> str:
    """The URL of a new database of a real server."""
    name = f"mine_{uuid.uuid4().hex[:12]}"
    server.execute(f"CREATE DATABASE {name}")
    return server.url(database=name)
