"""The Modbus adapter passes the suite of all adapters."""

from collections.abc import AsyncIterator

import pytest

from tests.protocols.conformance import Conformance
from tests.protocols.modbus.peer import ModbusPeer
from tests.protocols.peer import Peer


class TestModbus(Conformance):
    name = "modbus"

    @pytest.fixture
    async def peer(self) -> AsyncIterator[Peer]:
        peer = ModbusPeer()
        await peer.start()
        yield peer
        await peer.stop()
