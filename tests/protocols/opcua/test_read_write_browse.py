"""Addresses; reading, writing and looking around."""

from __future__ import annotations

import math
import uuid
from typing import Any

import numpy as np
import pytest
from asyncua import ua

from models.quality import Quality
from protocols.adapter import AdapterError, LinkLost, WriteRefused
from protocols.opcua.address import OPC_NAMESPACE, UnknownNamespaceError, format_address, parse_address
from protocols.opcua.status import qualities, quality_of
from tests.protocols.opcua.machine import Machine, item, tag

SPACES = [OPC_NAMESPACE, "urn:own", "urn:a;b%c"]


@pytest.mark.parametrize(
    ("address", "index", "identifier"),
    [
        ("nsu=urn:own;s=Shearer.Speed", 1, "Shearer.Speed"),
        ("nsu=urn:own;s=a=b;c", 1, "a=b;c"),
        ("nsu=urn:a%3Bb%25c;i=7", 2, 7),
        ("i=2258", 0, 2258),
        ("nsu=urn:own;b=AQID", 1, b"\x01\x02\x03"),
        ("nsu=urn:own;g=72962b91-fa75-4ae6-8d28-b404dc7daf63", 1, uuid.UUID("72962b91-fa75-4ae6-8d28-b404dc7daf63")),
    ],
)
def test_addresses_name_the_namespace_by_uri(address: str, index: int, identifier: Any) -> None:
    node = parse_address(address).node_id(SPACES)
    assert (node.NamespaceIndex, node.Identifier) == (index, identifier)
    assert format_address(node, SPACES) == address
    if index:
        with pytest.raises(UnknownNamespaceError, match="urn:other"):
            parse_address(address).node_id([OPC_NAMESPACE, "urn:other"])


def test_an_index_is_refused_with_the_way_out() -> None:
    with pytest.raises(ValueError, match="nsu=<URI>"):
        parse_address("ns=2;s=Speed")


def test_every_status_code_keeps_its_severity() -> None:
    codes = {name: code for name, code in vars(ua.StatusCodes).items() if isinstance(code, int)}
    assert len(codes) > 200
    for name, code in codes.items():
        quality = quality_of(code)
        assert (quality >= 192) == name.startswith("Good"), name
        assert (64 <= quality < 128) == name.startswith("Uncertain"), name
        assert (quality < 64) == name.startswith("Bad"), name
    many = np.array(list(codes.values()) * 3, np.uint32)
    assert qualities(many).tolist() == [quality_of(int(code)) for code in many]
    assert [quality_of(code) for code in (0x0500, 0x0600, 0x0700, 0x0100)] == [193, 194, 195, 192]


async def test_reading_in_several_requests_with_one_row_a_tag() -> None:
    machine = Machine(items=50)
    await machine.start()
    adapter = machine.adapter(max_items_per_call=7)
    try:
        await adapter.connect()
        tags = [item(49 - number, number) for number in range(50)]
        tags[10] = tag(39, "Nothing")
        tags[20] = tag(29, "Speed", namespace="urn:else")
        await machine.set(**{f"Item{number}": number for number in range(50)})
        plan = adapter.plan(tags)
        for _ in range(2):
            reading = await adapter.read(plan)
            assert sorted(reading.index.tolist()) == list(range(50))
            rows = dict(zip(reading.index.tolist(), reading.value.tolist(), strict=True))
            assert {49 - index: value for index, value in rows.items() if index not in (39, 29)} == {
                number: float(number) for number in range(50) if number not in (10, 20)
            }
            assert set(reading.reasons) == {39, 29} and "urn:else" in reading.reasons[29]
            bad = reading.quality[np.isin(reading.index, [39, 29])]
            assert bad.tolist() == [Quality.BAD_CONFIGURATION] * 2
        await machine.stop()
        with pytest.raises(LinkLost):
            while True:
                await adapter.read(plan)
    finally:
        await adapter.close()
        await machine.stop()


async def test_reading_a_frozen_server_is_lost(machine: Machine) -> None:
    adapter = machine.adapter()
    await adapter.connect()
    machine.freeze()
    with pytest.raises(LinkLost, match=r"within 1 s|is lost"):
        await adapter.read(adapter.plan([tag(0, "Speed")]))
    await adapter.close()


async def test_writing_as_the_nodes_own_type(machine: Machine) -> None:
    adapter = machine.adapter()
    await adapter.connect()
    try:
        for name, value in (("Speed", 1.5), ("Count", -3.0), ("Level", 0.25), ("Running", 1.0), ("Word", "on")):
            await adapter.write(tag(0, name), value)
            found = await machine.order(get=name)
            assert found == (1 if name == "Running" else value), name
        await adapter.write(tag(0, "Count", "int32"), 8.0)
        assert await machine.order(get="Count") == 8
        for name, wrong in (
            ("Count", 1.5),
            ("Count", 2.0**31),
            ("Count", math.nan),
            ("Running", 2.0),
            ("Table", 1.0),
            ("Level", 1e39),
            ("Speed", math.inf),
        ):
            with pytest.raises(AdapterError, match="cannot be written") as refused:
                await adapter.write(tag(0, name), wrong)
            assert not isinstance(refused.value, LinkLost)
        for refusing in (
            tag(0, "Locked"),
            tag(0, "Nothing"),
            tag(0, "Speed", namespace="urn:else"),
            tag(0, "Speed", "int16"),
        ):
            with pytest.raises(WriteRefused):
                await adapter.write(refusing, 1.0)
        assert await machine.order(get="Speed") == 1.5
    finally:
        await adapter.close()


async def test_browsing_down_to_a_value_that_can_be_read(machine: Machine) -> None:
    adapter = machine.adapter()
    await adapter.connect()
    try:
        top = {node.name: node for node in await adapter.browse()}
        assert top["Machine"].address == "" and top["Machine"].parent == ""
        below = {node.name: node for node in await adapter.browse("Machine")}
        assert below["Speed"].address == tag(0, "Speed").address
        assert (below["Speed"].type, below["Word"].type, below["Count"].type) == ("Double", "String", "Int32")
        assert below["Speed"].parent == "Machine" and "A/B" in below
    finally:
        await adapter.close()
    fresh = machine.adapter()
    await fresh.connect()
    try:
        assert await fresh.browse("Machine/Speed") == []
        assert await fresh.browse("Machine/A&/B") == []
        assert await fresh.browse(tag(0, "Speed").address) == []
        for nowhere in ("Machine/None", "Nothing", "nsu=urn:else;s=x"):
            with pytest.raises(AdapterError, match="nothing at"):
                await fresh.browse(nowhere)
    finally:
        await fresh.close()
