"""Looking around among nodes that are there already, and whose births nobody kept."""

from __future__ import annotations

import asyncio

import pytest

from gateway.onboarding.target import of_connection
from models.site.model import Connection
from protocols.adapter import AdapterError
from protocols.sparkplug import Sparkplug
from protocols.sparkplug.browse import MAX_METRICS, MAX_NODES, Found
from protocols.sparkplug.wire import Payload
from tests.protocols.mqtt.broker import Broker, settings
from tests.protocols.sparkplug.node import EdgeNode, add
from tests.protocols.sparkplug.test_conformance import tag


async def test_groups_nodes_devices_and_metrics_are_found_by_their_births(broker: Broker) -> None:
    nodes = [
        EdgeNode(broker.port, {"": {"Load": ("UInt32", 1)}, "drive": {"Motor/Speed": ("Double", 2.0)}}),
        EdgeNode(broker.port, {"": {"x": ("String", "y")}}, group="other", name="pump"),
    ]
    for node in nodes:
        await node.connect()
        node.birth()
        await node.arrived()

    async def speak() -> None:
        while True:
            await asyncio.sleep(0.1)
            nodes[0].data("", {"Load": 3})

    made = Sparkplug(Sparkplug.Settings.model_validate(settings(broker.port, browse_s=2)))
    await made.connect()
    speaking = asyncio.create_task(speak())
    try:
        groups = await made.browse()
        found = [(node.name, node.type, node.address) for node in groups]
        assert found == [("mine", "group", "")], "the other node says nothing meanwhile"
        assert [(node.name, node.type) for node in await made.browse("mine")] == [("belt", "node")]
        inside = {node.name: node for node in await made.browse("mine/belt")}
        assert inside["drive"].type == "device" and inside["drive"].address == ""
        assert (inside["Load"].address, inside["Load"].type) == ("mine/belt:Load", "UInt32")
        (speed,) = await made.browse("mine/belt/drive")
        assert (speed.address, speed.type) == ("mine/belt/drive:Motor/Speed", "Double")
        Sparkplug.check(tag(0, speed.address))
        with pytest.raises(AdapterError, match="nothing at 'mine/none'"):
            await made.browse("mine/none")
    finally:
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        await made.close()
        for node in nodes:
            node.leave()


def test_what_browsing_keeps_is_bounded_and_rubbish_is_passed_over() -> None:
    found = Found()
    payload = Payload()
    for number in range(3000):
        add(payload, f"m{number}", "Int32", 1)
    data = payload.SerializeToString()
    for number in range(MAX_NODES + 500):
        found.hear(f"spBv1.0/g/NBIRTH/n{number}", data if number < 20 else b"\xff")
    assert len(found.asked) == MAX_NODES
    assert sum(map(len, found.metrics.values())) == MAX_METRICS
    assert found.hear("spBv1.0/g/NCMD/x", b"") is None and found.hear("", b"") is None


def test_who_looks_around_in_a_sites_connection_is_not_its_host() -> None:
    """On leaving it would say that the host is down, and the nodes would leave it."""
    found = {"host": "127.0.0.1", "client_id": "gateway-1", "host_id": "mine-host"}
    connection = Connection("spb", "edge1", "sparkplug", found, {})
    assert not of_connection(connection).build().settings.host_id
