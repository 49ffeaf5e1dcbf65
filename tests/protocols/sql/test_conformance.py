"""The adapter sql passes the suite, against a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.postgres import Postgres
from tests.protocols.conformance import Conformance
from tests.protocols.peer import Peer
from tests.protocols.sql.source import SqlPeer


class TestSql(Conformance):
    name = "sql"

    @pytest.fixture
    async def peer(self, postgres: Postgres, tmp_path: Path) -> AsyncIterator[Peer]:
        postgres.start()
        peer = SqlPeer(postgres, tmp_path)
        yield peer
        await peer.start()
