"""An engineer's questions over a real bus, to a gateway with a real Modbus device and a real OPC UA server."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import subjects
from bus.connection import NotPermitted
from gateway.clock import WallClock
from gateway.devices import Devices
from gateway.questions import Questions
from simulators.devices.modbus import Area, ModbusDevice, Unit
from tests.gateway.sites import CODE, Remembered, connection, point, site
from tests.protocols.opcua.conftest import machine
from tests.protocols.opcua.machine import Machine
from tests.servers import mine_bus

__all__ = ["machine"]


@pytest.fixture
async def device():
    area = Area(2, 20)
    area.write(0, bytes.fromhex("0005 41ac 0000"))
    device = ModbusDevice({1: Unit({"hr": area})})
    await device.start()
    yield device
    await device.close()


@pytest.fixture
async def rig(device):
    devices = Devices("edge1", WallClock(), Remembered())
    plc = connection("plc", "modbus", {"fast": 0.1}, host="127.0.0.1", port=device.port, timeout_s=2.0)
    await devices.apply(site([plc], [point("a", address="hr:0", type="uint16")]))
    async with asyncio.timeout(15):
        while next(iter(devices)).adapter is None:
            await asyncio.sleep(0.01)
    questions = Questions(devices)

    async def ask(name, device_, **more):
        data = json.dumps({"ask": name, "device": device_, **more}).encode()
        return json.loads(await questions.answer("x", data))

    ask.questions, ask.devices = questions, devices
    yield ask
    await devices.stop(5.0)


async def test_a_place_of_a_device_is_read_with_its_bytes_and_meanings_beside_the_polls(rig, device):
    links = len(device.links)
    seen = await rig("read", "plc", address="hr:0", count=3)
    assert seen["raw_hex"] == "000541ac0000" and seen["values"][0]["value"] == 5
    seen = await rig("read", "plc", address="hr:1", count=2)
    shown = {(one["type"], one["order"]): one["value"] for one in seen["meanings"]}
    assert shown["float32", "abcd"] == 21.5 and seen["texts"] and seen["bits"].startswith("0100 0001")
    assert len(device.links) == links == 1, "a device that takes one connection is asked over the one there is"
    apart = {"adapter": "modbus", "settings": {"host": "127.0.0.1", "port": device.port}}
    again = await rig("read", apart, address="hr:1", count=2)
    assert again["raw_hex"] == "41ac0000"
    async with asyncio.timeout(15):
        while len(device.links) != 1:  # what was opened for a question is closed after it
            await asyncio.sleep(0.01)
    missing = await rig("read", "plc", address="hr:19", count=4)
    assert missing["words"][0] == "0000" and missing["words"][1] is None and missing["values"][1]["reason"]


async def test_a_known_value_teaches_type_and_order(rig):
    found = await rig("learn", "plc", address="hr:1", count=2, value=21.5)
    assert found["fits"][0]["key"] == "float32/abcd" and found["advice"].keys() == {"zh", "en"}


async def test_connecting_says_how_long_it_took_or_why_not(rig, device):
    url = f"modbus://127.0.0.1:{device.port}/1"
    assert (await rig("connect", "plc")) == {
        "connected": True, "state": "up", "reason": "", "reason_words": {"zh": "", "en": ""}, "took_ms": None,
    }  # fmt: skip
    told = await rig("connect", url)
    assert told["connected"] and 0 < told["took_ms"] < 5000
    told = await rig("connect", "modbus://127.0.0.1:1/1")
    assert not told["connected"] and "refused" in told["reason"]
    words = told["reason_words"]
    assert "拒绝连接" in words["zh"] and "refused" not in words["zh"] and "refused" in words["en"]
    for url in ("fax://127.0.0.1", "modbus://", "modbus://127.0.0.1/x", "modbus://h:port", "opc.tcp://olga@127.0.0.1"):
        error = (await rig("connect", url))["error"]
        assert "请" in error["zh"] or "“" in error["zh"], error
        assert error["en"].isascii(), error


async def test_a_probe_finds_who_answers(rig, device):
    found = await rig("probe", f"modbus://127.0.0.1:{device.port}/1", units=[1, 2])
    assert found["answers"] and all(finding["zh"] and finding["en"] for finding in found["findings"])
    assert not (await rig("probe", "modbus://127.0.0.1:1/1"))["answers"]


async def test_an_opc_ua_server_is_browsed_and_drafted(rig, machine: Machine):
    device = {"adapter": "opcua", "settings": machine.settings()}
    listed = await rig("browse", device, depth=1)
    assert "Machine" in {node["name"] for node in listed["nodes"]} and not listed["more"]
    below = await rig("browse", device, below="Machine", depth=1, equipment="belt_1")
    assert "nsu=urn:test:machine;s=Speed" in {node["address"] for node in below["nodes"]}
    assert next(row for row in below["rows"] if row["point"] == "speed")["equipment"] == "belt_1"
    wrong = await rig("connect", {**device, "settings": {**machine.settings(), "password": "no secret"}})
    assert wrong["state"] == "sign-in refused" and "no secret" not in json.dumps(wrong)
    refused = await rig("browse", "plc")
    assert "probe and read" in refused["error"]["en"]


async def test_one_question_at_a_time_and_none_for_ever(rig, device):
    device.delay_s = 0.4
    first = asyncio.create_task(rig("read", "plc", address="hr:0"))
    await asyncio.sleep(0.05)
    assert "another question" in (await rig("read", "plc", address="hr:0"))["error"]["en"]
    assert (await first)["raw_hex"]
    device.delay_s = 0.0
    longest, rig.questions._longest_s = rig.questions._longest_s, 0.3
    device.fault = "hang"
    slow = {"adapter": "modbus", "settings": {"host": "127.0.0.1", "port": device.port, "timeout_s": 5}}
    assert "no end within 0.3 s" in (await rig("read", slow, address="hr:0"))["error"]["en"]
    device.fault, rig.questions._longest_s = None, longest
    assert (await rig("connect", f"modbus://127.0.0.1:{device.port}"))["connected"], "the next one is answered"


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"ask": "write"}, "no question 'write'"),
        ({"ask": "read", "device": "nothing", "address": "hr:0"}, "no connection 'nothing'"),
        ({"ask": "read", "device": 5}, "'device' is a URL"),
        ({"ask": "read", "device": "plc"}, "'address' is not a text"),
        ({"ask": "read", "device": "plc", "address": "xx:0"}, "not a Modbus address"),
        ({"ask": "read", "device": "plc", "address": "hr:0", "count": 5000}, "from 1 to 125"),
        ({"ask": "read", "device": {"adapter": "fax", "settings": {}}, "address": "a"}, "fax"),
        ({"ask": "read", "device": {"adapter": "modbus", "settings": {"hast": 1}}, "address": "a"}, "hast"),
        ({"ask": "learn", "device": "plc", "address": "hr:0", "value": "x"}, "'value' is the number"),
        ({"ask": "probe", "device": "modbus://127.0.0.1:1", "units": [999]}, "'units' is a list"),
        ({"ask": "connect", "device": "modbus://user:pw@127.0.0.1"}, "password in a URL"),
    ],
)
async def test_what_cannot_be_asked_is_refused_in_plain_words(rig, question, words):
    answer = json.loads(await rig.questions.answer("x", json.dumps(question).encode()))
    assert words in answer["error"]["en"], answer


async def test_a_serial_line_in_use_is_not_opened_a_second_time():
    spec = connection("bus1", "modbus", {}, transport="serial", port="/dev/ttyS9")

    class Running:
        def __init__(self):
            self.spec, self.adapter = spec, None

    questions = Questions([Running()])
    by_hand = {"adapter": "modbus", "settings": {"transport": "serial", "port": "/dev/ttyS9"}}
    for device in (by_hand, "modbus:///dev/ttyS9?baud=9600&unit=3"):
        question = {"ask": "connect", "device": device}
        answer = json.loads(await questions.answer("x", json.dumps(question).encode()))
        assert "in use by the connection 'bus1'" in answer["error"]["en"], answer


@given(st.binary(max_size=200) | st.dictionaries(
    st.sampled_from(["ask", "device", "address", "count", "value", "depth"]),
    st.sampled_from(["read", "learn", "connect", "", "x" * 300, 3, -1, None, [], {}, {"adapter": "modbus"}, True]),
).map(lambda found: json.dumps(found).encode()))  # fmt: skip
def test_rubbish_is_answered_with_an_error(data):
    answer = json.loads(asyncio.run(Questions([]).answer("x", data)))
    assert answer["error"]["en"]


async def test_only_an_engineer_asks_over_the_bus(rig, tmp_path):
    where = subjects.question(CODE, "edge1")
    question = json.dumps({"ask": "read", "device": "plc", "address": "hr:0"}).encode()
    async with (
        mine_bus(tmp_path, CODE) as server,
        await server.connect("gateway-edge1") as gateway,
        await server.connect("engineer") as engineer,
    ):
        await gateway.answer(where, rig.questions.answer, at_once=2)
        assert json.loads(await engineer.request(where, question, 10.0))["raw_hex"].startswith("0005")
        for process in ("cli", "operator", "store"):
            async with await server.connect(process) as other:
                with pytest.raises(NotPermitted):
                    await other.request(where, question, 2.0)
