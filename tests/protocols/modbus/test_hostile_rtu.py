"""P11 on RTU, inside TCP and on a serial line: whatever a unit that answers in order sends, and however late,
no wrong value is given as a good one.

Two lies are left out, because no master can see them on RTU: a unit that gives an old reply of the same
length in place of the right one, and one that repeats a reply just when the next is due.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.quality import is_good
from protocols.adapter import LinkLost
from protocols.modbus import Modbus, ModbusSettings
from tests.protocols.modbus.rawdevice import Request, RtuDevice, rtu_frame
from tests.protocols.modbus.test_hostile import TAGS, TIMEOUT_S, right, truth

TRANSPORTS = ("rtu-over-tcp", "serial")


class Liar:
    """Answers by a script, one act a request, one request after the other; when the script ends, rightly.
    A question for a number (function 8) is answered rightly, but in its turn."""

    def __init__(self, script: Sequence[str]) -> None:
        self.script = list(script)
        self.past: list[Request] = []
        self.turn = asyncio.Lock()

    async def twist(self, request: Request, writer: Any) -> bytes | None:
        async with self.turn:
            if request.function == 8:
                return None
            act = self.script.pop(0) if self.script else "right"
            old = self.past[-1] if self.past else request
            self.past.append(request)
            return await self.act(act, request, old, writer)

    async def act(self, act: str, request: Request, old: Request, writer: Any) -> bytes:
        good, stale = right(request), right(old)
        if act in ("late", "very late"):
            await asyncio.sleep(TIMEOUT_S * (1.3 if act == "late" else 4))
            return good
        if act == "half now, half late":
            writer.write(good[:5])
            await asyncio.sleep(TIMEOUT_S * 1.3)
            return good[5:]
        if act == "old a moment before":
            writer.write(stale)
            for _ in range(4):  # turns of the loop, in which the adapter reads it
                await asyncio.sleep(0)
            return good
        if act == "dribble":
            for byte in good[:-1]:
                writer.write(bytes([byte]))
                await asyncio.sleep(0)
            return good[-1:]
        if act == "close":
            # A serial line cannot be closed by the unit: there it is silence.
            if hasattr(writer, "transport"):
                writer.close()
            return b""
        inner = rtu_frame(request.unit, b"\x03\x06\xee\xee\xee\xee\xee\xee")
        return {
            "right": good,
            "never": b"",
            "twice": good + good,
            "old first": stale + good,
            "old after": good + stale,
            "foreign unit": right(old, unit=request.unit + 1),
            "foreign unit first": right(old, unit=request.unit + 1) + good,
            "frame in a foreign frame": rtu_frame(request.unit + 1, b"\x03" + bytes([len(inner)]) + inner) + good,
            "foreign function": right(old, function=4),
            "foreign function first": right(old, function=4) + good,
            "short": good[:-3],
            "short, honest about it": rtu_frame(request.unit, b"\x03\x02\xee\xee"),
            "long": rtu_frame(request.unit, b"\x03\x08" + b"\xee" * 8),
            "trailing": good + b"\0",
            "wrong checksum": good[:-1] + bytes([good[-1] ^ 0x10]),
            "a flipped bit": good[:4] + bytes([good[4] ^ 1]) + good[5:],
            "exception": request.refuse(4),
            "exception of another": rtu_frame(request.unit, b"\x84\x04"),
            "unknown function": rtu_frame(request.unit, b"\x55" + good[2:]),
            "noise before": b"\x00" + good,
            "noise": b"\x7f\xff\x00\x13" * 20,
            "babble": b"\xa5" * 3000,
        }[act]


_ACTS = (
    "right|late|very late|half now, half late|dribble|old a moment before|close|"
    "never|twice|old first|old after|foreign unit|"
    "foreign unit first|frame in a foreign frame|foreign function|foreign function first|short|"
    "short, honest about it|long|trailing|wrong checksum|a flipped bit|exception|exception of another|"
    "unknown function|noise before|noise|babble"
)
ACTS = tuple(_ACTS.split("|"))


async def play(script: Sequence[str], transport: str, seen: Counter[str] | None = None) -> int:
    """Run the script to its end and until the unit is read well again; the number of good values."""
    liar = Liar(script)
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(str(context)))
    good_values = 0
    async with RtuDevice(liar.twist, serial=transport == "serial") as device:
        adapter: Modbus | None = None
        given_ = {**device.settings, "timeout_s": TIMEOUT_S, "rest_s": TIMEOUT_S}
        for _ in range(200):
            if adapter is None:
                adapter = Modbus(ModbusSettings.model_validate(given_))
                plan = adapter.plan(TAGS)
            try:
                reading = await adapter.read(plan)
            except LinkLost:
                if seen is not None:
                    seen.update(adapter.counters())
                await adapter.close()
                adapter = None
                continue
            last = {request.start: request.serial for request in device.requests if request.function == 3}
            good = is_good(reading.quality)
            for index, value in zip(reading.index[good].tolist(), reading.value[good].tolist(), strict=True):
                address = int(TAGS[index].address.split(":")[1])
                assert value == truth(last[0 if address < 500 else 500], address), f"wrong value after {script}"
                good_values += 1
            assert set(reading.index[~good].tolist()) == set(reading.reasons)
            if good.all() and not liar.script:
                break
            # Rests are counted in real time.
            await asyncio.sleep(0.002)
        else:
            raise AssertionError(f"never read well again after {script}")
        assert adapter is not None
        if seen is not None:
            seen.update(adapter.counters())
        await adapter.close()
    assert not complaints, complaints
    return good_values


@pytest.mark.parametrize("transport", TRANSPORTS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(ACTS), max_size=8))
def test_p11_no_wrong_value_whatever_comes_and_however_late(transport: str, script: list[str]) -> None:
    assert asyncio.run(play(script, transport)) >= len(TAGS)


@pytest.mark.proof
@pytest.mark.parametrize("transport", TRANSPORTS)
@settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(ACTS), max_size=20))
def test_p11_no_wrong_value_in_thousands_of_scripts(transport: str, script: list[str]) -> None:
    assert asyncio.run(play(script, transport)) >= len(TAGS)


@pytest.mark.parametrize("act", ACTS)
async def test_p11_each_lie_between_truths(act: str) -> None:
    for transport in TRANSPORTS:
        assert await play(["right", act, "right", act, act], transport) >= len(TAGS)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_p11_a_late_reply_is_seen_as_a_stray_and_not_used(transport: str) -> None:
    seen: Counter[str] = Counter()
    await play(["right", "late", "right", "right"], transport, seen)
    assert seen["timeouts_total"] >= 1 and seen["strays_total"] >= 1 and seen["resyncs_total"] >= 1


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_p11_on_the_gateways_own_event_loop(transport: str) -> None:
    assert uvloop.run(play(ACTS, transport)) >= len(TAGS)
