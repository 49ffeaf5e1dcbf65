"""`sevenones read` and `learn-order` on devices of the test: Modbus, OPC UA and MQTT over real sockets."""

import asyncio
import json

import pytest

from tests.onboarding.command import device, process, registers, sevenones
from tests.protocols.mqtt.broker import PASSWORD, USER, Broker, Publisher
from tests.protocols.opcua.machine import Machine
from tests.protocols.opcua.server import PASSWORD as OPCUA_PASSWORD
from tests.protocols.opcua.server import USER as OPCUA_USER

NAMED = "主井皮带".encode("gbk")


@pytest.fixture
async def belt():
    """A float with its words reversed at 100, a scaled integer at 102, a name at 105; 110 is not there."""
    held = {
        100: registers(123.4, "float32", "cdab"),
        102: registers(-567, "int16", "abcd"),
        105: NAMED,
        118: b"\0\0",
    }
    found = device({1: {"hr": held, "co": {0: b"\1\0\1"}}}, holes=range(110, 112))
    await found.start()
    yield f"modbus://127.0.0.1:{found.port}/1", found
    await found.close()


async def test_read_shows_all_meanings_and_marks_the_sensible_one(belt):
    url, _ = belt
    done = await process("read", url, "hr:100")
    assert done.code == 0
    assert "CCCD 42F6 FDC9 0000" in done.out
    line = next(line for line in done.out.splitlines() if line.startswith("float32"))
    assert "123.4*" in line and line.count("*") == 1
    only = await sevenones("read", url, "hr:105", "--count", "4", "--as", "gbk")
    assert "'主井皮带'*" in only.out and "int16" not in only.out


async def test_read_shows_what_is_there_of_a_stretch_with_a_hole(belt):
    url, _ = belt
    done = await sevenones("read", url, "hr:105", "--count", "8")
    assert done.code == 0
    assert "D6F7 BEAE C6A4 B4F8 0000" in done.out and "not read: hr:110" in done.out
    nothing = await sevenones("read", url, "hr:110", "--count", "1")
    assert nothing.code == 1 and "no such address" in nothing.out


async def test_read_of_single_bits(belt):
    url, _ = belt
    done = await sevenones("read", url, "co:0", "--count", "3")
    assert done.code == 0 and "01 00 01" in done.out


async def test_learn_order_says_what_to_write(belt):
    url, _ = belt
    done = await sevenones("learn-order", url, "hr:100", "--value", "123.4")
    assert done.code == 0 and "hr:100,float32,cdab," in done.out and "--among" not in done.out
    manual = await sevenones("learn-order", url, "40101", "--value", "123.4")
    assert manual.code == 0 and "40101,float32,cdab," in manual.out
    scaled = await sevenones("learn-order", url, "hr:102", "--value", "-56.7")
    assert scaled.code == 0 and "hr:102,int16,abcd,0.1" in scaled.out


async def test_learn_order_finds_an_address_counted_from_one(belt):
    url, found = belt
    done = await sevenones("learn-order", url, "hr:99", "--value", "123.4")
    assert done.code == 1
    assert "no such address" in done.err
    await found.close()
    found.units = device({1: {"hr": {99: bytes(2), 100: registers(123.4, "float32", "cdab")}}}).units
    await found.start()
    done = await sevenones("learn-order", url, "hr:99", "--value", "123.4")
    assert done.code == 1
    assert "nothing at hr:99" in done.out and "hr:100 shows 123.4 as float32/cdab" in done.out


async def test_half_a_float_and_half_of_its_neighbour_look_like_the_value_and_learn_order_warns(belt):
    url, _ = belt
    done = await sevenones("learn-order", url, "hr:101", "--value", "123.4")
    assert done.code == 0 and "hr:101,float32,abcd," in done.out
    assert "beware: hr:100 as float32/cdab shows 123.4" in done.out


async def test_what_cannot_be_asked_is_said_in_one_line(belt, tmp_path):
    url, found = belt
    for words, said in (
        (("read", url, "hr100"), "is not a Modbus address"),
        (("read", url.replace("modbus", "modbuss"), "hr:1"), "no protocol 'modbuss'"),
        (("read", url.replace("//", "//user:secret@"), "hr:1"), "leave it out"),
        (("read", url + "?timeout_s=never", "hr:1"), "timeout_s"),
        (("read", "belt_plc", "hr:1"), "--site"),
        (("read", "belt_plc", "hr:1", "--site", tmp_path), "connections.yaml"),
        (("read", url, "hr:100", "--as", "float16"), "no type 'float16'"),
        (("learn-order", url, "hr:100", "--value", "high"), "not a number"),
        (("learn-order", url, "hr:100", "--value", "0"), "zeros look the same"),
    ):
        done = await sevenones(*words)
        assert done.code == 1 and said in done.err + done.out, (words, done)
        assert "secret" not in done.err + done.out
    await found.close()
    gone = await process("read", url, "hr:100")
    assert gone.code == 1 and "refused" in gone.err


async def test_a_connection_of_a_half_made_site_is_enough(belt, tmp_path):
    _, found = belt
    (tmp_path / "connections.yaml").write_text(
        "connections:\n"
        f"  plc: {{gateway: edge1, adapter: modbus, settings: {{host: 127.0.0.1, port: {found.port}}}}}\n"
        "  other: {gateway: edge1, adapter: opcua, settings: {url: nonsense}}\n"
    )
    done = await sevenones("read", "plc", "hr:100", "--site", tmp_path)
    assert done.code == 0 and "123.4*" in done.out
    wrong = await sevenones("read", "plcc", "hr:100", "--site", tmp_path)
    assert wrong.code == 1 and "did you mean 'plc'" in wrong.err


async def test_read_of_an_opcua_node(machine: Machine, tmp_path):
    await machine.set(Speed=3.25)
    settings = {**machine.settings(), "certificate_dir": str(tmp_path / "pki")}
    entry = {"gateway": "edge1", "adapter": "opcua", "settings": settings}
    (tmp_path / "connections.yaml").write_text(json.dumps({"connections": {"machine": entry}}))
    done = await sevenones("read", "machine", "nsu=urn:test:machine;s=Speed", "--site", tmp_path)
    assert done.code == 0 and "3.25" in done.out and "source time" in done.out, done
    await machine.set(Speed=12345678.25, Count=12345678)
    done = await sevenones("read", "machine", "nsu=urn:test:machine;s=Speed", "--site", tmp_path)
    assert "12345678.25" in done.out, "all the digits that the device gave"
    done = await sevenones("read", "machine", "nsu=urn:test:machine;s=Count", "--site", tmp_path)
    assert "12345678\n" in done.out


async def test_a_password_is_not_sent_in_the_clear_unless_that_was_said(machine: Machine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    await machine.set(Speed=3.25)
    url = f"opc.tcp://{OPCUA_USER}@127.0.0.1:{machine.port}/test"
    words, secret = ("nsu=urn:test:machine;s=Speed",), {"SEVENONES_DEVICE_PASSWORD": OPCUA_PASSWORD}
    refused = await sevenones("read", url, *words, environment=secret)
    assert refused.code == 1 and "in the clear: add ?security=basic256sha256" in refused.err
    done = await sevenones("read", f"{url}?security=basic256sha256", *words, environment=secret)
    assert done.code == 0 and "3.25" in done.out, done


async def test_read_of_an_mqtt_path_leaves_the_gateways_session_alone(tmp_path):
    broker = Broker(tmp_path / "broker")
    broker.start()
    try:
        publisher = await asyncio.to_thread(Publisher, broker.port)
        await publisher.publish("mine/pump/state", {"level": 2.5}, retain=True)
        url = f"mqtt://{USER}@127.0.0.1:{broker.port}"
        words = ("read", url, "mine/pump/state#level")
        done = await sevenones(*words, environment={"SEVENONES_DEVICE_PASSWORD": PASSWORD})
        assert done.code == 0 and "2.5" in done.out, done
        refused = await sevenones(*words, environment={"SEVENONES_DEVICE_PASSWORD": "wrong"})
        assert refused.code == 1 and "refused the user" in refused.err
        publisher.close()
    finally:
        broker.stop()


async def test_what_is_said_of_an_address_is_printed_as_it_is(belt):
    """`:100:` is the name of an emoji for some terminals' libraries."""
    url, _ = belt
    away = await sevenones("read", url.removesuffix("1") + "9", "hr:100")
    assert away.code == 1 and "not read: hr:100: unit 9" in away.out


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
async def test_learn_order_wants_a_finite_value(belt, value):
    done = await sevenones("learn-order", belt[0], "hr:100", "--value", value)
    assert done.code == 1 and "is not a finite number" in done.err
