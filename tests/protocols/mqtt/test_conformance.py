"""The common suite on a real mosquitto."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.protocols.conformance import Conformance
from tests.protocols.mqtt.broker import MqttPeer
from tests.protocols.peer import Peer


class TestMqtt(Conformance):
    name = "mqtt"

    @pytest.fixture
    async def peer(self, tmp_path: Path) -> AsyncIterator[Peer]:
        peer = MqttPeer(tmp_path / "broker")
        await peer.start()
        yield peer
        await peer.stop()
