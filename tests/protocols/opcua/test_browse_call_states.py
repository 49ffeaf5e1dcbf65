"""Looking around, calling methods, and reading states of companion specifications."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator

import pytest
from asyncua import ua

from gateway.onboarding.walk import draft, walk
from models.quality import Quality
from protocols.adapter import AdapterError, LinkLost, Tag, WriteRefused
from protocols.opcua import OpcUa
from protocols.opcua.address import OPC_NAMESPACE
from protocols.opcua.states import dictionaries
from tests.protocols.opcua.machine import Machine, tag
from tests.protocols.opcua.server import NAMESPACE, VARIABLES
from tests.protocols.opcua.test_subscribe import running


@pytest.fixture
async def adapter(machine: Machine) -> AsyncIterator[OpcUa]:
    made = machine.adapter()
    await made.connect()
    yield made
    await made.close()


async def test_a_draft_has_every_value_and_method_with_the_unit_that_the_server_says(adapter: OpcUa) -> None:
    steps = await walk(adapter, "", 6)
    rows = {row["name_en"]: row for row in draft(steps, "machine", "m_1", "fast")}
    assert set(VARIABLES) <= set(rows)
    speed = {name: rows["Speed"][name] for name in ("equipment", "point", "group", "address", "unit")}
    assert speed == {
        "equipment": "m_1",
        "point": "speed",
        "group": "fast",
        "address": tag(0, "Speed").address,
        "unit": "m/min",
    }
    assert rows["Start"]["address"] == f"call:nsu={NAMESPACE};s=Machine|nsu={NAMESPACE};s=Start"
    for row in rows.values():
        OpcUa.check(Tag(0, "p", row["address"], row["type"]))
    found = {node.name: node for node in await adapter.browse("Machine")}
    assert (found["Speed"].low, found["Speed"].high, found["Speed"].unit) == (0, 12.5, "m/min")
    assert found["Speed"].writable and not found["Locked"].writable and math.isnan(found["Count"].low)
    assert found["Start"].type == "Method"


def called(method: str, owner: str = "Machine", kind: str = "") -> Tag:
    return Tag(0, "p", f"call:nsu={NAMESPACE};s={owner}|nsu={NAMESPACE};s={method}", kind)


async def test_a_method_is_called_once_by_writing_with_the_type_that_it_says(adapter: OpcUa, machine: Machine) -> None:
    OpcUa.check(called("Start"))
    await adapter.write(called("Start"), 1.0)
    await adapter.write(called("SetLimit"), 42.0)
    assert await machine.order(called=1) == ["start", 42]
    for refused, value, words in (
        (called("SetLimit"), 200.0, "BadOutOfRange"),
        (called("SetLimit"), -1.0, "answered false"),
        (called("Nothing"), 1.0, "Bad"),
        (called("Speed"), 1.0, "Bad"),
    ):
        with pytest.raises(WriteRefused, match=words):
            await adapter.write(refused, value)
    before = await machine.order(called=1)
    for wrong, value, words in (
        (called("Start"), 0.0, "write 1"),
        (called("SetLimit"), 40_000.0, "int16 goes from"),
        (called("SetLimit"), 1.5, "whole number"),
        (called("SetBoth"), 1.0, "2 arguments"),
    ):
        with pytest.raises(AdapterError, match=words) as refusal:
            await adapter.write(wrong, value)
        assert not isinstance(refusal.value, LinkLost)
    assert await machine.order(called=1) == before, "what cannot be right does not reach the server"
    reading = await adapter.read(adapter.plan([tag(1, "Speed"), called("Start")]))
    assert dict(zip(reading.index.tolist(), reading.quality.tolist(), strict=True)) == {1: 192, 0: 4}
    assert "called when the point is written" in reading.reasons[0]
    await adapter.write(called("SetLimit"), 43.0)
    reading = await adapter.read(adapter.plan([called("SetLimit"), tag(1, "Speed")]))
    rows = dict(zip(reading.index.tolist(), reading.value.tolist(), strict=True))
    assert rows[0] == 43 and not reading.reasons, "read back, a method is what the server took it with"
    with pytest.raises(WriteRefused):
        await adapter.write(called("SetLimit"), 200.0)
    assert (await adapter.read(adapter.plan([called("SetLimit")]))).quality.tolist() == [4]


@pytest.mark.parametrize("wrong", ["call:", "call:i=1", "call:i=1|", "call:ns=1;s=a|i=2", "call:i=85|nsu=urn:x"])
def test_a_wrong_call_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"must be|no identifier|index"):
        OpcUa.check(Tag(0, "p", wrong))


async def test_a_state_is_a_number_by_its_name_or_its_node(machine: Machine) -> None:
    item_state = {"states": "machinery_item_state"}
    tags = [
        Tag(0, "p", tag(0, "State").address, options=item_state),
        Tag(1, "p", tag(0, "StateId").address, options=item_state),
        Tag(2, "p", tag(0, "Count").address, options={"states": "mining_afc_state"}),
        Tag(3, "p", tag(0, "Word").address, options={"states": "mining_belt_state"}),
        Tag(4, "p", tag(0, "Start", "").address),
    ]
    async with running(machine, tags) as run:
        await machine.set(Count=3, Word="Alert Signal")
        await run.until(lambda: all(run.rows(i) for i in range(5)) and run.rows(3)[-1] == (5.0, 192))
        assert run.rows(0)[-1] == (3.0, 192) and run.rows(1)[-1] == (1.0, 192)
        await run.until(lambda: run.rows(2)[-1] == (3.0, 192))
        await machine.set(Count=9, Word="Flying")
        await run.until(lambda: run.rows(2)[-1][1] == Quality.BAD and run.rows(3)[-1][1] == Quality.BAD)
        reading, _ = run.last(3)
        assert "'Flying' is no state of mining_belt_state, which has Booting" in reading.reasons[3]


def test_the_dictionaries_know_their_states_by_every_form() -> None:
    spaces = [OPC_NAMESPACE, "urn:x", "http://opcfoundation.org/UA/Machinery/"]
    item = dictionaries()["machinery_item_state"]
    for held in (ua.LocalizedText("NotExecuting", "en"), "not executing", "未执行", ua.NodeId(5007, 2), 2):
        assert item.number(held, spaces) == 2
    for held in (ua.NodeId(5007, 1), ua.NodeId("5007", 2), ua.NodeId(5007, 9), None, "", 4, 2.0, True, [2]):
        with pytest.raises(ValueError, match="is no state"):
            item.number(held, spaces)
    assert dictionaries()["machinery_operation_mode"].number("None", spaces) == 0
    with pytest.raises(ValueError, match="there are the states"):
        OpcUa.check(Tag(0, "p", "i=2258", options={"states": "else"}))
    for states in dictionaries().values():
        assert len(states.names) == len(set(states.by_name.values())), states.key
