"""A Sparkplug node behind a whole connection: a quiet node's values stay good, a dead one's are bad at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gateway.clock import WallClock
from gateway.connection import DeviceConnection
from models.quality import Quality
from tests.gateway.sites import Remembered, connection, point
from tests.protocols.mqtt.broker import Broker, settings
from tests.protocols.sparkplug.node import EdgeNode


async def until(met: Callable[[], bool], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not met():
            await asyncio.sleep(0.02)


async def test_mess_9_silence_of_a_living_node_is_no_age_and_its_death_is_told_at_once(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker")
    broker.start()
    node = EdgeNode(broker.port, {"": {"Load": ("Double", 5.5)}})
    await node.connect()
    sink = Remembered()
    spec = connection("belt", "sparkplug", {}, **settings(broker.port, rebirth_wait_s=0.5))
    points = (point("load", "belt", "", address="mine/belt:Load", silence_s=2.0),)
    one = DeviceConnection(spec, points, {}, WallClock(), sink)
    task = asyncio.create_task(one.run())

    def qualities() -> list[int]:
        return [int(row[2]) for row in sink.of("load")]

    try:
        # Twice its longest silence and more, and nothing has come but the birth.
        await until(lambda: qualities().count(192) >= 4)
        assert set(qualities()[qualities().index(192) :]) == {192}
        assert int(one.acquisition.taken[0]) <= 2
        await node.drop()
        await until(lambda: qualities()[-1] == Quality.BAD_NOT_CONNECTED)
        assert "NDEATH" in str(one.acquisition.reasons[0])
        node.bd += 1
        await node.connect()
        node.birth()
        await until(lambda: qualities()[-1] == 192)
        times = np.array([row[0] for row in sink.of("load")])
        assert (np.diff(times) > 0).all(), "what is said last is the newest"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        node.leave()
        broker.stop()
