"""RTU, inside TCP and on a serial line: values, turns, silence, noise, and units that are away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from models.quality import Quality
from protocols.adapter import LinkLost, Tag, WriteRefused
from protocols.modbus import Modbus, ModbusSettings
from protocols.modbus.rtu import checksum
from tests.protocols.modbus.rawdevice import Request, RtuDevice, rtu_frame
from tests.protocols.modbus.test_reader import bad, rows, tags


@pytest.fixture(params=["rtu-over-tcp", "serial"])
async def device(request: pytest.FixtureRequest) -> AsyncIterator[RtuDevice]:
    async with RtuDevice(serial=request.param == "serial") as device:
        yield device


@asynccontextmanager
async def connected(device: RtuDevice, **more: Any) -> AsyncIterator[Modbus]:
    adapter = Modbus(ModbusSettings.model_validate({**device.settings, "timeout_s": 2, "rest_s": 0.3, **more}))
    await adapter.connect()
    try:
        yield adapter
    finally:
        await adapter.close()


async def silent(request: Request, _: object) -> bytes | None:
    return b""


def test_the_checksum_is_that_of_the_standard() -> None:
    # Modbus over serial line 1.02 has no example of it; this one is in many devices' manuals.
    assert checksum(bytes.fromhex("010300000002")).hex() == "c40b"
    assert rtu_frame(1, bytes.fromhex("0300000002"))[-2:].hex() == "c40b"


async def test_values_of_every_table_and_writes(device: RtuDevice) -> None:
    device.registers = {(1, 10): 0x1234, (2, 10): 5, (1, 11): 0x8001}
    device.bits = {(1, 3): 1, (1, 12): 1}
    async with connected(device) as adapter:
        plan = adapter.plan(tags(["hr:10", "2/hr:10", "co:3", "co:4", "di:12", "hr:11.15", "ir:11", "hr:200"]))
        reading = await adapter.read(plan)
        assert {index: value for index, (value, _) in rows(reading).items()} == {
            **{0: 0x1234, 1: 5, 2: 1, 3: 0, 4: 1, 5: 1, 6: 0x8001, 7: 0}
        }
        await adapter.write(Tag(0, "p", "co:4"), 1)
        await adapter.write(Tag(0, "p", "hr:10"), 77)
        await adapter.write(Tag(0, "p", "hr:200", "uint32"), 65537)
        await adapter.write(Tag(0, "p", "hr:11.0"), 0)
        await adapter.write(Tag(0, "p", "co:20[3]"), 5)
        after = {index: value for index, (value, _) in rows(await adapter.read(plan)).items()}
        assert after == {0: 77, 1: 5, 2: 1, 3: 1, 4: 1, 5: 1, 6: 0x8000, 7: 1}
        assert [device.bits[1, 20 + n] for n in range(3)] == [1, 0, 1]
        device.twist = refusing
        with pytest.raises(WriteRefused, match="no such address"):
            await adapter.write(Tag(0, "p", "hr:10"), 1)


async def refusing(request: Request, _: object) -> bytes | None:
    return request.refuse(2)


async def test_the_longest_answer_comes_in_pieces_with_pauses(device: RtuDevice) -> None:
    async def dribble(request: Request, writer: Any) -> bytes | None:
        whole = device.answer(request)
        for at in range(0, len(whole), 50):
            writer.write(whole[at : at + 50])
            await asyncio.sleep(0.01)
        return b""

    device.registers = {(1, n): n for n in range(125)}
    device.twist = dribble
    async with connected(device, timeout_s=2) as adapter:
        reading = await adapter.read(adapter.plan(tags([f"hr:{n}" for n in range(125)])))
        assert {index: value for index, (value, _) in rows(reading).items()} == {n: n for n in range(125)}


async def test_p3_connections_that_share_a_line_take_turns(device: RtuDevice) -> None:
    """Eight connections, a unit each: never two requests on the line, and nobody waits out of turn."""

    async def slow(request: Request, _: object) -> bytes | None:
        await asyncio.sleep(0.002)
        return None

    device.twist = slow
    device.registers = {(unit, 0): 100 + unit for unit in range(1, 9)}
    adapters = [
        Modbus(ModbusSettings.model_validate({**device.settings, "unit": unit, "timeout_s": 2})) for unit in range(1, 9)
    ]

    async def poll(adapter: Modbus) -> None:
        plan = adapter.plan(tags(["hr:0"]))
        for _ in range(5):
            assert rows(await adapter.read(plan)) == {0: (100 + adapter.settings.unit, 192)}

    await asyncio.gather(*(adapter.connect() for adapter in adapters))
    await asyncio.gather(*map(poll, adapters))
    assert device.overlaps == 0
    assert sorted(request.unit for request in device.requests) == sorted(list(range(1, 9)) * 5)
    turns = [request.unit for request in device.requests]
    assert all(sorted(turns[n : n + 8]) == list(range(1, 9)) for n in range(0, 40, 8)), "request by request"
    for adapter in adapters:
        await adapter.close()


async def test_p6_a_dead_unit_on_the_line_costs_the_others_little(device: RtuDevice) -> None:
    async def twist(request: Request, _: object) -> bytes | None:
        return b"" if request.unit == 2 else None

    device.twist = twist
    async with connected(device, unit=1) as one, connected(device, unit=2, timeout_s=0.2, rest_s=60) as two:
        plan_one, plan_two = one.plan(tags(["hr:1"])), two.plan(tags(["hr:1"]))
        for _ in range(3):
            first, second = await asyncio.gather(one.read(plan_one), two.read(plan_two))
            assert not bad(first) and bad(second) == {0: Quality.BAD_COMMUNICATION}
        asked = len(device.requests)
        started = time.monotonic()
        for _ in range(20):
            first, second = await asyncio.gather(one.read(plan_one), two.read(plan_two))
            assert not bad(first) and "not asked for a while" in second.reasons[0]
        assert time.monotonic() - started < 3.0, "the dead unit rests, and takes no time on the line"
        assert len(device.requests) - asked == 20


async def test_p6_a_dead_units_new_connection_does_not_begin_its_time_outs_anew(device: RtuDevice) -> None:
    async def twist(request: Request, _: object) -> bytes | None:
        return b"" if request.unit == 2 else None

    device.twist = twist
    async with connected(device, unit=1) as one:
        assert not bad(await one.read(one.plan(tags(["hr:1"]))))
        for life in range(3):
            async with connected(device, unit=2, timeout_s=0.2, rest_s=60) as two:
                plan = two.plan(tags(["hr:1"]))
                for _ in range(3):
                    assert bad(await two.read(plan))
            if life == 0:
                asked = len([request for request in device.requests if request.unit == 2])
        assert len([request for request in device.requests if request.unit == 2]) == asked


async def test_one_line_has_one_speed(device: RtuDevice) -> None:
    other = {"baud": 9600} if device.serial else {"transport": "tcp"}
    async with connected(device):
        adapter = Modbus(ModbusSettings.model_validate({**device.settings, **other}))
        with pytest.raises(LinkLost, match="give both the same settings"):
            await adapter.connect()
        await adapter.close()
    if device.serial:
        async with connected(device, baud=9600) as alone:
            assert not bad(await alone.read(alone.plan(tags(["hr:1"]))))


@pytest.mark.parametrize("noise", ["before", "in the checksum", "after", "nothing but"])
async def test_noise_on_the_line_is_bad_and_over_with_the_next_poll(device: RtuDevice, noise: str) -> None:
    noisy = True

    async def twist(request: Request, _: object) -> bytes | None:
        right = device.answer(request)
        if not noisy or request.function == 8:
            return right
        return {
            "before": b"\x7f\x55" + right,
            "in the checksum": right[:-1] + bytes([right[-1] ^ 1]),
            "after": right + b"\x00",
            "nothing but": b"\xff\xfe\x55",
        }[noise]

    device.twist = twist
    async with connected(device) as adapter:
        plan = adapter.plan(tags(["hr:1"]))
        reading = await adapter.read(plan)
        assert bad(reading) == {0: Quality.BAD_COMMUNICATION}
        noisy = False
        assert not bad(await adapter.read(plan))
        counts = adapter.counters()
        assert counts.get("malformed_total", 0) + counts.get("timeouts_total", 0) == 1


async def test_a_line_that_looks_like_nul_for_a_moment_before_each_reply(device: RtuDevice) -> None:
    """As two-wire lines do when they change hands."""

    async def twist(request: Request, _: object) -> bytes | None:
        return b"\x00\xff\x00" + device.answer(request)

    device.twist = twist
    async with connected(device) as adapter:
        assert not bad(await adapter.read(adapter.plan(tags(["hr:1", "co:1"]))))


async def test_p11_a_late_reply_on_rtu_is_never_taken_for_another_requests(device: RtuDevice) -> None:
    """The second poll asks for just as many registers: the late reply to the first would fit it."""
    jobs = []

    async def twist(request: Request, writer: Any) -> bytes | None:
        answer = request.reply(b"\x02" + request.serial.to_bytes(2, "big"))
        if request.serial == 1:

            async def later() -> None:
                await asyncio.sleep(0.25)
                writer.write(answer)

            jobs.append(asyncio.create_task(later()))
            return b""
        if request.function == 8:
            # It answers in order: the old reply first.
            await asyncio.gather(*jobs)
            return None
        return answer

    device.twist = twist
    async with connected(device, timeout_s=0.2) as adapter:
        plan = adapter.plan(tags(["hr:1"]))
        assert bad(await adapter.read(plan))
        for _ in range(10):
            if not bad(reading := await adapter.read(plan)):
                break
        value, quality = rows(reading)[0]
        assert quality == 192 and value == device.requests[-1].serial and value > 1
        assert adapter.counters()["strays_total"] >= 1 and adapter.counters()["resyncs_total"] >= 1


@pytest.mark.parametrize("known", [True, False])
async def test_a_unit_that_does_not_know_function_8_is_read_all_the_same(device: RtuDevice, known: bool) -> None:
    """It may refuse the question for a number, or keep silent to it."""
    quiet = True

    async def twist(request: Request, _: object) -> bytes | None:
        if request.function == 8:
            return request.refuse(1) if known else b""
        return b"" if quiet else None

    device.twist = twist
    async with connected(device, timeout_s=1.0) as adapter:
        plan = adapter.plan(tags(["hr:1"]))
        for _ in range(2):
            quiet = True
            assert bad(await adapter.read(plan))
            quiet = False
            assert not bad(await adapter.read(plan))
        questions = [request for request in device.requests if request.function == 8]
        assert len(questions) == (2 if known else 1), "who does not answer it is not asked again"


async def test_when_every_unit_is_silent_the_line_is_lost(device: RtuDevice) -> None:
    device.twist = silent
    async with connected(device, timeout_s=0.1) as adapter:
        plan = adapter.plan(tags(["hr:1", "2/hr:1"]))
        started = time.monotonic()
        with pytest.raises(LinkLost, match="did not answer"):
            for _ in range(5):
                await adapter.read(plan)
        assert time.monotonic() - started < 3.0


async def test_p10_a_half_open_connection_is_made_anew() -> None:
    """A serial server that was switched off and on: its side of the connection is gone, ours looks well."""
    async with RtuDevice() as device:
        deaf: set[int] = set()

        async def twist(request: Request, writer: Any) -> bytes | None:
            if request.serial == 3:
                deaf.add(id(writer))
            return b"" if id(writer) in deaf else None

        device.twist = twist
        async with connected(device, timeout_s=0.4, rest_s=0.05) as adapter:
            plan = adapter.plan(tags(["hr:1", "2/hr:1", "3/hr:1"]))
            assert bad(await adapter.read(plan)).keys() == {2}
            for _ in range(10):
                if not bad(await adapter.read(plan)):
                    break
            assert not bad(await adapter.read(plan))
            assert adapter.counters()["connects_total"] == 2


async def test_an_unplugged_serial_port_is_told_at_once() -> None:
    async with RtuDevice(serial=True) as device:

        async def twist(request: Request, _: object) -> bytes | None:
            device.unplug()
            return b""

        async with connected(device, timeout_s=30) as adapter:
            device.twist = twist
            started = time.monotonic()
            with pytest.raises(LinkLost, match="serial port"):
                await adapter.read(adapter.plan(tags(["hr:1"])))
            assert time.monotonic() - started < 5.0


@pytest.mark.parametrize(
    ("port", "words"), [("/dev/no-such-port", "there is no serial port"), ("/etc/hostname", "is no serial port")]
)
async def test_a_serial_port_that_is_none(port: str, words: str) -> None:
    adapter = Modbus(ModbusSettings.model_validate({"transport": "serial", "port": port}))
    with pytest.raises(LinkLost, match=words):
        await adapter.connect()
    await adapter.close()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"transport": "serial"}, "the name of its port"),
        ({"transport": "serial", "port": "/dev/ttyS0", "host": "a"}, "has no host"),
        ({"transport": "serial", "port": "/dev/ttyS0", "unit": 0}, "1 to 247"),
        ({"transport": "rtu-over-tcp"}, "'host' is missing"),
        ({"host": "a", "port": "/dev/ttyS0"}, "needs transport: serial"),
        ({"host": "a", "forbidden": ["hr:9-1"]}, "the numbers of a range rise"),
        ({"host": "a", "forbidden": ["all"]}, "is no range"),
        ({"host": "a", "quirks": {"first_address": 2}}, "0 or 1"),
        ({"host": "a", "quirks": {"adress": 2}}, "Extra inputs"),
        ({"host": "a", "quirks": {"local_echo": True}}, "local_echo is for RTU"),
        ({"host": "a", "transport": "rtu-over-tcp", "quirks": {"any_unit": True}}, "any_unit is for Modbus TCP"),
    ],
)
def test_settings_that_cannot_be(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ModbusSettings.model_validate(given)
