"""The big mine: each protocol serves each point's value of the second, in the shares that it says."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import aiomqtt
import numpy as np
import orjson
import pytest
from asyncua import Client, ua

from models.site import load
from simulators.devices.device import DeviceError
from simulators.load import value_at
from simulators.load.big import BigMine, shares
from simulators.load.opcua import NAMESPACE, Columns
from tests.simulators.test_load import of_its_seconds, poll


@pytest.mark.parametrize(
    ("points", "expected"), [(100_000, (80_000, 10_000, 10_000)), (10, (8, 1, 1)), (25, (21, 2, 2))]
)
def test_shares(points: int, expected: tuple[int, int, int]) -> None:
    assert shares(points) == expected


def test_too_few_points_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="at least 10"):
        BigMine(9, 1, tmp_path)


def test_a_notification_is_what_asyncua_would_have_written() -> None:
    columns = Columns(7, 5, 1)
    columns.turn(1_790_000_000)
    made = columns.told(np.array([11, 12], np.uint32), np.array([4, 0]))
    plain = ua.DataChangeNotification()
    for handle, row in ((11, 4), (12, 0)):
        value = columns.read(ua.NodeId(row + 1, 2))
        plain.MonitoredItems.append(ua.MonitoredItemNotification(handle, value))
    assert ua.ua_binary.extensionobject_to_binary(made) == ua.ua_binary.extensionobject_to_binary(plain)


class Subscriber:
    """Takes what a subscription brings: (node, second, value)."""

    def __init__(self) -> None:
        self.came: list[tuple[int, float, float]] = []

    def datachange_notification(self, node: Any, value: float, data: Any) -> None:
        when = data.monitored_item.Value.SourceTimestamp.timestamp()
        self.came.append((node.nodeid.Identifier, when, value))


async def opcua(mine: BigMine, folder: Path) -> list[tuple[int, float, float]]:
    client = Client(mine.opcua.url)
    await client.set_security_string(
        f"Basic256Sha256,SignAndEncrypt,{folder}/opcua/server.der,{folder}/opcua/server.pem"
    )
    async with client:
        space = await client.get_namespace_index(NAMESPACE)
        taken = Subscriber()
        subscription = await client.create_subscription(100, taken)
        nodes = [client.get_node(ua.NodeId(n + 1, space)) for n in range(mine.opcua.count)]
        await subscription.subscribe_data_change(nodes)
        async with asyncio.timeout(60):
            while len({second for _, second, _ in taken.came}) < 4:
                await asyncio.sleep(0.1)
        read = await nodes[3].read_data_value()
        second = int(read.SourceTimestamp.timestamp())
        assert read.Value.Value == value_at(mine.opcua.columns._points[3], second)
    return taken.came


async def mqtt(mine: BigMine) -> dict[str, dict[str, Any]]:
    came: dict[str, dict[str, Any]] = {}
    async with aiomqtt.Client("127.0.0.1", mine.mqtt.port) as client:
        await client.subscribe("load/#")
        async with asyncio.timeout(60):
            async for message in client.messages:
                came[str(message.topic)] = orjson.loads(message.payload)  # type: ignore[arg-type]
                if len(came) == len(mine.mqtt.ranges):
                    return came
    return came


async def test_all_three_protocols_serve_the_second(tmp_path: Path) -> None:
    mine = BigMine(3000, 1, tmp_path)
    stop = asyncio.Event()
    try:
        await mine.start()
        running = asyncio.create_task(mine.run(stop))
        mine.write_site(tmp_path / "site")
        site = load(tmp_path / "site")
        assert [point.path for point in sorted(site.points, key=lambda point: point.path)] == mine.paths()
        assert {c.adapter for c in site.connections.values()} == {"modbus", "opcua", "mqtt"}

        values, before, after = await poll(mine.modbus.devices[1].port, 800)
        low = mine.modbus.ranges[1][0]
        assert of_its_seconds(values, np.arange(low, low + 800), before, after)

        came = await opcua(mine, tmp_path)
        nodes, seconds, got = (np.array(column) for column in zip(*came, strict=True))
        assert (got == value_at(mine.modbus.points + nodes - 1, seconds)).all()
        assert len({(node, second) for node, second, _ in came}) == len(came), "a value came twice"
        # From the second whole second on nothing is missing.
        whole = sorted(set(seconds.tolist()))[1:-1]
        assert all((seconds == second).sum() == mine.opcua.count for second in whole)

        messages = await mqtt(mine)
        first = mine.modbus.points + mine.opcua.count
        for number, (low, high) in enumerate(mine.mqtt.ranges):
            told = messages[f"load/{number}"]
            expected = value_at(first + np.arange(low, high), told["ts"] // 1000)
            assert list(told["v"].values()) == expected.tolist()
            assert abs(told["ts"] / 1000 - time.time()) < 30
        stop.set()
        await running
    finally:
        await mine.close()
