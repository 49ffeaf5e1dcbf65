"""Commands to nodes and devices: in the type of their birth, and verified by the data that comes after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from protocols.adapter import AdapterError, LinkLost, WriteRefused, WriteUnknown
from protocols.sparkplug import Sparkplug
from tests.protocols.mqtt.broker import Broker, settings
from tests.protocols.sparkplug.node import EdgeNode
from tests.protocols.sparkplug.test_conformance import tag

METRICS = {
    "": {"Limit": ("Float", 1.0)},
    "drive": {
        "Small": ("Int8", 0),
        "Word": ("UInt16", 0),
        "Big": ("Int64", 0),
        "Real": ("Double", 0.0),
        "On": ("Boolean", False),
        "Mode": ("String", "off"),
        "Blob": ("Bytes", b"x"),
    },
}


@pytest.fixture
async def node(broker: Broker) -> AsyncIterator[EdgeNode]:
    node = EdgeNode(broker.port, METRICS)
    await node.connect()
    yield node
    node.leave()


@pytest.fixture
async def adapter(broker: Broker, node: EdgeNode) -> AsyncIterator[Sparkplug]:
    made = Sparkplug(Sparkplug.Settings.model_validate(settings(broker.port, timeout_s=2)))
    await made.connect()
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("address", "kind", "value"),
    [
        ("mine/belt:Limit", "Float", 2.5),
        ("mine/belt/drive:Small", "Int8", -7),
        ("mine/belt/drive:Word", "UInt16", 65535),
        ("mine/belt/drive:Big", "Int64", -5),
        ("mine/belt/drive:Real", "Double", 1e9),
        ("mine/belt/drive:On", "Boolean", 1),
        ("mine/belt/drive:Mode", "String", "自动"),
    ],
)
async def test_a_metric_is_written_in_the_type_of_its_birth(
    adapter: Sparkplug, node: EdgeNode, address: str, kind: str, value: Any
) -> None:
    await adapter.write(tag(0, address, "text" if kind == "String" else ""), value)
    place, _, name = address.partition(":")
    assert node.commands == [("drive" if place.endswith("drive") else "", name, kind)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Small", 128),
        ("Word", -1),
        ("Word", 1.5),
        ("On", 2),
        ("Real", "x"),
        ("Real", float("nan")),
        ("Blob", 1),
        ("No", 1),
    ],
)
async def test_what_does_not_fit_is_not_sent(adapter: Sparkplug, node: EdgeNode, name: str, value: Any) -> None:
    with pytest.raises(AdapterError, match=r"\w") as told:
        await adapter.write(tag(0, f"mine/belt/drive:{name}"), value)
    assert not isinstance(told.value, LinkLost | WriteUnknown) and node.commands == []


async def test_a_device_that_does_not_say_the_value_leaves_it_unknown(adapter: Sparkplug, node: EdgeNode) -> None:
    node.obeys = False
    with pytest.raises(WriteUnknown, match="went out"):
        await adapter.write(tag(0, "mine/belt/drive:Real"), 3.0)
    assert len(node.commands) == 1


@pytest.mark.parametrize("stored", [{"is_historical": True}, {"timestamp": 1_700_000_000_000}], ids=["flag", "time"])
async def test_what_a_device_had_stored_confirms_nothing(
    adapter: Sparkplug, node: EdgeNode, stored: dict[str, Any]
) -> None:
    node.obeys = False
    writing = asyncio.create_task(adapter.write(tag(0, "mine/belt/drive:Real"), 3.0))
    async with asyncio.timeout(30):
        while not node.commands:
            await asyncio.sleep(0.02)
    node.data("drive", {"Real": 3.0}, **stored)
    with pytest.raises(WriteUnknown, match="said nothing"):
        await writing


async def test_a_node_whose_clock_is_behind_confirms_by_its_own_time(adapter: Sparkplug, node: EdgeNode) -> None:
    node.behind_ms = 3_600_000
    await adapter.write(tag(0, "mine/belt/drive:Real"), 3.0)


async def test_a_node_that_is_not_there_is_told(adapter: Sparkplug, node: EdgeNode) -> None:
    with pytest.raises(LinkLost, match="mine/other has not answered"):
        await adapter.write(tag(0, "mine/other:x"), 3.0)
    with pytest.raises(WriteRefused, match="array"):
        await adapter.write(tag(0, "mine/belt:x", element=1), 3.0)
