"""The Modbus device of a connection against the real adapter: values, commands, units, faults."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from models.site.model import Connection, Group, Kind, Point
from protocols.adapter import AdapterError, Supports, Tag, WriteRefused
from simulators.devices.device import DeviceError
from simulators.devices.modbus_points import Line, ModbusPoints
from tests.ports import free_port
from tests.protocols.session import Session
from tests.simulators.points import CODE, connection, point
from tests.simulators.reading import adapter, noticed, recovers, show, tags, until

TRANSPORTS = ["tcp", "rtu-over-tcp"]


def facts(port: int, transport: str = "tcp", **more: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "unit": 1, "timeout_s": 0.5, "transport": transport, **more}


@asynccontextmanager
async def served(of: Connection, points: list[Point], *values: float) -> AsyncIterator[ModbusPoints]:
    device = ModbusPoints(of, points)
    await show(device, *values)
    await device.start()
    try:
        yield device
    finally:
        await device.close()


WRITABLE = [
    point("speed_set", "hr:0", "float32", order="cdab", factor=0.5, writable=True),
    point("command", "hr:2", "uint16", kind=Kind.STATE, writable=True),
    point("lamp", "co:3", "", kind=Kind.STATE, writable=True, options={"active": "low"}),
    point("valves", "co:8[4]", "", kind=Kind.STATE, writable=True),
    point("start", "hr:5.3", "", kind=Kind.STATE, writable=True),
    point("running", "hr:5.0", "", kind=Kind.STATE),
    point("label", "hr:10[6]", "string", kind=Kind.TEXT, writable=True, options={"encoding": "gbk"}),
    point("flow", "hr:20", "uint32"),
    point("limit", "hr:22", "bcd32", writable=True),
]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_commands_of_every_function_come_in_the_points_unit_and_read_back(transport: str) -> None:
    """Functions 5, 6, 15, 16 and 22, as the adapter chooses them by the type."""
    of = connection("c1", "modbus", facts(free_port(), transport))
    taken: list[tuple[str, str, float | str]] = []
    async with served(of, WRITABLE, *[math.nan] * 5, 1, math.nan, 7, math.nan) as device:
        device.on_command = lambda *what: taken.append(what)
        client, places = adapter(of), tags(WRITABLE)
        await client.connect()
        try:
            plan = client.plan(places)
            assert (await client.read(plan)).value[:5].tolist() != []
            for row, raw in {0: 3.0, 1: 2.0, 2: 1.0, 3: 9.0, 4: 1.0, 6: "皮带", 8: 12345678.0}.items():
                await client.write(places[row], raw)
            reading = await client.read(plan)
            by_row = dict(zip(reading.index.tolist(), reading.value.tolist(), strict=True))
            assert [by_row[row] for row in (0, 1, 2, 3, 4, 5, 7, 8)] == [3.0, 2, 1, 9, 1, 1, 7, 12345678]
            assert reading.text is not None and "皮带" in reading.text.to_pylist()
            assert taken == [
                ("belt1", "speed_set", 1.5),
                ("belt1", "command", 2.0),
                ("belt1", "lamp", 1.0),
                ("belt1", "valves", 9.0),
                ("belt1", "start", 1.0),
                ("belt1", "label", "皮带"),
                ("belt1", "limit", 12345678.0),
            ]
            # The device keeps what nobody else gives a value to, and shows what somebody does.
            shown = await show(device, 2.5, *[math.nan] * 4, 1, math.nan, 8, math.nan)
            assert shown[[0, 1, 2, 3, 4, 7, 8]].tolist() == [2.5, 2, 1, 9, 1, 8, 12345678]
        finally:
            await client.close()


async def test_a_refused_command_changes_nothing_and_nothing_else_can_be_written() -> None:
    of = connection("c1", "modbus", facts(free_port()))
    asked: list[str] = []

    def refuse(equipment: str, key: str, value: float | str) -> str:
        asked.append(key)
        return "就地控制 · in local mode"

    async with served(of, WRITABLE, *[math.nan] * 5, 1, math.nan, 7, math.nan) as device:
        device.on_command = refuse
        client, places = adapter(of), tags(WRITABLE)
        await client.connect()
        try:
            plan = client.plan(places)
            before = (await client.read(plan)).value.tolist()
            for row in (0, 1, 2, 4):
                with pytest.raises(WriteRefused):
                    await client.write(places[row], 1.0)
            assert asked == ["speed_set", "command", "lamp", "start"]
            for row in (5, 7):  # not writable: the mine is not even asked
                with pytest.raises(WriteRefused):
                    await client.write(places[row], 0.0)
            with pytest.raises(AdapterError):  # a register between those in use
                await client.write(Tag(99, "x", "hr:7", "uint16"), 1.0)
            assert asked == ["speed_set", "command", "lamp", "start"]
            assert np.array_equal((await client.read(plan)).value, before, equal_nan=True)
        finally:
            await client.close()


async def test_a_whole_register_means_only_those_of_its_bits_that_change() -> None:
    bits = [point(f"b{n}", f"hr:0.{n}", "", kind=Kind.STATE, writable=n > 0) for n in range(3)]
    taken: list[tuple[str, str, float | str]] = []
    of = connection("c1", "modbus", facts(free_port()))
    async with served(of, bits, 1, 0, 0) as device:
        device.on_command = lambda *what: taken.append(what)
        assert device.server.respond(1, 6, b"\0\0\0\x05") == b"\x06\0\0\0\x05"
        assert taken == [("belt1", "b2", 1.0)]
        assert device.server.respond(1, 6, b"\0\0\0\x04") == b"\x86\x02", "b0 is not writable"
        assert device.server.respond(1, 22, b"\0\0\xff\xfb\0\0") == b"\x16\0\0\xff\xfb\0\0"
        assert taken[1:] == [("belt1", "b2", 0.0)]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_several_units_behind_one_address(transport: str) -> None:
    port, lines = free_port(), {}
    points = {n: [point(f"p{n}", f"hr:{n}", "uint16"), point(f"q{n}", "ir:0", "float32")] for n in (1, 2, 3)}
    of = {n: connection(f"c{n}", "modbus", facts(port, transport, unit=n)) for n in points}
    devices = {n: ModbusPoints(of[n], points[n], lines) for n in points}
    sessions = []
    try:
        for n, device in devices.items():
            await show(device, 10.0 * n, n + 0.5)
            await device.start()
        sessions = [Session(adapter(of[n]), tags(points[n]), Supports.READ) for n in points]
        for n, session in enumerate(sessions, 1):
            await session.__aenter__()
            await session.until_values({0: 10.0 * n, 1: n + 0.5}, 15)
        devices[2].fault("hang", 1)
        hung = sessions[1]
        await until(lambda: hung.lost is not None or not hung.latest[0].good, "the one that hangs is bad")
        for n in (1, 3):
            await show(devices[n], 11.0 * n, n + 0.25)
            await sessions[n - 1].until_values({0: 11.0 * n, 1: n + 0.25}, 15)
    finally:
        for session in sessions:
            await session.__aexit__(None)
        for device in devices.values():
            await device.close()


def test_two_connections_cannot_have_one_unit_nor_two_transports_one_address() -> None:
    lines: dict[tuple[str, int], Line] = {}
    points = [point("p", "hr:1", "uint16")]
    ModbusPoints(connection("c1", "modbus", facts(1502)), points, lines)
    with pytest.raises(DeviceError, match=r"connection 'c2': unit 1 at 127.0.0.1:1502 is also of c1"):
        ModbusPoints(connection("c2", "modbus", facts(1502)), points, lines)
    with pytest.raises(DeviceError, match="another transport"):
        ModbusPoints(connection("c3", "modbus", facts(1502, "rtu-over-tcp", unit=2)), points, lines)
    with pytest.raises(DeviceError, match="serial line"):
        ModbusPoints(connection("c4", "modbus", {"transport": "serial", "port": "/dev/ttyS0"}), points)


ONE = [point("level", "hr:0", "float32", order="abcd"), point("total", "hr:2", "uint32", kind=Kind.COUNTER)]


@asynccontextmanager
async def read(transport: str = "tcp") -> AsyncIterator[tuple[ModbusPoints, Session]]:
    of = connection("c1", "modbus", facts(free_port(), transport))
    async with served(of, ONE, 12.5, 1000) as device, Session(adapter(of), tags(ONE), Supports.READ) as session:
        await session.until_values({0: 12.5, 1: 1000}, 15)
        yield device, session


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("kind", "amount"), [("hang", 1), ("garbage", 1), ("slow", 5), ("delay", 8), ("cut", 1)])
async def test_a_fault_makes_values_bad_with_the_reason_and_ends(kind: str, amount: float, transport: str) -> None:
    async with read(transport) as (device, session):
        device.fault(kind, amount)
        await noticed(session)
        device.fault(kind, 0)
        await recovers(device, {0: 12.5, 1: 1000}, Supports.READ)


async def test_a_reset_drops_refuses_and_counts_from_nothing() -> None:
    async with read() as (device, session):
        device.fault("reset", 0.3)
        await until(lambda: session.lost is not None, "the connection is dropped")
        shown = await show(device, 12.5, 1003)
        assert shown.tolist() == [12.5, 0.0]
        assert (await show(device, 12.5, 1010)).tolist() == [12.5, 7.0]
        with pytest.raises(OSError, match=r"111|Connect"):
            await asyncio.open_connection("127.0.0.1", device.line.link.port)
        await until(lambda: device.line.link.listening, "it is there again")
        await recovers(device, {0: 12.5, 1: 7.0}, Supports.READ)


async def test_words_in_the_wrong_order_give_another_number_until_put_right() -> None:
    async with read() as (device, session):
        device.fault("word_order", 1)
        assert (await show(device, 12.5, 1000)).tolist() == [12.5, 1000.0], "the truth stays"
        await session.until_values({1: float(1000 << 16)}, 15)
        device.fault("word_order", 0)
        await show(device, 12.5, 1000)
        await session.until_values({0: 12.5, 1: 1000}, 15)


async def test_a_lossy_link_is_slow_and_says_nothing_false() -> None:
    async with read() as (device, session):
        device.fault("loss", 0.3)
        before = len(session.readings)
        await until(lambda: session.lost is not None or len(session.readings) > before + 12, "polls went on")
        values = {row.value for row in session.latest.values() if row.good}
        assert values <= {12.5, 1000.0}


def test_unknown_and_impossible_faults_are_refused_in_plain_words() -> None:
    device = ModbusPoints(connection("c1", "modbus", facts(1502)), ONE)
    with pytest.raises(
        DeviceError, match=r"connection 'c1' \(modbus\): its device has no fault 'clock_jump'; it has cut"
    ):
        device.fault("clock_jump", 5)
    with pytest.raises(DeviceError, match=r"loss of 1\.5 is impossible"):
        device.fault("loss", 1.5)
    with pytest.raises(DeviceError, match="slow of -1 is impossible"):
        device.fault("slow", -1)
    assert "hang" in device.faults() and "clock_jump" not in device.faults()


async def test_its_heartbeat_counts_and_begins_again_after_a_reset() -> None:
    points = [point("heartbeat", "hr:0", "uint16"), point("level", "hr:1", "uint16")]
    plain = connection("c1", "modbus", facts(free_port()))
    of = Connection("c1", "edge1", "modbus", plain.settings, {"fast": Group("fast", 1.0)}, f"{CODE}/belt1/heartbeat")
    async with served(of, points, math.nan, 5) as device:
        assert [(await show(device, math.nan, 5))[0] for _ in range(3)] == [2, 3, 4]
        device.fault("reset", 0.1)
        assert (await show(device, math.nan, 5))[0] == 1
