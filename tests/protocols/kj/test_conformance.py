"""The adapter kj passes the suite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.protocols.conformance import Conformance
from tests.protocols.kj.system import KjPeer
from tests.protocols.peer import Peer


class TestKj(Conformance):
    name = "kj"

    @pytest.fixture
    async def peer(self, tmp_path: Path) -> AsyncIterator[Peer]:
        peer = KjPeer(tmp_path)
        await peer.start()
        yield peer
        await peer.stop()
