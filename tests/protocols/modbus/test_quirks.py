"""Each quirk has a device that needs it, and is named after it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from protocols.adapter import Tag, WriteRefused
from protocols.modbus import Modbus, ModbusSettings
from protocols.modbus.forbidden import Forbidden
from protocols.modbus.planner import compile_plan
from tests.protocols.modbus.rawdevice import RawDevice, Request, RtuDevice, rtu_frame
from tests.protocols.modbus.test_reader import bad, connected, rows, tags


async def test_quirk_pause_after_connect() -> None:
    """Deaf to what comes at once after the connection."""
    opened: dict[int, float] = {}

    async def twist(request: Request, writer: asyncio.StreamWriter) -> bytes | None:
        return None if time.monotonic() - opened[id(writer)] >= 0.45 else b""

    class Sleepy(RawDevice):
        async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            opened[id(writer)] = time.monotonic()
            await super()._serve(reader, writer)

    async with Sleepy(twist) as device:
        async with connected(device) as adapter:
            assert bad(await adapter.read(adapter.plan(tags(["hr:1"]))))
        async with connected(device, quirks={"pause_after_connect_s": 0.5}) as adapter:
            assert not bad(await adapter.read(adapter.plan(tags(["hr:1"]))))


async def test_quirk_pause_between_requests() -> None:
    """Deaf for a while after each of its replies."""
    answered = [0.0]

    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        if time.monotonic() - answered[0] < 0.2:
            return b""
        answered[0] = time.monotonic()
        return None

    async with RawDevice(twist) as device:
        addresses = tags(["hr:1", "hr:500", "hr:900"])
        async with connected(device, timeout_s=0.5) as adapter:
            assert bad(await adapter.read(adapter.plan(addresses)))
        await asyncio.sleep(0.3)
        async with connected(device, quirks={"pause_s": 0.25}) as adapter:
            assert not bad(await adapter.read(adapter.plan(addresses)))


async def test_quirk_smaller_maximum() -> None:
    """Silent when more than 30 registers or 100 bits are asked for, and not with an exception."""

    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        return b"" if request.count > (100 if request.function < 3 else 30) else None

    async with RawDevice(twist) as device:
        wanted = tags([f"hr:{n}" for n in range(70)] + [f"co:{n}" for n in range(150)])
        async with connected(device, max_registers=30, max_bits=100) as adapter:
            assert not bad(await adapter.read(adapter.plan(wanted)))
        assert [request.count for request in device.requests] == [100, 50, 30, 30, 10]


async def test_quirk_smaller_maximum_than_a_value() -> None:
    async with RawDevice() as device, connected(device, max_registers=2) as adapter:
        reading = await adapter.read(adapter.plan([Tag(0, "p", "hr:1", "float64"), Tag(1, "p", "hr:8", "float32")]))
        assert bad(reading).keys() == {0} and "takes 4 at once" in reading.reasons[0]


async def test_quirk_one_request_a_field() -> None:
    """Answers only requests for exactly one of its values."""
    fields = {(10, 2), (12, 1), (13, 4)}

    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        return None if (request.start, request.count) in fields else request.refuse(4)

    async with RawDevice(twist) as device:
        wanted = [
            Tag(0, "p", "hr:10", "float32"),
            Tag(1, "p", "hr:12.3"),
            Tag(2, "p", "hr:12"),
            Tag(3, "p", "hr:13", "uint64"),
        ]
        async with connected(device) as adapter:
            assert len(bad(await adapter.read(adapter.plan(wanted)))) == 4
        async with connected(device, quirks={"one_request_a_field": True}) as adapter:
            assert not bad(await adapter.read(adapter.plan(wanted)))


@pytest.mark.parametrize(
    ("first", "address", "wire"),
    [
        (None, "hr:100", 100),
        (None, "40101", 100),
        (0, "hr:100", 100),
        (0, "40100", 100),
        (1, "hr:101", 100),
        (1, "40101", 100),
    ],
)
async def test_quirk_first_address(first: int | None, address: str, wire: int) -> None:
    """Manuals that count registers from 1 write hr:101 for what is 100 on the wire; others count 40100 from 0."""
    quirks = {} if first is None else {"first_address": first}
    async with RawDevice() as device, connected(device, quirks=quirks) as adapter:
        device.registers[1, wire] = 4711
        assert rows(await adapter.read(adapter.plan([Tag(0, "p", address)])))[0] == (4711, 192)
        await adapter.write(Tag(0, "p", address), 42)
        assert device.registers[1, wire] == 42


@pytest.mark.parametrize(("first", "address"), [(1, "hr:0"), (None, "40000")])
async def test_quirk_first_address_leaves_nothing_before_it(first: int | None, address: str) -> None:
    async with RawDevice() as device, connected(device, quirks={"first_address": first}) as adapter:
        reading = await adapter.read(adapter.plan([Tag(0, "p", address), Tag(1, "p", "hr:1")]))
        assert bad(reading).keys() == {0} and "has the number 1" in reading.reasons[0]
        with pytest.raises(WriteRefused, match="outside"):
            await adapter.write(Tag(0, "p", address), 1)


async def test_quirk_multiple_writes_only() -> None:
    """Knows functions 15 and 16, and not 5 and 6."""

    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        return request.refuse(1) if request.function in (5, 6) else None

    async with RawDevice(twist) as device:
        async with connected(device) as adapter:
            with pytest.raises(WriteRefused, match="illegal function"):
                await adapter.write(Tag(0, "p", "hr:1"), 5)
        async with connected(device, quirks={"multiple_writes_only": True}) as adapter:
            await adapter.write(Tag(0, "p", "hr:1"), 5)
            await adapter.write(Tag(0, "p", "co:9"), 1)
        assert device.registers[1, 1] == 5 and device.bits[1, 9] == 1


async def test_quirk_any_unit() -> None:
    """Answers as unit 255, whatever was asked."""

    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        data = device.answer(request)
        return data[:6] + b"\xff" + data[7:]

    async with RawDevice(twist) as device:
        async with connected(device) as adapter:
            reading = await adapter.read(adapter.plan(tags(["hr:1"])))
            assert "unit 1 was asked and unit 255 answered" in reading.reasons[0]
        async with connected(device, quirks={"any_unit": True}) as adapter:
            assert not bad(await adapter.read(adapter.plan(tags(["hr:1"]))))
            await adapter.write(Tag(0, "p", "hr:1"), 3)


@pytest.mark.parametrize("serial", [True, False])
async def test_quirk_local_echo(serial: bool) -> None:
    """A two-wire converter hears what it says itself."""

    async def twist(request: Request, writer: Any) -> bytes | None:
        writer.write(rtu_frame(request.unit, bytes([request.function]) + request.body))
        await asyncio.sleep(0.001)
        return None

    async with RtuDevice(twist, serial=serial) as device:
        device.registers = {(1, 1): 4711}
        more = {**device.settings, "timeout_s": 1.0}
        adapter = Modbus(ModbusSettings.model_validate({**more, "quirks": {"local_echo": True}}))
        for _ in range(3):
            assert rows(await adapter.read(adapter.plan(tags(["hr:1"]))))[0] == (4711, 192)
        await adapter.write(Tag(0, "p", "hr:1"), 4712)
        await adapter.write(Tag(0, "p", "hr:8", "uint32"), 1)
        assert device.registers[1, 1] == 4712 and device.registers[1, 9] == 1
        await adapter.close()
        adapter = Modbus(ModbusSettings.model_validate(more))
        assert bad(await adapter.read(adapter.plan(tags(["hr:1"]))))
        await adapter.close()


async def test_quirk_close_after_poll() -> None:
    """Serves one master at a time: while we are connected, nobody else is served."""
    async with RawDevice() as device, connected(device, quirks={"close_after_poll": True}) as adapter:
        plan = adapter.plan(tags(["hr:1", "hr:500"]))
        for poll in range(1, 4):
            assert not bad(await adapter.read(plan))
            deadline = time.monotonic() + 20
            while device.open_connections and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
            assert not device.open_connections and device.connections == poll
            await asyncio.sleep(0.02)
        numbers = [request.transaction for request in device.requests]
        assert numbers == list(range(numbers[0], numbers[0] + 6))


async def test_forbidden_ranges_are_never_touched() -> None:
    touched: list[Request] = []

    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        if request.function == 3 and request.start <= 299 and request.start + request.count > 200:
            touched.append(request)
        return None

    async with RawDevice(twist) as device, connected(device, gap=124, forbidden=["hr:200-299", "2/co:5"]) as adapter:
        addresses = ["hr:198", "hr:199", "hr:300", "hr:250", "hr:305", "co:4", "co:6", "2/co:4", "2/co:6", "2/co:5"]
        reading = await adapter.read(adapter.plan([*tags(addresses), Tag(10, "p", "hr:199", "uint32")]))
        assert not touched
        assert bad(reading).keys() == {3, 9, 10} and all("forbid" in why for why in reading.reasons.values())
        asked = {(request.unit, request.function, request.start, request.count) for request in device.requests}
        assert asked == {(1, 3, 198, 2), (1, 3, 300, 6), (1, 1, 4, 3), (2, 1, 4, 1), (2, 1, 6, 1)}
        with pytest.raises(WriteRefused, match="forbid"):
            await adapter.write(Tag(0, "p", "hr:250"), 1)


def test_p14_a_hundred_thousand_points_with_forbidden_ranges_are_planned_in_time() -> None:
    wanted = [Tag(n, "p", f"{n % 8 + 1}/hr:{n // 8 * 5}") for n in range(100_000)]
    forbidden = Forbidden.parse([f"hr:{n * 1000 + 1}-{n * 1000 + 3}" for n in range(60)])
    started = time.process_time()
    plan = compile_plan(wanted, unit=1, gap=8, max_registers=125, max_bits=2000, forbidden=forbidden)
    assert time.process_time() - started < 6.0, "2 s, with a wide margin for a busy machine"
    assert len(plan) == 100_000
    for piece in plan.pieces:
        low, high = piece.start, piece.start + piece.count
        assert not any(low <= n * 1000 + 3 and high > n * 1000 + 1 for n in range(60))
