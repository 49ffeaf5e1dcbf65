"""What a probe says of every kind of door: refusal, silence and another protocol told apart, and nothing written."""

import asyncio
import json
import random
import socket

import pytest
from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway.onboarding.probe import Options, probe
from gateway.onboarding.target import of_url
from protocols.opcua.trust import fingerprint
from tests.onboarding.command import device, sevenones
from tests.ports import free_port
from tests.protocols.modbus.test_stacks import cable
from tests.protocols.mqtt.broker import PASSWORD, USER, Broker
from tests.protocols.opcua.machine import Machine

QUICK = Options(units=(1, 2, 3), timeout_s=0.5, pause_s=0.0, rounds=5)


def said(report):
    return "\n".join(f"{one.level}: {one.en}" for one in report.findings)


def facts(report):
    return {key: value for one in report.findings for key, value in one.facts.items()}


class Talker:
    """A server of the test's own that answers everything with the same bytes, or never, or hangs up."""

    def __init__(self, answer: bytes | None):
        self.answer = answer
        self.port = free_port()

    async def __aenter__(self):
        async def serve(reader, writer):
            await reader.read(1024)
            if self.answer is None:
                await reader.read(1024)
            writer.write(self.answer or b"")
            writer.close()

        self.server = await asyncio.start_server(serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_):
        self.server.close()


@pytest.fixture
async def plc():
    """Units 1 and 3 behind one address; blocks of at most 40 registers."""
    found = device({1: {"hr": {100: bytes(2 * 100)}, "co": {0: bytes(5)}}, 3: {"hr": {0: bytes(20)}}})
    for unit in found.units.values():
        unit.most_registers = 40
    asked = []
    respond = found.respond

    def recorded(unit, function, body):
        asked.append(function)
        return respond(unit, function, body)

    found.respond = recorded
    found.asked = asked
    await found.start()
    yield found
    await found.close()


async def test_a_modbus_device_is_described_and_never_written(plc):
    report = await probe(of_url(f"modbus://127.0.0.1:{plc.port}/1"), QUICK)
    assert report.answers, said(report)
    found = facts(report)
    assert found["units"] == [1, 3] and found["absent"] == [2]
    assert found["largest"] == 40 and found["limit"] == 3
    assert "max_registers: 40" in said(report)
    assert 0 < found["round_trip_ms"][0] <= found["round_trip_ms"][1] <= found["round_trip_ms"][2]
    assert "function 3 (holding registers): has hr:100" in said(report)
    assert "function 1 (coils): has co:0" in said(report)
    assert set(plc.asked) <= {1, 2, 3, 4, 43}, "a probe only reads"


async def test_requests_come_one_after_the_other_with_their_pause(plc):
    loop = asyncio.get_running_loop()
    started = loop.time()
    options = Options(units=(1, 2, 3), timeout_s=0.5, pause_s=0.02, rounds=5)
    await probe(of_url(f"modbus://127.0.0.1:{plc.port}/1"), options)
    assert loop.time() - started >= 0.02 * (len(plc.asked) - 1)
    assert len(plc.asked) < 60


async def test_the_end_of_the_memory_is_not_taken_for_a_limit_of_blocks(plc):
    report = await probe(of_url(f"modbus://127.0.0.1:{plc.port}/3"), QUICK)
    assert facts(report)["contiguous"] == 10 and "max_registers" not in said(report)


async def test_a_gateway_without_the_unit_is_not_a_silent_device(plc):
    report = await probe(of_url(f"modbus://127.0.0.1:{plc.port}/7"), Options(units=(8,), timeout_s=0.5, pause_s=0))
    assert not report.answers and "a gateway answers, but has none of the units 7–8" in said(report)


async def test_serial_frames_over_tcp_are_recognised():
    """pymodbus' own server with its RTU framer: another stack than ours is on the other end."""
    values = SimDevice(id=1, simdata=[SimData(0, count=50, values=7, datatype=DataType.REGISTERS)])
    port = free_port()
    server = ModbusTcpServer(values, framer=FramerType.RTU, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        options = Options(units=(1,), timeout_s=0.5, pause_s=0.0, rounds=3)
        report = await probe(of_url(f"modbus://127.0.0.1:{port}/1"), options)
    finally:
        await server.shutdown()
    assert "RTU over TCP" in said(report) and report.answers, said(report)
    assert facts(report)["units"] == [1]


async def test_a_serial_line_tells_its_units():
    """pymodbus' own server at the other end of a serial line."""
    async with cable() as (here, far):
        held = SimDevice(id=5, simdata=[SimData(0, count=20, values=1234, datatype=DataType.REGISTERS)])
        server = ModbusSerialServer(held, framer=FramerType.RTU, port=far, baudrate=115200)
        await server.serve_forever(background=True)
        try:
            url = f"modbus://{here}?baud=115200&unit=5"
            report = await probe(of_url(url), Options(units=(), timeout_s=0.6, pause_s=0, rounds=3))
            assert report.answers and facts(report)["units"] == [5], said(report)
            assert len(facts(report)["round_trip_ms"]) == 3
            done = await sevenones("read", url, "hr:3", "--count", "1")
            assert done.code == 0 and "1234*" in done.out, done
        finally:
            await server.shutdown()
    async with cable() as (here, _):
        report = await probe(of_url(f"modbus://{here}?unit=4"), Options(units=(6,), timeout_s=0.3, pause_s=0))
        assert not report.answers and facts(report)["kind"] == "silent" and "wiring" in said(report)
    gone = await probe(of_url("modbus:///dev/no-such-port?unit=1"), QUICK)
    assert not gone.answers and facts(gone)["kind"] == "port"


@pytest.mark.parametrize("scheme", ["modbus", "opc.tcp", "mqtt"])
async def test_nothing_listens(scheme):
    report = await probe(of_url(f"{scheme}://127.0.0.1:{free_port()}"), QUICK)
    assert not report.answers and facts(report)["kind"] == "refused"


@pytest.mark.parametrize("scheme", ["modbus", "opc.tcp", "mqtt"])
async def test_nobody_is_there(scheme):
    """A listener whose queue is full: the kernel drops what comes, as a firewall does."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = []
        for _ in range(3):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(address)
            waiting.append(one)
        await asyncio.sleep(0.1)
        report = await probe(of_url(f"{scheme}://127.0.0.1:{address[1]}"), QUICK)
        for one in waiting:
            one.close()
    assert not report.answers and facts(report)["kind"] == "timeout"


@pytest.mark.parametrize("scheme", ["modbus", "opc.tcp", "mqtt"])
@pytest.mark.parametrize(
    ("answer", "kind", "who"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "foreign", "HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "foreign", "SSH"),
        (b"\x99" * 40, "foreign", "unknown"),
        (None, "silent", ""),
    ],
)
async def test_another_protocol_or_none_is_told_apart(scheme, answer, kind, who):
    async with Talker(answer) as other:
        options = Options(units=(), timeout_s=0.3, pause_s=0, rounds=3)
        report = await probe(of_url(f"{scheme}://127.0.0.1:{other.port}"), options)
    assert not report.answers, said(report)
    assert facts(report)["kind"] == kind and who in said(report)


@pytest.mark.parametrize("scheme", ["modbus", "opc.tcp", "mqtt"])
async def test_a_name_that_is_none(scheme):
    report = await probe(of_url(f"{scheme}://no-such-host.invalid"), QUICK)
    assert not report.answers and facts(report)["kind"] in ("name", "timeout", "unreachable")


async def test_an_opcua_server_shows_its_doors_and_its_certificate(machine: Machine):
    report = await probe(of_url(machine.settings()["url"]), QUICK)
    assert report.answers, said(report)
    assert "endpoint Basic256Sha256/SignAndEncrypt" in said(report) and "user and password" in said(report)
    shown = fingerprint((machine.folder / "cert.der").read_bytes())
    assert facts(report)["sha256"] == shown and shown in said(report), "it can be compared with what refuses it"
    assert len(facts(report)["thumbprint"]) == 40 and "round trip" in said(report)


async def test_a_broker_tells_its_versions_and_whether_it_wants_a_user(tmp_path):
    broker = Broker(tmp_path / "broker")
    broker.start()
    try:
        anonymous = await probe(of_url(f"mqtt://127.0.0.1:{broker.port}"), QUICK)
        assert anonymous.answers and said(anonymous).count("it wants a user") == 2
        known = await probe(of_url(f"mqtt://{USER}@127.0.0.1:{broker.port}", PASSWORD), QUICK)
        assert "MQTT 3.1.1: lets the user gateway in" in said(known) and "MQTT 5: lets" in said(known)
        wrong = await probe(of_url(f"mqtt://{USER}@127.0.0.1:{broker.port}", "wrong"), QUICK)
        assert "not authorised" in said(wrong) or "are wrong" in said(wrong)
        assert PASSWORD not in said(known)
    finally:
        broker.stop()


@pytest.mark.parametrize("scheme", ["modbus", "opc.tcp", "mqtt"])
async def test_rubbish_of_any_kind_ends_in_a_report(scheme):
    """Answers that are cut, too long, foreign or nearly right: no exception, no stall, and none is taken for data."""
    noise = random.Random(7)
    beginnings = [b"", b"\0\1\0\0\0\5\1\3\2", b"\0\1\0\0\0\3\1\x83", b"ACKF", b"\x20\2\0", b"\x20\3\0\0", b"ERRF"]
    for turn in range(49):
        answer = beginnings[turn % len(beginnings)] + noise.randbytes(noise.randint(0, 40))
        async with Talker(answer) as other:
            options = Options(units=(), timeout_s=0.2, pause_s=0, rounds=2)
            report = await asyncio.wait_for(probe(of_url(f"{scheme}://127.0.0.1:{other.port}"), options), 30)
        assert report.findings, answer


async def test_the_command_prints_both_languages_and_json_and_its_code_tells(plc):
    url = f"modbus://127.0.0.1:{plc.port}/1"
    done = await sevenones("probe", url, "--units", "1-3", "--timeout", "0.5", "--pause", "0")
    assert done.code == 0 and "应答的站号：1, 3" in done.out and "units that answer: 1, 3" in done.out
    machine_read = await sevenones("probe", url, "--units", "1", "--pause", "0", "--json")
    assert {"level", "zh", "en", "facts"} <= set(json.loads(machine_read.out)["findings"][0])
    gone = await sevenones("probe", f"modbus://127.0.0.1:{free_port()}", "--units", "1")
    assert gone.code == 1 and "refuses the connection" in gone.out
    assert (await sevenones("probe", url, "--units", "300")).code == 1


@pytest.mark.parametrize("units", ["5-2", "256", "abc", "1-300"])
async def test_unit_ids_that_are_none_are_refused(plc, units):
    done = await sevenones("probe", f"modbus://127.0.0.1:{plc.port}/1", "--units", units)
    assert done.code == 1 and "is not a unit id or a range of them" in done.err
