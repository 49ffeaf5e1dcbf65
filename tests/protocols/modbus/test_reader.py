"""What one failing block, address, unit or link does to the others."""

from __future__ import annotations

import asyncio
import math
import struct
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from models.quality import Quality
from protocols.adapter import LinkLost, Reading, Tag, WriteRefused
from protocols.modbus import Modbus, ModbusSettings
from tests.protocols.modbus.rawdevice import RawDevice, Request


@asynccontextmanager
async def connected(device: RawDevice, **more: Any) -> AsyncIterator[Modbus]:
    given: dict[str, Any] = {"host": "127.0.0.1", "port": device.port, "timeout_s": 2, "rest_s": 0.3, **more}
    adapter = Modbus(ModbusSettings.model_validate(given))
    await adapter.connect()
    try:
        yield adapter
    finally:
        await adapter.close()


def rows(reading: Reading) -> dict[int, tuple[float, int]]:
    return {
        index: (value, quality)
        for index, value, quality in zip(
            reading.index.tolist(), reading.value.tolist(), reading.quality.tolist(), strict=True
        )
    }


def tags(addresses: Sequence[str]) -> list[Tag]:
    return [Tag(n, f"m/e/p{n}", address) for n, address in enumerate(addresses)]


def bad(reading: Reading) -> dict[int, int]:
    return {index: quality for index, (_, quality) in rows(reading).items() if quality < 192}


def lacking(*addresses: int) -> Any:
    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        touched = range(request.start, request.start + request.count)
        return request.refuse(2) if any(address in touched for address in addresses) else None

    return twist


async def test_all_tables_units_and_the_raw_bytes() -> None:
    async with RawDevice() as device, connected(device, unit=7) as adapter:
        device.registers = {(7, 10): 0x1234, (2, 10): 5, (7, 11): 0x8001}
        device.bits = {(7, 3): 1, (7, 12): 1}
        reading = await adapter.read(
            adapter.plan(tags(["hr:10", "2/hr:10", "co:3", "co:4", "di:12", "hr:11.15", "hr:11.1"]))
        )
        assert {index: value for index, (value, _) in rows(reading).items()} == {
            0: 0x1234,
            1: 5,
            2: 1,
            3: 0,
            4: 1,
            5: 1,
            6: 0,
        }
        assert reading.raw is not None
        assert [reading.raw(n) for n in (0, 1, 2, 3, 9)] == [b"\x12\x34", b"\x00\x05", b"\x01", b"\x00", None]


async def test_p1_a_thousand_tags_cost_eight_requests() -> None:
    async with RawDevice() as device, connected(device) as adapter:
        device.registers = {(1, n): n for n in range(1000)}
        plan = adapter.plan([Tag(n, "p", f"hr:{n}") for n in range(1000)])
        reading = await adapter.read(plan)
        assert len(device.requests) == 8
        assert {index: value for index, (value, _) in rows(reading).items()} == {n: n for n in range(1000)}


async def test_p7_one_address_that_is_not_there_leaves_the_rest_of_its_block() -> None:
    async with RawDevice(lacking(57)) as device, connected(device, rest_s=60) as adapter:
        plan = adapter.plan(tags([f"hr:{n}" for n in range(100)]))
        first = await adapter.read(plan)
        assert bad(first) == {57: Quality.BAD_CONFIGURATION}
        assert first.reasons.keys() == {57} and "no such address" in first.reasons[57] and "57" in first.reasons[57]
        assert math.isnan(rows(first)[57][0])
        assert first.raw is not None and first.raw(57) is None and first.raw(56) == b"\0\0"
        before = len(device.requests)
        assert bad(await adapter.read(plan)) == {57: Quality.BAD_CONFIGURATION}
        again = device.requests[before:]
        assert len(again) <= 8 and not any(r.start <= 57 < r.start + r.count for r in again), "it is left alone"


async def test_a_hole_that_the_device_lacks_is_read_around() -> None:
    async with RawDevice(lacking(4)) as device, connected(device) as adapter:
        reading = await adapter.read(adapter.plan(tags(["hr:1", "hr:2", "hr:6", "hr:7"])))
        assert not bad(reading) and not reading.reasons
        assert device.requests[0].count == 7


async def test_an_address_that_appears_is_found_again() -> None:
    async with RawDevice(lacking(3)) as device, connected(device, rest_s=0.1) as adapter:
        plan = adapter.plan(tags(["hr:2", "hr:3"]))
        assert bad(await adapter.read(plan)).keys() == {1}
        device.twist = None
        await asyncio.sleep(0.15)
        assert not bad(await adapter.read(plan))


async def test_a_device_with_many_bad_addresses_is_narrowed_down_over_several_polls() -> None:
    odd = range(1, 120, 2)
    async with RawDevice(lacking(*odd)) as device, connected(device, rest_s=60) as adapter:
        plan = adapter.plan(tags([f"hr:{n}" for n in range(120)]))
        polls = 0
        while True:
            before, polls = len(device.requests), polls + 1
            reading = await adapter.read(plan)
            assert len(device.requests) - before <= 64 + 17, "extra requests a poll are bounded"
            if bad(reading).keys() == set(odd):
                break
            assert polls < 30


async def test_a_device_that_takes_shorter_requests_than_the_standard() -> None:
    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        return request.refuse(3) if request.count > 50 else None

    async with RawDevice(twist) as device, connected(device) as adapter:
        reading = await adapter.read(adapter.plan(tags([f"hr:{n}" for n in range(120)])))
        assert not bad(reading)
    async with RawDevice(twist) as device, connected(device, max_registers=50) as adapter:
        await adapter.read(adapter.plan(tags([f"hr:{n}" for n in range(120)])))
        assert [request.count for request in device.requests] == [50, 50, 20]


@pytest.mark.parametrize(
    ("code", "quality", "words"),
    [
        (1, Quality.BAD_CONFIGURATION, "illegal function"),
        (4, Quality.BAD_DEVICE_FAILURE, "device failure"),
        (6, Quality.BAD_COMMUNICATION, "busy"),
        (11, Quality.BAD_COMMUNICATION, "behind the gateway"),
        (77, Quality.BAD_DEVICE_FAILURE, "exception 77"),
    ],
)
async def test_an_exception_is_named_and_stays_with_its_block(code: int, quality: Quality, words: str) -> None:
    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        return request.refuse(code) if request.start >= 500 else None

    async with RawDevice(twist) as device, connected(device) as adapter:
        plan = adapter.plan(tags(["hr:1", "hr:500", "hr:501"]))
        for _ in range(3):
            reading = await adapter.read(plan)
            assert bad(reading) == {1: quality, 2: quality}
            assert words in reading.reasons[1]


async def test_a_block_that_is_never_answered_makes_only_its_own_tags_bad() -> None:
    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        return b"" if request.start == 500 else None

    async with RawDevice(twist) as device, connected(device, timeout_s=0.5, rest_s=60) as adapter:
        plan = adapter.plan(tags(["hr:1", "hr:500", "hr:900"]))
        for _ in range(3):
            reading = await adapter.read(plan)
            assert bad(reading) == {1: Quality.BAD_COMMUNICATION}
            assert "did not answer within 0.5 s" in reading.reasons[1]
        asked = [request.start for request in device.requests].count(500)
        await adapter.read(plan)
        again = [request.start for request in device.requests].count(500) - asked
        assert again == 0, "after two failures the block rests and holds nobody up"


async def test_a_wrong_length_makes_only_its_own_tags_bad() -> None:
    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        return request.reply(b"\x02\x00\x01") if request.start == 500 else None

    async with RawDevice(twist) as device, connected(device) as adapter:
        reading = await adapter.read(adapter.plan(tags(["hr:1", "hr:500", "hr:501", "hr:900"])))
        assert bad(reading) == {1: Quality.BAD_COMMUNICATION, 2: Quality.BAD_COMMUNICATION}
        assert "3 bytes where 5 were due" in reading.reasons[1]


async def test_p6_a_dead_unit_behind_a_gateway_does_not_hold_up_the_others() -> None:
    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        return b"" if request.unit == 2 else None

    async with RawDevice(twist) as device, connected(device, timeout_s=0.5, rest_s=60) as adapter:
        both = adapter.plan(tags(["1/hr:1", "2/hr:1", "2/hr:500", "2/hr:900", "3/hr:1"]))
        alone = adapter.plan(tags(["2/hr:1"]))
        for _ in range(3):
            reading = await adapter.read(both)
            assert bad(reading).keys() == {1, 2, 3}
            assert all("unit 2" in reason for reason in reading.reasons.values())
        assert len([request for request in device.requests if request.unit == 2]) == 2
        assert bad(await adapter.read(alone)).keys() == {0}, "a dead unit's own group does not cost the others the link"


async def test_when_every_unit_is_silent_the_link_is_lost() -> None:
    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        return b""

    async with RawDevice(twist) as device, connected(device, timeout_s=0.1) as adapter:
        plan = adapter.plan(tags(["1/hr:1", "2/hr:1"]))
        started = time.monotonic()
        with pytest.raises(LinkLost, match="did not answer"):
            for _ in range(4):
                await adapter.read(plan)
        assert time.monotonic() - started < 3.0


async def test_a_connection_that_ends_in_a_request_is_told_at_once() -> None:
    async def twist(request: Request, writer: asyncio.StreamWriter) -> bytes | None:
        writer.transport.abort()
        return b""

    async with RawDevice(twist) as device, connected(device, timeout_s=30) as adapter:
        started = time.monotonic()
        with pytest.raises(LinkLost, match="closed the connection"):
            await adapter.read(adapter.plan(tags(["hr:1"])))
        assert time.monotonic() - started < 5.0, "not only after the time-out"


async def test_a_device_that_closes_between_polls_is_simply_connected_again() -> None:
    closing: list[asyncio.StreamWriter] = []

    async def twist(request: Request, writer: asyncio.StreamWriter) -> bytes | None:
        closing.append(writer)
        return None

    async with RawDevice(twist) as device, connected(device) as adapter:
        plan = adapter.plan(tags(["hr:1"]))
        for _ in range(3):
            assert not bad(await adapter.read(plan))
            closing.pop().close()
            await asyncio.sleep(0.05)
        assert device.connections == 3
        numbers = [request.transaction for request in device.requests]
        assert numbers == list(range(numbers[0], numbers[0] + 3)), "transaction numbers go on over connections"


async def test_a_long_stray_before_the_answer_in_one_packet() -> None:
    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        stray = request.reply(b"\xfa" + bytes(250), transaction=request.transaction + 99)
        return stray + device.answer(request)

    async with RawDevice(twist) as device, connected(device) as adapter:
        device.registers = {(1, n): n for n in range(125)}
        reading = await adapter.read(adapter.plan(tags([f"hr:{n}" for n in range(125)])))
        assert not bad(reading) and rows(reading)[124][0] == 124
        assert adapter.counters()["strays_total"] == 1


async def test_a_read_that_was_cancelled_leaves_nothing_to_the_next() -> None:
    async def slow(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        if request.serial == 1:
            await asyncio.sleep(0.5)
        return request.reply(b"\x02" + request.serial.to_bytes(2, "big"))

    async with RawDevice(slow) as device, connected(device, timeout_s=5) as adapter:
        plan = adapter.plan(tags(["hr:1"]))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(adapter.read(plan), 0.03)
        assert rows(await adapter.read(plan))[0] == (2.0, 192)


async def test_p12_reads_and_writes_at_the_same_time_take_turns() -> None:
    outstanding = 0

    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        nonlocal outstanding
        outstanding += 1
        assert outstanding == 1
        await asyncio.sleep(0.002)
        outstanding -= 1
        return None

    async with RawDevice(twist) as device, connected(device, timeout_s=2) as adapter:
        plans = [adapter.plan(tags([f"hr:{100 * n}"])) for n in range(5)]
        device.registers = {(1, 100 * n): n for n in range(5)}
        readings = await asyncio.gather(
            *(adapter.read(plan) for plan in plans), adapter.write(Tag(0, "p", "hr:900"), 9.0)
        )
        assert [rows(reading)[0][0] for reading in readings[:5]] == [0, 1, 2, 3, 4]
        assert device.registers[1, 900] == 9 and device.connections == 1


async def test_writes_of_every_kind() -> None:
    async with RawDevice() as device, connected(device) as adapter:
        device.registers[1, 30] = 0b1000_0000_0000_0001
        await adapter.write(Tag(0, "p", "co:5"), 1)
        await adapter.write(Tag(0, "p", "4/hr:10", "int16"), -2)
        await adapter.write(Tag(0, "p", "hr:20", "float32", "cdab"), 123456.0)
        await adapter.write(Tag(0, "p", "hr:40", "uint64"), str(2**64 - 1))
        await adapter.write(Tag(0, "p", "hr:30.3"), 1)
        await adapter.write(Tag(0, "p", "hr:30.8", "bool", "dcba"), 0)
        assert [request.function for request in device.requests] == [5, 6, 16, 16, 22, 22]
        assert device.bits[1, 5] == 1
        assert device.registers[4, 10] == 65534
        assert struct.pack(">2H", device.registers[1, 20], device.registers[1, 21]).hex() == "200047f1"
        assert [device.registers[1, 40 + n] for n in range(4)] == [65535] * 4
        assert device.registers[1, 30] == 0b1000_0000_0000_1000, "bit 8 of the swapped word is bit 0 of the register"


async def test_what_cannot_be_written_is_said() -> None:
    async with RawDevice(lacking(77)) as device, connected(device) as adapter:
        with pytest.raises(WriteRefused, match="no such address"):
            await adapter.write(Tag(0, "p", "hr:77"), 1)
        with pytest.raises(WriteRefused, match="only be read"):
            await adapter.write(Tag(0, "p", "ir:1"), 1)

        async def silent(request: Request, _: asyncio.StreamWriter) -> bytes | None:
            return b""

        device.twist = silent
        with pytest.raises(LinkLost, match="not known"):
            await adapter.write(Tag(0, "p", "hr:1"), 1)
