"""A book of three mines' March, and reports of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.middleplatform.database.conftest import place
from tests.middleplatform.kpi.made import ONE, THREE, TWO, keep_mine, march
from tests.postgres import postgres

__all__ = ["place", "postgres"]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home; its third mine has three days only. Tests add reports to it, and no days."""
    home = tmp_path_factory.mktemp("city")
    keep_mine(home, ONE, march(31), 0.6)
    keep_mine(home, TWO, march(31), 0.2, 3000)
    keep_mine(home, THREE, march(3), 0.9, 600)
    return home
