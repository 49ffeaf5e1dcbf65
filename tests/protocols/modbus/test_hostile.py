"""A device that delays, repeats, reorders and lies: no wrong value is ever given as a good one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.quality import is_good
from protocols.adapter import LinkLost, Tag
from protocols.modbus import Modbus, ModbusSettings
from tests.protocols.modbus.rawdevice import RawDevice, Request, frame

TIMEOUT_S = 0.04
WELL_AGAIN_S = 20.0
"""Within this a device that has stopped to lie is read well: its rests, each twice as long, are over by then."""
COUNT = 3
TAGS = [Tag(n, f"m/e/p{n}", f"hr:{n}") for n in range(COUNT)] + [
    Tag(COUNT + n, f"m/e/q{n}", f"hr:{500 + n}") for n in range(COUNT)
]


def truth(serial: int, address: int) -> int:
    """The register's value in the answer to the request of that serial number: never the same twice."""
    return (serial * 1000 + address) % 65536


def right(request: Request, **other: int) -> bytes:
    data = b"".join(truth(request.serial, request.start + n).to_bytes(2, "big") for n in range(request.count))
    return request.reply(bytes([len(data)]) + data, **other)


class Liar:
    """Answers by a script, one act a request; when the script ends, rightly."""

    def __init__(self, script: Sequence[str]) -> None:
        self.script = list(script)
        self.device: RawDevice | None = None
        self.past: list[Request] = []
        self.rest: tuple[asyncio.StreamWriter, bytes] | None = None
        self.jobs: set[asyncio.Task[None]] = set()
        self.writers: list[asyncio.StreamWriter] = []

    async def twist(self, request: Request, writer: asyncio.StreamWriter) -> bytes | None:
        act = self.script.pop(0) if self.script else "right"
        if writer not in self.writers:
            self.writers.append(writer)
        rest, self.rest = self.rest, None
        before = rest[1] if rest is not None and rest[0] is writer else b""
        old = self.past[-1] if self.past else request
        self.past.append(request)
        return before + await self.act(act, request, old, writer)

    async def act(self, act: str, request: Request, old: Request, writer: asyncio.StreamWriter) -> bytes:  # noqa: PLR0911
        good, stale = right(request), right(old, transaction=old.transaction)
        if act == "late":
            self.later(good)
            return b""
        if act == "half old after":
            self.rest = writer, stale[7:]
            return good + stale[:7]
        if act == "frame in a frame":
            # Its second half looks like the answer to the next request.
            inner = frame(request.transaction + 1, request.unit, b"\x03\x06\xee\xee\xee\xee\xee\xee")
            self.rest = writer, inner
            return good + old.reply(inner)[: -len(inner)]
        if act == "dribble":
            for byte in good[:-1]:
                writer.write(bytes([byte]))
                await asyncio.sleep(0)
            return good[-1:]
        if act == "close":
            writer.close()
            return b""
        if act == "half and close":
            writer.write(good[:10])
            writer.close()
            return b""
        shorter, longer = right(old, transaction=request.transaction)[:-2], good + b"\0\0"
        body = good[8:]
        return {
            "right": good,
            "never": b"",
            "twice": good + good,
            "old first": stale + good,
            "old after": good + stale,
            "old only": stale,
            "no transaction": right(old, transaction=0),
            "no transaction, then right": right(old, transaction=0) + good,
            "next transaction": right(request, transaction=request.transaction + 1),
            "foreign unit": right(old, transaction=request.transaction, unit=request.unit + 1),
            "foreign function": right(old, transaction=request.transaction, function=4),
            "short": shorter,
            "short, honest about it": frame(request.transaction, request.unit, b"\x03\x02" + body[1:3]),
            "long": frame(request.transaction, request.unit, b"\x03" + bytes([len(body) + 1]) + body[1:] + b"\0\0"),
            "trailing": longer,
            "lying count": frame(request.transaction, request.unit, b"\x03" + bytes([body[0] - 2]) + body[1:]),
            "exception": request.refuse(4),
            "exception of another": request.refuse(4)[:7] + b"\x84\x04",
            "long exception": frame(request.transaction, request.unit, b"\x83\x04\0\0\0\0\0\0"),
            "unknown function": frame(request.transaction, request.unit, b"\x55" + body),
            "empty": frame(request.transaction, request.unit, b""),
            "not Modbus": b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "foreign protocol": good[:2] + b"\0\1" + good[4:],
        }[act]

    def later(self, data: bytes) -> None:
        """Too late, on every connection there then is: such gateways exist."""

        async def send() -> None:
            await asyncio.sleep(TIMEOUT_S * 1.2)
            for writer in self.writers:
                with contextlib.suppress(OSError, RuntimeError):
                    writer.write(data)

        task = asyncio.create_task(send())
        self.jobs.add(task)
        task.add_done_callback(self.jobs.discard)


_ACTS = (
    "right|late|half old after|frame in a frame|dribble|close|half and close|never|twice|old first|"
    "old after|old only|no transaction|no transaction, then right|next transaction|foreign unit|"
    "foreign function|short|short, honest about it|long|trailing|lying count|exception|"
    "exception of another|long exception|unknown function|empty|not Modbus|foreign protocol"
)
ACTS = tuple(_ACTS.split("|"))


async def play(script: Sequence[str], seen: Counter[str] | None = None) -> int:
    """Run the script to its end and until the device is read well again; the number of good values."""
    liar = Liar(script)
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(str(context)))
    good_values = 0
    async with RawDevice(liar.twist) as device:
        adapter: Modbus | None = None
        deadline = time.monotonic() + WELL_AGAIN_S
        while True:
            assert time.monotonic() < deadline, f"never read well again after {script}"
            if adapter is None:
                adapter = Modbus(
                    ModbusSettings(host="127.0.0.1", port=device.port, timeout_s=TIMEOUT_S, rest_s=TIMEOUT_S)
                )
                plan = adapter.plan(TAGS)
            try:
                reading = await adapter.read(plan)
            except LinkLost:
                await adapter.close()
                adapter = None
                continue
            assert len(reading) == len(TAGS)
            last = {request.start: request.serial for request in device.requests}
            good = is_good(reading.quality)
            for index, value in zip(reading.index[good].tolist(), reading.value[good].tolist(), strict=True):
                address = int(TAGS[index].address.split(":")[1])
                start = 0 if address < 500 else 500
                assert value == truth(last[start], address), f"wrong value at {address} after {script}"
                good_values += 1
            assert set(reading.index[~good].tolist()) == set(reading.reasons)
            if good.all() and not liar.script:
                break
            if not good.any():
                # It rests: asked again at once, it is still resting.
                await asyncio.sleep(TIMEOUT_S / 4)
        if seen is not None and adapter is not None:
            seen.update(adapter.counters())
        if adapter is not None:
            await adapter.close()
        for task in list(liar.jobs):
            task.cancel()
    assert not complaints, complaints
    return good_values


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(ACTS), max_size=10))
def test_p11_no_wrong_value_whatever_the_device_sends(script: list[str]) -> None:
    assert asyncio.run(play(script)) >= len(TAGS)


@pytest.mark.parametrize("act", ACTS)
async def test_p11_each_lie_alone_twice_and_between_truths(act: str) -> None:
    for script in ([act], [act, act], ["right", act, "right", act]):
        assert await play(script) >= len(TAGS)


async def test_p11_a_late_reply_is_never_taken_for_another_requests() -> None:
    seen: Counter[str] = Counter()
    await play(["right", "right", "late", "right", "old first", "right", "right"], seen)
    assert seen["timeouts_total"] >= 1 and seen["strays_total"] >= 1


async def test_a_silent_device_writes_nothing_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await play(["never", "no transaction", "not Modbus", "unknown function"])
    assert not [record for record in caplog.records if record.name.startswith("pymodbus")]
