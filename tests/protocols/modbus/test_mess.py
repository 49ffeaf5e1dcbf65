"""The mess of the field, as far as it is Modbus': each has a device that behaves so, and the right value or the
right reason. Numbers are those of the list of messes (mess) and of other gateways' users' pains (p)."""

from __future__ import annotations

import asyncio
import random
import struct
from typing import Any

import pytest

from models.quality import Quality, is_good
from protocols.adapter import AdapterError, LinkLost, Reading, Tag
from protocols.modbus import Modbus, ModbusSettings
from tests.protocols.modbus.rawdevice import Memory, RawDevice, Request, RtuDevice, rtu_frame
from tests.protocols.modbus.test_reader import bad, connected, rows, tags


def hold(device: Memory, start: int, data: bytes) -> None:
    """Put bytes into the holding registers of unit 1."""
    for place, word in enumerate(struct.unpack(f">{len(data) // 2}H", data)):
        device.registers[1, start + place] = word


async def read_one(adapter: Modbus, address: str, type_: str = "", order: str = "", **options: Any) -> float:
    value, quality = rows(await adapter.read(adapter.plan([Tag(0, "p", address, type_, order, options)])))[0]
    assert quality == 192
    return value


def texts(reading: Reading) -> dict[int, str | None]:
    assert reading.text is not None
    return dict(zip(reading.index.tolist(), reading.text.to_pylist(), strict=True))


async def test_mess_1_zero_based_one_based_and_4xxxx_addresses_name_one_register() -> None:
    async with RawDevice() as device, connected(device) as adapter:
        device.registers = {(1, 100): 4711, (3, 100): 33}
        device.bits = {(1, 7): 1}
        for address in ("hr:100", "40101", "400101", "4x0101", "4x101", "1/40101"):
            assert await read_one(adapter, address) == 4711, address
        assert await read_one(adapter, "3/40101") == 33
        assert await read_one(adapter, "30101") == await read_one(adapter, "ir:100") == 4711
        assert await read_one(adapter, "00008") == await read_one(adapter, "co:7") == 1
        assert (
            await read_one(adapter, "10008") == await read_one(adapter, "1x8") == await read_one(adapter, "di:7") == 1
        )
        assert [request.start for request in device.requests] == [100] * 9 + [7] * 5
    async with RawDevice() as device, connected(device, quirks={"first_address": 1}) as adapter:
        device.registers = {(1, 100): 4711}
        assert await read_one(adapter, "hr:101") == await read_one(adapter, "40101") == 4711


async def test_mess_3_a_tilt_below_zero_is_not_65535() -> None:
    async with RawDevice() as device, connected(device) as adapter:
        device.registers = {(1, 22): 0xFFFF, (1, 24): 0xFFFF, (1, 25): 0xFFFE}
        assert await read_one(adapter, "hr:22", "int16") == -1
        assert await read_one(adapter, "hr:22") == 65535
        assert await read_one(adapter, "hr:24", "int32") == -2
        assert await read_one(adapter, "hr:23", "int48") == 0xFFFF * 2**16 + 0xFFFE


async def test_mess_5_status_bits_active_low_and_numbered_from_either_end() -> None:
    async with RawDevice() as device, connected(device) as adapter:
        device.registers = {(1, 49): 0b1000_0000_0101_0010, (1, 50): 0x0180}
        device.bits = {(1, 3): 1}
        assert await read_one(adapter, "hr:49.1") == 1 and await read_one(adapter, "hr:49.0") == 0
        assert await read_one(adapter, "hr:49.1", active="low") == 0
        assert await read_one(adapter, "hr:49.0", bits="msb") == 1, "the highest bit is called 0"
        assert await read_one(adapter, "hr:49.14", bits="msb") == 1
        assert await read_one(adapter, "hr:49.4-6") == 0b101
        assert await read_one(adapter, "hr:49.9-11", bits="msb") == 0b101
        assert await read_one(adapter, "hr:49.4-6", active="low") == 0b010
        assert await read_one(adapter, "hr:50.0", "", "badc") == 1, "counted in the word as it is after the swap"
        assert await read_one(adapter, "co:3", active="low") == 0 and await read_one(adapter, "co:4", active="low") == 1
        assert (
            await read_one(adapter, "co:2[4]") == 0b0010 and await read_one(adapter, "co:2[4]", active="low") == 0b1101
        )
        assert await read_one(adapter, "hr:49", "bool", active="low") == 0
        # Written the same way round, and by function 22 alone.
        await adapter.write(Tag(0, "p", "hr:49.0", options={"bits": "msb"}), 0)
        await adapter.write(Tag(0, "p", "hr:49.4-6", options={"active": "low"}), 0b010)
        await adapter.write(Tag(0, "p", "hr:49.2", options={"active": "low"}), 0)
        await adapter.write(Tag(0, "p", "co:9", options={"active": "low"}), 1)
        assert device.registers[1, 49] == 0b0000_0000_0101_0110
        assert device.bits[1, 9] == 0
        assert [request.function for request in device.requests][-4:] == [22, 22, 22, 5]


async def test_mess_6_bcd_counters_in_every_word_order() -> None:
    async with RawDevice() as device, connected(device) as adapter:
        hold(device, 10, bytes.fromhex("12345678"))
        hold(device, 20, bytes.fromhex("56781234"))
        hold(device, 30, bytes.fromhex("0000019283745566"))
        hold(device, 40, bytes.fromhex("12A4FFFF"))
        assert await read_one(adapter, "hr:10", "bcd32") == 12345678
        assert await read_one(adapter, "hr:20", "bcd32", "cdab") == 12345678
        assert await read_one(adapter, "hr:10", "bcd16", "badc") == 3412
        assert await read_one(adapter, "hr:30", "bcd64") == 19283745566
        reading = await adapter.read(adapter.plan([Tag(0, "p", "hr:40", "bcd16"), Tag(1, "p", "hr:41", "bcd16")]))
        assert bad(reading) == {0: Quality.BAD_SENSOR_FAILURE, 1: Quality.BAD_SENSOR_FAILURE}
        assert "decimal digits (BCD)" in reading.reasons[0]
        await adapter.write(Tag(0, "p", "hr:60", "bcd32", "cdab"), 87654321)
        assert (device.registers[1, 60], device.registers[1, 61]) == (0x4321, 0x8765)
        with pytest.raises(AdapterError, match="outside bcd16: 0 … 9999"):
            await adapter.write(Tag(0, "p", "hr:60", "bcd16"), 10_000)


@pytest.mark.parametrize(
    ("data", "encoding", "words"),
    [
        (b"MG900/2215", "ascii", "MG900/2215"),
        (b"EBZ200\0\0\0\0", "ascii", "EBZ200"),
        (b"EBZ200    ", "ascii", "EBZ200"),
        (b"EBZ200\0zzz", "ascii", "EBZ200"),
        (b"\0" * 10, "ascii", ""),
        ("采煤机1号".encode("gbk").ljust(10, b"\0"), "gbk", "采煤机1号"),
        ("主井皮带机头".encode("gbk")[:9].ljust(10, b"\0"), "gbk", "主井皮带"),
        ("主井皮带机头".encode("gbk")[:9].ljust(10), "gbk", "主井皮带"),
        ("主井皮带机".encode()[:10], "utf-8", "主井皮"),
        ("停；检修".encode("gb18030").ljust(10, b"\0"), "gb18030", "停；检修"),
        ("㐀㐁㐂".encode("gb18030")[:10], "gb18030", "㐀㐁"),
        ("瓦斯\u3000".encode("gbk").ljust(10), "gbk", "瓦斯"),
    ],
)
@pytest.mark.parametrize("order", ["abcd", "badc"])
async def test_mess_7_strings_cut_in_half_padded_and_swapped(
    data: bytes, encoding: str, words: str, order: str
) -> None:
    async with RawDevice() as device, connected(device) as adapter:
        swapped = b"".join(data[n : n + 2][::-1] for n in range(0, len(data), 2))
        hold(device, 40, data if order == "abcd" else swapped)
        device.registers[1, 45] = 7
        wanted = [Tag(0, "p", "hr:40[5]", "", order, {"encoding": encoding}), Tag(1, "p", "hr:45")]
        plan = adapter.plan(wanted)
        for _ in range(2):
            reading = await adapter.read(plan)
            assert not bad(reading) and texts(reading) == {0: words, 1: None}
            assert rows(reading)[1] == (7, 192)
        assert len(device.requests) == 2, "a string is read with its neighbours"
        hold(device, 40, b"\0\0" * 5)
        assert texts(await adapter.read(plan))[0] == ""


async def test_mess_7_bytes_that_are_no_text_are_bad_and_leave_the_rest() -> None:
    async with RawDevice() as device, connected(device) as adapter:
        hold(device, 40, b"\xff\xff\xff\xff" + b"ok")
        wanted = [
            Tag(0, "p", "hr:40[2]", options={"encoding": "utf-8"}),
            Tag(1, "p", "hr:42", "string", options={"length": 1}),
            Tag(2, "p", "hr:40"),
            Tag(3, "p", "hr:42[1]"),
        ]
        reading = await adapter.read(adapter.plan(wanted))
        assert bad(reading) == {0: Quality.BAD_SENSOR_FAILURE} and "utf-8 text" in reading.reasons[0]
        assert texts(reading) == {0: None, 1: "o", 2: None, 3: "ok"}


async def test_mess_7_strings_are_written_as_they_are_read() -> None:
    async with RawDevice() as device, connected(device) as adapter:
        tag = Tag(0, "p", "hr:40[5]", "", "badc", {"encoding": "gbk"})
        for words in ("采煤机1号", "停", ""):
            await adapter.write(tag, words)
            assert texts(await adapter.read(adapter.plan([tag])))[0] == words
        assert device.requests[0].function == 16 and device.requests[0].count == 5
        with pytest.raises(AdapterError, match="takes 12 bytes in gbk, and there is room for 10"):
            await adapter.write(tag, "主井皮带机头")
        with pytest.raises(AdapterError, match="cannot be written in ascii"):
            await adapter.write(Tag(0, "p", "hr:40[5]"), "停")


@pytest.mark.parametrize("order", ["abcd", "cdab", "badc", "dcba"])
async def test_mess_11_a_48_bit_counter_counts_on_past_32_bits(order: str) -> None:
    async with RawDevice() as device, connected(device) as adapter:
        for count in (2**32 - 1, 2**32, 2**48 - 1):
            await adapter.write(Tag(0, "p", "hr:10", "uint48", order), count)
            assert await read_one(adapter, "hr:10", "uint48", order) == count
        await adapter.write(Tag(0, "p", "hr:10", "int48", order), -5)
        assert await read_one(adapter, "hr:10", "int48", order) == -5
        assert await read_one(adapter, "hr:10", "uint48", order) == 2**48 - 5


async def test_mess_12_two_devices_of_one_unit_id_talk_at_once() -> None:
    """On the line their replies run into one another."""

    async def twist(request: Request, _: object) -> bytes | None:
        one = rtu_frame(request.unit, b"\x03\x02\x00\x11")
        two = rtu_frame(request.unit, b"\x03\x02\x22\x00")
        return bytes(a & b for a, b in zip(one, two, strict=True)) if request.serial % 2 else one + two

    async with RtuDevice(twist) as device:
        settings = {**device.settings, "timeout_s": 0.2, "rest_s": 0.1}
        adapter = Modbus(ModbusSettings.model_validate(settings))
        plan = adapter.plan(tags(["hr:1"]))
        reading = await adapter.read(plan)
        assert bad(reading) == {0: Quality.BAD_COMMUNICATION}
        assert "two devices of one unit" in reading.reasons[0]
        with pytest.raises(LinkLost):
            for _ in range(5):
                assert bad(await adapter.read(plan))
        await adapter.close()


async def test_mess_12_a_busy_gateway_and_one_without_its_unit_have_their_own_reasons() -> None:
    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        return request.refuse({2: 6, 3: 11, 4: 10}[request.unit]) if request.unit > 1 else None

    async with RawDevice(twist) as device, connected(device) as adapter:
        reading = await adapter.read(adapter.plan(tags(["hr:1", "2/hr:1", "3/hr:1", "4/hr:1"])))
        assert bad(reading).keys() == {1, 2, 3}
        assert "busy" in reading.reasons[1] and "exception 6" in reading.reasons[1]
        assert "does not answer" in reading.reasons[2] and "exception 11" in reading.reasons[2]
        assert "no path" in reading.reasons[3]


async def test_mess_14_and_p5_one_register_feeds_many_points_in_one_request() -> None:
    async with RawDevice() as device, connected(device) as adapter:
        device.registers = {(1, 22): 0xFFF6}
        wanted = [
            Tag(0, "m/shearer/pitch", "hr:22", "int16"),
            Tag(1, "m/face/tilt", "40023", "int16"),
            Tag(2, "m/shearer/raw", "hr:22"),
            Tag(3, "m/shearer/bit", "hr:22.1"),
            Tag(4, "m/shearer/bits", "hr:22.0-3"),
        ]
        got = {index: value for index, (value, _) in rows(await adapter.read(adapter.plan(wanted))).items()}
        assert got == {0: -10, 1: -10, 2: 0xFFF6, 3: 1, 4: 6}
        assert len(device.requests) == 1


async def test_p10_every_reset_is_over_within_two_polls() -> None:
    """200 connections that are reset, closed in the middle, left half open or cut within a reply."""
    noise = random.Random(10)
    trouble = False

    async def twist(request: Request, writer: asyncio.StreamWriter) -> bytes | None:
        nonlocal trouble
        if not trouble:
            return None
        trouble = False
        match noise.randrange(4):
            case 0:
                writer.transport.abort()
            case 1:
                writer.close()
            case 2:
                writer.write(b"\0\0\0")
                writer.transport.abort()
        return b""

    async with RawDevice(twist) as device:
        adapter: Modbus | None = None
        for _ in range(200):
            trouble = True
            for _poll in range(3):
                if adapter is None:
                    adapter = Modbus(ModbusSettings(host="127.0.0.1", port=device.port, timeout_s=0.1, rest_s=10))
                    plan = adapter.plan(tags(["hr:1"]))
                try:
                    if is_good((await adapter.read(plan)).quality).all():
                        break
                except LinkLost:
                    await adapter.close()
                    adapter = None
            else:
                raise AssertionError("not read well two polls after the reset")
        assert adapter is not None
        await adapter.close()


async def test_p12_a_connection_with_much_to_ask_does_not_starve_its_neighbour() -> None:
    async def twist(request: Request, _: asyncio.StreamWriter) -> bytes | None:
        await asyncio.sleep(0.002)
        return None

    async with RawDevice(twist) as device, connected(device, timeout_s=2) as much, connected(device, unit=2) as little:
        long, short = much.plan(tags([f"hr:{n * 200}" for n in range(200)])), little.plan(tags(["hr:1"]))
        reading = asyncio.create_task(much.read(long))
        await asyncio.sleep(0.02)
        asked = len(device.requests)
        for _ in range(5):
            assert not bad(await little.read(short))
        meanwhile = len(device.requests) - asked - 5
        assert not reading.done() and meanwhile < 40, "it waits for one request and not for the poll"
        await reading


async def test_p25_no_modbus_library_is_needed_at_run_time() -> None:
    import subprocess
    import sys

    code = "import sys, protocols.modbus; print([name for name in sys.modules if name.startswith('pymodbus')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
