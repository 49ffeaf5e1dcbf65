"""The bus server's own MQTT listener is a broker that the adapter works with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protocols.adapter import SignInRefused
from protocols.mqtt import Mqtt
from tests.protocols.mqtt.broker import Publisher, settings, tag
from tests.protocols.mqtt.test_delivery import running
from tests.servers import RunningBus, mine_bus


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[RunningBus]:
    async with mine_bus(tmp_path, mqtt=True, set_up=False) as bus:
        # By default the server waits 30 s before it sends an unacknowledged message again.
        await bus.process.stop()
        config = json.loads(bus.process.config.path.read_text())
        config["mqtt"]["ack_wait"] = "3s"
        bus.process.config.path.write_text(json.dumps(config))
        await bus.process.start()
        yield bus


async def test_values_come_and_what_was_not_acknowledged_comes_again(bus: RunningBus) -> None:
    assert bus.mqtt_port is not None
    device = Publisher(bus.mqtt_port, "simulator", bus.credentials.mqtt_password("simulator"))
    password = bus.credentials.mqtt_password("gateway")
    tags = [tag(0, "mine/room/state#level", time="ts"), tag(1, "elsewhere/room#level")]
    try:
        async with running(bus.mqtt_port, tags, acknowledge=False, password=password) as run:
            for number in range(20):
                await device.publish("mine/room/state", {"level": number, "ts": 1_700_000_000 + number})
            await run.has(range(20))
            refused = run.deliveries[0].reading
            assert refused.index.tolist() == [1] and "elsewhere/room" in refused.reasons[1]
            taken = run.deliveries[1:5]
            for delivery in taken:
                delivery.acknowledge()
            done = {value for delivery in taken for value in delivery.reading.value.tolist()}
            left = sorted(set(range(20)) - done)
            await asyncio.sleep(0.5)
        async with running(bus.mqtt_port, tags[:1], password=password) as run:
            await run.has(left)
            assert sorted(set(run.values)) == left
            last = run.deliveries[-1].reading
            assert last.ts is not None and last.ts[-1] == 1_700_000_000_000_000 + int(last.value[-1]) * 1_000_000
    finally:
        device.close()


async def test_a_wrong_password_is_refused_as_such(bus: RunningBus) -> None:
    mqtt = Mqtt(Mqtt.Settings.model_validate(settings(bus.mqtt_port or 0, password="wrong")))
    with pytest.raises(SignInRefused):
        await mqtt.connect()
    await mqtt.close()


async def test_what_the_bus_acknowledged_to_a_device_survives_its_kill_9(bus: RunningBus) -> None:
    assert bus.mqtt_port is not None
    password, tags = bus.credentials.mqtt_password("gateway"), [tag(0, "mine/room/state#n")]
    async with running(bus.mqtt_port, tags, password=password) as run:
        device = Publisher(bus.mqtt_port, "simulator", bus.credentials.mqtt_password("simulator"))
        await device.publish("mine/room/state", {"n": -1})
        await run.until(1)
        device.close()
    sent = 0
    for _ in range(3):
        device = Publisher(bus.mqtt_port, "simulator", bus.credentials.mqtt_password("simulator"))
        for _ in range(20):
            await device.publish("mine/room/state", {"n": sent})
            sent += 1
        await bus.process.kill()
        device.close()
        await bus.process.start()
    async with running(bus.mqtt_port, tags, password=password) as run:
        await run.has(range(sent), 60)
