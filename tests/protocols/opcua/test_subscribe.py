"""What a server reports arrives whole, with its status and time, or the link is lost loudly."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from asyncua import ua

from models.quality import Quality
from protocols.adapter import Delivery, LinkLost, Occurrence, Reading, Tag
from protocols.opcua import OpcUa
from tests.protocols.opcua.machine import Machine, item, tag
from tests.protocols.opcua.server import NAMESPACE


class Running:
    """An adapter that subscribes; its readings, and a gate that holds it back."""

    def __init__(self, adapter: OpcUa) -> None:
        self.adapter = adapter
        self.readings: list[Reading] = []
        self.history: list[Reading] = []
        self.events: list[Occurrence] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.task: asyncio.Task[None] = asyncio.create_task(asyncio.sleep(0))

    async def deliver(self, delivery: Delivery) -> None:
        self.readings.append(delivery.reading)
        self.events += delivery.events
        if delivery.history:
            self.history.append(delivery.reading)
        delivery.acknowledge()
        await self.gate.wait()

    def rows(self, index: int) -> list[tuple[float, int]]:
        return [
            (value, quality)
            for reading in self.readings
            for value, quality in zip(
                reading.value[reading.index == index].tolist(),
                reading.quality[reading.index == index].tolist(),
                strict=True,
            )
        ]

    def last(self, index: int) -> tuple[Reading, int]:
        """The newest reading with that tag, and the tag's last row in it."""
        for reading in reversed(self.readings):
            rows = np.flatnonzero(reading.index == index)
            if len(rows):
                return reading, int(rows[-1])
        raise AssertionError(f"nothing for {index}")

    async def until(self, met: Any, seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while not met():
                await asyncio.sleep(0.01)
                if self.task.done():
                    await self.task

    async def until_lost(self, seconds: float) -> str:
        with pytest.raises(LinkLost) as lost:
            await asyncio.wait_for(asyncio.shield(self.task), seconds)
        return str(lost.value)


@asynccontextmanager
async def running(
    machine: Machine, tags: Sequence[Tag], memory: dict[str, Any] | None = None, **more: Any
) -> AsyncIterator[Running]:
    adapter = machine.adapter(**more)
    adapter.memory = {} if memory is None else memory
    await adapter.connect()
    run = Running(adapter)
    run.task = asyncio.create_task(adapter.subscribe(tags, run.deliver))
    try:
        yield run
    finally:
        run.task.cancel()
        await asyncio.gather(run.task, return_exceptions=True)
        await adapter.close()


CODES = {
    "GoodLocalOverride": Quality.GOOD_LOCAL_OVERRIDE,
    "GoodClamped": Quality.GOOD,
    "Uncertain": Quality.UNCERTAIN,
    "UncertainLastUsableValue": Quality.UNCERTAIN_LAST_USABLE,
    "UncertainSensorNotAccurate": Quality.UNCERTAIN_SENSOR,
    "UncertainEngineeringUnitsExceeded": Quality.UNCERTAIN_RANGE,
    "UncertainSubNormal": Quality.UNCERTAIN_SUBNORMAL,
    "Bad": Quality.BAD,
    "BadConfigurationError": Quality.BAD_CONFIGURATION,
    "BadNotConnected": Quality.BAD_NOT_CONNECTED,
    "BadDeviceFailure": Quality.BAD_DEVICE_FAILURE,
    "BadSensorFailure": Quality.BAD_SENSOR_FAILURE,
    "BadNoCommunication": Quality.BAD_COMMUNICATION,
    "BadOutOfService": Quality.BAD_OUT_OF_SERVICE,
    "BadWaitingForInitialData": Quality.BAD_WAITING,
}


async def test_status_and_source_time_come_along(machine: Machine) -> None:
    async with running(machine, [tag(0, "Speed")]) as run:
        for number, (name, quality) in enumerate(CODES.items(), 1):
            ts = 1_700_000_000_123_456 + number
            await machine.set(Speed={"v": number, "status": getattr(ua.StatusCodes, name), "ts": ts})
            await run.until(
                lambda ts=ts: run.readings and ts in (run.last(0)[0].ts if run.last(0)[0].ts is not None else ())
            )
            reading, row = run.last(0)
            assert reading.quality[row] == quality, name
            # This server sends no value with a bad status.
            assert reading.value[row] == number or (quality < 64 and math.isnan(reading.value[row]))
            if quality < 192:
                assert name in reading.reasons[0]
        await machine.set(Speed={"v": 50, "status": 0x00000500 | 0x00000000})
        await run.until(lambda: run.rows(0)[-1] == (50.0, 192 + 1))
        await machine.set(Speed={"v": 52, "status": 0x480})
        await run.until(lambda: run.rows(0)[-1] == (52.0, 192))
        assert run.adapter.counters()["overflows_total"] == 1
        await machine.set(Speed={"v": 51, "ts": 0})
        await run.until(lambda: run.rows(0)[-1][0] == 51)
        reading, row = run.last(0)
        assert reading.ts is None or reading.ts[row] == 0


async def test_every_kind_of_value(machine: Machine) -> None:
    names = ["Running", "Count", "Word", "Table", "Moment", "Big"]
    tags = [tag(index, name) for index, name in enumerate(names)]
    tags += [tag(6, "Moment", "text"), tag(7, "Word", "float64"), tag(8, "Speed", "text"), tag(9, "Empty")]
    async with running(machine, tags) as run:
        await machine.set(Running=True, Count=-7, Word="矿 on", Speed=2.5)
        await run.until(lambda: len({i for r in run.readings for i in r.index.tolist()}) == len(tags))
        await run.until(lambda: run.rows(5)[-1][0] == 2**60 and run.rows(1)[-1][0] == -7 and run.rows(0)[-1][0] == 1)
        await run.until(lambda: (r := run.last(2))[0].text is not None and r[0].text[r[1]].as_py() == "矿 on")
        assert run.rows(4)[-1] == (1_700_000_000.0, 192)
        reading, row = run.last(6)
        assert reading.text is not None and reading.text[row].as_py() == "2023-11-14T22:13:20+00:00"
        for index, words in ((3, "array of 2"), (7, "float64 is due")):
            reading, row = run.last(index)
            assert reading.quality[row] == 0 and math.isnan(reading.value[row]) and words in reading.reasons[index]
        await run.until(lambda: (r := run.last(8))[0].text is not None and r[0].text[r[1]].as_py() == "2.5")
        assert run.rows(9)[-1][1] == 0 and "no value" in run.last(9)[0].reasons[9]


async def test_what_the_server_lacks_is_told_once_and_asked_for_again(machine: Machine) -> None:
    tags = [tag(0, "Speed"), tag(1, "Nothing"), tag(2, "Speed", namespace="urn:else"), Tag(3, "p", "i=2258")]
    async with running(machine, tags, retry_s=0.5) as run:
        await run.until(lambda: {0, 1, 2, 3} <= {i for r in run.readings for i in r.index.tolist()})
        assert [quality for index in (1, 2) for _, quality in run.rows(index)] == [Quality.BAD_CONFIGURATION] * 2
        reasons = {index: words for reading in run.readings for index, words in reading.reasons.items()}
        assert "BadNodeIdUnknown" in reasons[1]
        assert "urn:else" in reasons[2] and NAMESPACE in reasons[2]
        assert run.rows(3)[0][1] == 192
        await asyncio.sleep(2.5)
        assert len(run.rows(1)) == len(run.rows(2)) == 1, "asked again and again, and told once"
        await machine.order(add="Nothing")
        await run.until(lambda: run.rows(1)[-1] == (1.5, 192))
        await machine.set(Speed=9)
        await run.until(lambda: run.rows(0)[-1] == (9.0, 192))


async def test_a_burst_on_two_thousand_values_loses_nothing() -> None:
    machine = Machine(items=2000)
    await machine.start()
    try:
        rounds, tags = 5, [item(number, number) for number in range(2000)]
        async with running(machine, tags, max_items_per_subscription=1200, watchdog_s=30, timeout_s=30) as run:
            await run.until(lambda: sum(map(len, run.readings)) >= 2000, 60)
            before = sum(map(len, run.readings))
            assert before == 2000
            await machine.order(burst=rounds, **{"from": 1})
            await run.until(lambda: sum(map(len, run.readings)) >= before + 2000 * rounds, 60)
            await asyncio.sleep(0.2)
            index = np.concatenate([reading.index for reading in run.readings])
            value = np.concatenate([reading.value for reading in run.readings])
            order = np.argsort(index, kind="stable")
            assert (value[order].reshape(2000, -1) == np.arange(rounds + 1)).all(), "in order, none missing, none twice"
            assert len(run.readings) < 60, "many values are one delivery"
            run.gate.clear()
            await machine.order(burst=12, **{"from": 100})
            await asyncio.sleep(1)
            run.gate.set()
            await run.until(lambda: sum(map(len, run.readings)) >= 2000 * (1 + rounds + 12), 60)
            assert run.adapter.counters()["gaps_total"] == run.adapter.counters()["overflows_total"] == 0
    finally:
        await machine.stop()


async def test_a_gateway_that_is_held_back_longer_than_the_watchdog_keeps_its_link(machine: Machine) -> None:
    async with running(machine, [tag(0, "Speed")]) as run:
        await run.until(lambda: run.rows(0))
        run.gate.clear()
        for number in range(1, 51):
            await machine.set(Speed=number)
            await asyncio.sleep(0.06)
        run.gate.set()
        await run.until(lambda: run.rows(0)[-1][0] == 50)
        assert [value for value, _ in run.rows(0)] == list(range(51))


async def test_a_frozen_server_is_lost_within_the_watchdogs_time(machine: Machine) -> None:
    async with running(machine, [tag(0, "Speed")]) as run:
        await run.until(lambda: run.rows(0))
        machine.freeze()
        started = time.monotonic()
        await run.until_lost(15)
        assert time.monotonic() - started < 3 * 3
        started = time.monotonic()
        await run.adapter.close()
        assert time.monotonic() - started < 3 * 2


async def test_a_server_that_answers_but_sends_no_data_is_lost(machine: Machine) -> None:
    """The link is up, reads are answered, keep-alives come: only the watchdog notices."""
    async with running(machine, [tag(0, "Speed")]) as run:
        await run.until(lambda: run.rows(0))
        session = run.adapter._session
        assert session is not None and run.adapter._feeds is not None
        parameters = ua.SetPublishingModeParameters()
        parameters.PublishingEnabled = False
        parameters.SubscriptionIds = [feed.id for feed in run.adapter._feeds._watch.feeds]
        await session.services.set_publishing_mode(parameters)
        words = await run.until_lost(15)
        assert "no data" in words and "watchdog" in words


async def test_quiet_values_are_not_a_lost_link(machine: Machine) -> None:
    async with running(machine, [tag(0, "Speed")], watchdog_s=4) as run:
        await run.until(lambda: run.rows(0))
        await asyncio.sleep(6)
        assert not run.task.done()
        assert len(run.rows(0)) == 1


async def test_a_subscription_that_the_server_dropped_is_lost(machine: Machine) -> None:
    async with running(machine, [tag(0, "Speed")]) as run:
        await run.until(lambda: run.rows(0))
        session = run.adapter._session
        assert session is not None and run.adapter._feeds is not None
        await session.services.delete_subscriptions([feed.id for feed in run.adapter._feeds._watch.feeds])
        await run.until_lost(15)


async def test_a_notification_that_is_left_out_is_a_lost_link(machine: Machine) -> None:
    async with running(machine, [tag(0, "Speed")]) as run:
        await run.until(lambda: run.rows(0))
        assert run.adapter._feeds is not None
        run.adapter._feeds._watch.feeds[0].sequence += 1
        await machine.set(Speed=1)
        assert "one is lost" in await run.until_lost(15)
        assert run.adapter.counters()["gaps_total"] == 1


async def test_after_a_crash_a_new_adapter_goes_on_though_the_namespace_has_moved(machine: Machine) -> None:
    async with running(machine, [tag(0, "Speed")]) as run:
        await run.until(lambda: run.rows(0))
        await machine.stop()
        await run.until_lost(15)
    machine.shift = 3
    started = time.monotonic()
    await machine.start()
    async with running(machine, [tag(0, "Speed")]) as run:
        await machine.set(Speed=8)
        await run.until(lambda: run.rows(0) and run.rows(0)[-1] == (8.0, 192))
    assert time.monotonic() - started < 3 * 10
