"""Commands to simulated OPC UA and MQTT devices, and their faults, by the real adapters."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.site.model import Kind
from protocols.adapter import WriteRefused, WriteUnknown
from simulators.devices.device import DeviceError
from simulators.devices.mqtt import MqttPoints
from simulators.devices.opcua import OpcUaPoints
from tests.ports import free_port
from tests.protocols.mqtt.broker import PASSWORD, Broker
from tests.simulators.points import connection, point
from tests.simulators.reading import NOW, adapter, noticed, session, show, tags, until

Taken = list[tuple[str, str, float | str]]


def node(name: str) -> str:
    return f"nsu=urn:test:simulators;s={name}"


NODES = [
    point("speed_set", node("S"), "", unit="m/s", factor=0.5, writable=True),
    point("command", node("C"), "", kind=Kind.STATE, writable=True),
    point("start", node("B"), "bool", kind=Kind.STATE, writable=True),
    point("label", node("T"), "text", kind=Kind.TEXT, writable=True),
    point("speed", node("V"), "float32", unit="m/s"),
]


@pytest.fixture
async def opcua(tmp_path: Path) -> AsyncIterator[OpcUaPoints]:
    facts = {
        "url": f"opc.tcp://127.0.0.1:{free_port()}/sevenones",
        "user": "gateway",
        "password": "right",
        "certificate_dir": str(tmp_path / "client"),
        "timeout_s": 3,
        "watchdog_s": 3,
        "publishing_ms": 100,
    }
    device = OpcUaPoints(connection("c1", "opcua", facts, 0.2), NODES, tmp_path / "server")
    await device.prepare()
    await show(device, math.nan, math.nan, math.nan, math.nan, 2.5)
    await device.start()
    yield device
    await device.close()


async def test_opcua_commands_are_taken_or_refused_and_read_back(opcua: OpcUaPoints) -> None:
    taken: Taken = []
    opcua.on_command = lambda *what: taken.append(what)
    client, places = adapter(opcua.connection), tags(NODES)
    await client.connect()
    try:
        plan = client.plan(places)
        for row, raw in {0: 3.0, 1: 2.0, 2: 1.0, 3: "检修"}.items():
            await client.write(places[row], raw)
        assert taken == [
            ("belt1", "speed_set", 1.5),
            ("belt1", "command", 2.0),
            ("belt1", "start", 1.0),
            ("belt1", "label", "检修"),
        ]
        reading = await client.read(plan)
        assert dict(zip(reading.index.tolist(), reading.value.tolist(), strict=True))[0] == 3.0
        with pytest.raises(WriteRefused):
            await client.write(places[4], 1.0)
        opcua.on_command = lambda *_: "就地控制 · in local mode"
        with pytest.raises(WriteRefused):
            await client.write(places[1], 1.0)
        assert len(taken) == 4
        # The mine holds another set-point, and nothing has changed since it was last told: told again nonetheless.
        shown = opcua.hold(np.array([2.0, math.nan, math.nan, math.nan, 2.5]), [""] * 5)
        await opcua.serve(NOW + 1, np.zeros(5, bool))
        assert shown[:3].tolist() == [2.0, 2.0, 1.0]
        reading = await client.read(plan)
        by_row = dict(zip(reading.index.tolist(), reading.value.tolist(), strict=True))
        assert [by_row[row] for row in (0, 1, 2)] == [4.0, 2.0, 1.0]
    finally:
        await client.close()


async def test_an_opcua_server_that_fails_is_noticed_and_comes_back(opcua: OpcUaPoints) -> None:
    for kind in ("hang", "garbage", "cut", "reset"):
        async with session(opcua) as reading:
            await reading.until_values({4: 2.5}, 30)
            opcua.fault(kind, 0.5)
            if kind == "garbage":
                opcua.link.drop()
            await noticed(reading, 4)
        if kind != "reset":
            opcua.fault(kind, 0)
        await until(lambda: opcua.link.listening, "it is there again")
    async with session(opcua) as reading:
        await reading.until_values({4: 2.5}, 30)
        assert reading.latest[4].ts == NOW
        # A clock that jumps moves only the device's own time.
        opcua.fault("clock_jump", -3600)
        await show(opcua, 0, 0, 0, math.nan, 3.5, ts=NOW + 1_000_000)
        await reading.until_values({4: 3.5}, 30)
        assert reading.latest[4].ts == NOW + 1_000_000 - 3_600_000_000
    with pytest.raises(DeviceError, match="no fault 'word_order'"):
        opcua.fault("word_order", 1)


TOPIC = "mine/belt1/state#"
VALUES = [
    point("speed_set", TOPIC + "set", "number", unit="m/s", factor=0.5, writable=True,
          options={"command": "mine/belt1/set", "template": '{"cmd": "set", "value": {value}}', "time": "ts"}),
    point("command", TOPIC + "cmd", "", kind=Kind.STATE, writable=True, options={"command": "mine/belt1/do"}),
    point("mode", TOPIC + "mode", "", kind=Kind.STATE, writable=True,
          options={"command": "mine/belt1/mode", "words": "就地=1, 远控=2"}),
    point("label", TOPIC + "label", "text", kind=Kind.TEXT, writable=True,
          options={"command": "mine/belt1/label", "template": '{"t": "{value}"}'}),
    point("speed", TOPIC + "tags[id=V].v", "number_text", unit="m/s", options={"time": "ts"}),
]  # fmt: skip
VALUES = [replace(each, order="", options={**each.options, "time": "ts"}) for each in VALUES]


@pytest.fixture
async def mqtt(broker: Broker) -> AsyncIterator[MqttPoints]:
    facts = {"host": "127.0.0.1", "port": broker.port, "user": "gateway", "password": PASSWORD, "client_id": "g"}
    device = MqttPoints(connection("c1", "mqtt", {**facts, "timeout_s": 2, "keepalive_s": 5}), VALUES)
    await device.start()
    yield device
    await device.close()


async def test_mqtt_commands_are_taken_or_refused_and_told(mqtt: MqttPoints) -> None:
    taken: Taken = []
    mqtt.on_command = lambda *what: taken.append(what)
    nothing = [math.nan] * 4

    async def tell() -> None:
        while True:
            await show(mqtt, *nothing, 2.5)
            await asyncio.sleep(0.1)

    telling = asyncio.create_task(tell())
    client, places = adapter(mqtt.connection), tags(VALUES)
    await client.connect()
    try:
        await until(lambda: mqtt.acknowledged > 2, "it is connected")
        for row, raw in {0: 3.0, 1: 2.0, 2: 2.0, 3: '检修 "1"'}.items():
            await client.write(places[row], raw)
        assert taken == [
            ("belt1", "speed_set", 1.5),
            ("belt1", "command", 2.0),
            ("belt1", "mode", 2.0),
            ("belt1", "label", '检修 "1"'),
        ]
        mqtt.on_command = lambda *_: "就地控制 · in local mode"
        with pytest.raises(WriteUnknown):
            await client.write(places[1], 1.0)
    finally:
        telling.cancel()
        await client.close()


@pytest.mark.parametrize("kind", ["garbage", "clock_jump", "reset", "cut", "slow"])
async def test_an_mqtt_device_that_fails(mqtt: MqttPoints, kind: str) -> None:
    async with session(mqtt) as reading:
        await show(mqtt, 0, 0, 1, math.nan, 2.5)
        await reading.until_values({4: 2.5}, 20)
        mqtt.fault(kind, {"clock_jump": 100, "slow": 0.4, "reset": 0.3}.get(kind, 1))
        await show(mqtt, 0, 0, 1, math.nan, 3.5, ts=NOW + 1_000_000)
        if kind == "garbage":
            await noticed(reading, 4)
        elif kind == "cut":
            await until(lambda: mqtt.waiting == 1, "nothing gets out")
            assert reading.latest[4].value == 2.5
        else:
            await reading.until_values({4: 3.5}, 20)
            assert reading.latest[4].ts == NOW + 1_000_000 + (100_000_000 if kind == "clock_jump" else 0)
        mqtt.fault(kind, 0)
        await show(mqtt, 0, 0, 1, math.nan, 4.5, ts=NOW + 2_000_000)
        await reading.until_values({4: 4.5}, 25)
