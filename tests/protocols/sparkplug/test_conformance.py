"""The common suite, with a node on a real mosquitto."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from protocols.adapter import Tag
from tests.protocols.conformance import Conformance
from tests.protocols.mqtt.broker import Broker, settings
from tests.protocols.peer import Peer
from tests.protocols.sparkplug.node import EdgeNode


def tag(index: int, address: str, kind: str = "", **options: Any) -> Tag:
    return Tag(index, f"140581000000/belt/p{index}", address, kind, "", options)


class SparkplugPeer(Peer):
    """A node with one device."""

    name = "sparkplug"
    tags = (
        tag(0, "mine/belt/drive:Motor/Current"),
        tag(1, "mine/belt/drive:Motor/Speed"),
        tag(2, "mine/belt:Load"),
        tag(3, "mine/belt/drive:Mode", "text"),
    )
    wrong = (
        tag(0, "mine/belt"),
        tag(0, "mine/belt:"),
        tag(0, "belt:Load"),
        tag(0, "mine//drive:x"),
        tag(0, "mine/belt/drive/more:x"),
        tag(0, "mine/+:x"),
        tag(0, "mine/belt:x", "float"),
        tag(0, "mine/belt:x", elemnt=1),
        tag(0, "mine/belt:x", element=-1),
        Tag(0, "p", "mine/belt:x", "", "abcd"),
    )
    missing = tag(4, "mine/belt/drive:No/Such")
    real = 0
    text = 3
    writable = 1

    def __init__(self, folder: Path) -> None:
        self._broker = Broker(folder)
        self._node = EdgeNode(
            self._broker.port,
            {
                "": {"Load": ("UInt32", 0)},
                "drive": {"Motor/Current": ("Double", 0.0), "Motor/Speed": ("Int32", 0), "Mode": ("String", "off")},
            },
        )

    def settings(self, port: int | None = None) -> dict[str, Any]:
        return settings(port or self._broker.port, rebirth_wait_s=0.5, host_id="control")

    async def start(self) -> None:
        await asyncio.to_thread(self._broker.start)
        self._node.bd += 1
        await self._node.connect()
        self._node.birth()

    async def stop(self) -> None:
        self._node.leave()
        await asyncio.to_thread(self._broker.stop)

    async def get(self, index: int) -> float | str:
        device, _, name = self.tags[index].address.partition(":")
        value: float | str = self._node.metrics["drive" if device.endswith("/drive") else ""][name][1]
        return value

    async def hang(self) -> None:
        self._broker.freeze()

    async def set(self, index: int, value: float | str) -> None:
        device, _, name = self.tags[index].address.partition(":")
        kind = "drive" if device.endswith("/drive") else ""
        whole = isinstance(value, float) and self._node.metrics[kind][name][0] != "Double"
        self._node.data(kind, {name: int(value) if whole else value})


class TestSparkplug(Conformance):
    name = "sparkplug"

    @pytest.fixture
    async def peer(self, tmp_path: Path) -> AsyncIterator[Peer]:
        peer = SparkplugPeer(tmp_path / "broker")
        await peer.start()
        yield peer
        await peer.stop()
