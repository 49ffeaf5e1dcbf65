"""The common suite on a real server with Basic256Sha256, user and password."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.protocols.conformance import Conformance
from tests.protocols.opcua.machine import OpcUaPeer
from tests.protocols.peer import Peer


class TestOpcUa(Conformance):
    name = "opcua"

    @pytest.fixture
    async def peer(self) -> AsyncIterator[Peer]:
        peer = OpcUaPeer()
        await peer.start()
        yield peer
        await peer.stop()
