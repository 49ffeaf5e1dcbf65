"""Malformed replies by the thousand, over real sockets and serial lines: no wrong value, no crash, no stall of a
neighbour, no growth of memory, and each rejection counted."""

from __future__ import annotations

import asyncio
import random
import time
import tracemalloc
from collections import Counter
from typing import Any

import pytest

from models.quality import is_good
from protocols.adapter import LinkLost
from protocols.modbus import Modbus, ModbusSettings, pdu
from protocols.modbus.address import Table
from protocols.modbus.frame import Mbap
from protocols.modbus.framing import Framing
from protocols.modbus.rtu import LONGEST, Rtu
from tests.protocols.modbus.rawdevice import RawDevice, Request, RtuDevice, frame
from tests.protocols.modbus.test_hostile import right
from tests.protocols.modbus.test_reader import tags

DEVICES = 40
TIMEOUT_S = 0.5
TAGS = tags(["hr:0", "hr:1", "hr:2"])


def malformed(request: Request, noise: random.Random) -> bytes:  # noqa: PLR0911
    """A right reply made wrong where it can be seen: on TCP in its frame, on RTU anywhere."""
    good = right(request)
    kind = noise.randrange(12)
    if kind == 0:
        return noise.randbytes(noise.randrange(8, 300))
    if kind == 1:
        return good + noise.randbytes(noise.randrange(1, 300)) if request.rtu else b"\xff\xff" + good
    if kind == 2:
        return request.reply(b"\x06" + noise.randbytes(noise.choice((0, 2, 4, 8, 250))))
    if kind == 3:
        return request.reply(good[-6:], function=noise.choice((1, 2, 5, 6, 16, 22, 43, 100, 0x81, 0xFF)))
    if kind == 4:
        return request.refuse(noise.randrange(4, 256))
    if kind == 5 and noise.random() < 0.05:
        return good[: noise.randrange(len(good))]
    if request.rtu:
        at = noise.randrange(len(good))
        flipped = bytes([good[at] ^ 1 << noise.randrange(8)])
        return good[:at] + flipped + good[at + 1 :]
    head = bytearray(good)
    head[noise.choice((2, 3, 4, 6, 7, 8))] ^= 1 << noise.randrange(8)
    if kind == 6:
        return frame(0, request.unit, good[7:])
    if kind == 7:
        return frame(request.transaction ^ 0x5555, request.unit, good[7:]) * 3 + bytes(head)
    return bytes(head)


async def polls(transport: str, count: int, seed: int, seen: Counter[str]) -> None:
    """Poll one device until it sent so many malformed replies, a right one now and then."""
    noise = random.Random(seed)
    sent = 0

    async def twist(request: Request, _: Any) -> bytes | None:
        nonlocal sent
        if request.function != 3:
            return None
        if noise.random() < 0.05:
            return right(request)
        sent += 1
        return malformed(request, noise)

    async with RawDevice(twist) if transport == "tcp" else RtuDevice(twist, serial=transport == "serial") as device:
        where = device.settings if isinstance(device, RtuDevice) else {"host": "127.0.0.1", "port": device.port}
        settings = ModbusSettings.model_validate({**where, "timeout_s": TIMEOUT_S, "rest_s": 0.001})
        adapter = Modbus(settings)
        plan = adapter.plan(TAGS)
        while sent < count:
            try:
                reading = await adapter.read(plan)
            except LinkLost:
                seen.update(adapter.counters())
                await adapter.close()
                adapter = Modbus(settings)
                plan = adapter.plan(TAGS)
                continue
            good = is_good(reading.quality)
            assert good.all() or not good.any()
            if good.any():
                asked = [request for request in device.requests if request.function == 3][-1]
                values = dict(zip(reading.index.tolist(), reading.value.tolist(), strict=True))
                assert values == {n: float(asked.serial * 1000 + n) % 65536 for n in range(3)}
                seen["good"] += 1
            del device.requests[:-4]
            seen["bad"] += not good.any()
        seen.update(adapter.counters())
        await adapter.close()


async def swarm(transport: str, count: int) -> Counter[str]:
    """So many malformed replies from many devices, beside a device that is well and keeps its period."""
    seen: Counter[str] = Counter()
    late: list[float] = []
    async with RawDevice() as well:
        neighbour = Modbus(ModbusSettings(host="127.0.0.1", port=well.port, timeout_s=5))
        await neighbour.connect()
        plan = neighbour.plan(TAGS)

        async def watch() -> None:
            while True:
                began = time.monotonic()
                assert is_good((await neighbour.read(plan)).quality).all()
                late.append(time.monotonic() - began)
                await asyncio.sleep(0.05)

        watching = asyncio.create_task(watch())
        each = count // DEVICES
        await asyncio.gather(*(polls(transport, each, seed, seen) for seed in range(DEVICES)))
        assert not watching.done()
        watching.cancel()
        await neighbour.close()
    assert max(late) < 3.0, "a neighbour misses no period of 1 s, with a three-fold margin for a busy machine"
    return seen


def account(seen: Counter[str], count: int) -> None:
    """Each request came to an end that was counted, and so was each malformed reply. One that came just after
    its time-out counts as both."""
    rejected = seen["malformed_total"] + seen["timeouts_total"] + seen["exceptions_total"]
    assert rejected >= count
    # A question for a number that was answered (RTU) is neither a value nor a rejection.
    assert seen["requests_total"] <= rejected + seen["good"] + seen["resyncs_total"], seen


TRANSPORTS = ["tcp", "rtu-over-tcp", "serial"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_malformed_replies_over_real_lines(transport: str) -> None:
    account(await swarm(transport, 1_000), 1_000)


@pytest.mark.proof
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_million_malformed_replies_over_real_lines(transport: str) -> None:
    account(await swarm(transport, 1_000_000), 1_000_000)


@pytest.mark.parametrize("rtu", [False, True], ids=["tcp", "rtu"])
def test_ten_thousand_malformed_frames(rtu: bool) -> None:
    """Each is rejected, or waited for to go on, or it is the right reply with strays."""
    noise = random.Random(3)
    framing = Rtu() if rtu else Mbap()
    ends: Counter[str] = Counter()
    for serial in range(10_000):
        ask = pdu.read(1, Table.HOLDING_REGISTERS, 0, 3)
        sent = framing.start(ask)
        transaction = 0 if rtu else int.from_bytes(sent[:2], "big")
        request = Request(serial, transaction, 1, 3, 0, 3, ask.pdu[1:], rtu)
        data = malformed(request, noise)
        verdict = framing.feed(data)
        if verdict.reply is not None and not verdict.reply[0] & 0x80:
            good = right(request)
            assert not rtu and verdict.reply == good[7:] and good in data
        ends["fault" if verdict.fault else "stray" if verdict.strays else "reply" if verdict.reply else "wait"] += 1
        framing.end()
        if verdict.fault or not verdict.strays:
            framing.reset()
    assert ends["fault"] > 5_000 and min(ends.values()) > 20, ends


@pytest.mark.parametrize("framing", [Mbap(), Rtu()], ids=["tcp", "rtu"])
def test_noise_of_any_length_leaves_nothing_behind(framing: Framing) -> None:
    """20,000 pieces of noise in one request: nothing of it is a reply, and nothing of it is kept."""
    noise = random.Random(7)
    tracemalloc.start()
    try:
        for number in range(20_000):
            if number % 100 == 0:
                framing.reset()
                framing.start(pdu.read(1, Table.HOLDING_REGISTERS, 0, 3))
            assert framing.feed(noise.randbytes(noise.randrange(1, 40))).reply is None
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 100_000 and most < 2_000_000


def test_a_babbling_unit_fills_no_memory() -> None:
    framing = Rtu()
    framing.start(pdu.read(1, Table.HOLDING_REGISTERS, 0, 3))
    # Of what these files allocate: the test runner's own threads go on meanwhile.
    ours = [tracemalloc.Filter(True, "*/protocols/modbus/*"), tracemalloc.Filter(True, __file__)]

    def held_after(feeds: int) -> int:
        for _ in range(feeds):
            framing.feed(b"\x01\x03" + bytes(4_000))
        found = tracemalloc.take_snapshot().filter_traces(ours).statistics("filename")
        return sum(statistic.size for statistic in found)

    tracemalloc.start()
    try:
        few = held_after(10)
        assert held_after(1_000) - few < 2 * LONGEST
    finally:
        tracemalloc.stop()


async def test_a_device_that_floods_is_hung_up_on() -> None:
    async def twist(request: Request, writer: Any) -> bytes | None:
        return request.reply(b"\x02\0\0", transaction=request.transaction ^ 1) * 5_000

    async with RawDevice(twist) as device:
        adapter = Modbus(ModbusSettings(host="127.0.0.1", port=device.port, timeout_s=30))
        started = time.monotonic()
        reading = await adapter.read(adapter.plan(TAGS))
        assert time.monotonic() - started < 15.0
        assert "nobody asked for" in reading.reasons[0]
        await adapter.close()
