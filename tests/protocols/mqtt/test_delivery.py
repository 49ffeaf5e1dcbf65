"""At least once, proved by killing: nothing that was not acknowledged is lost."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from protocols.adapter import Delivery, LinkLost, Tag
from protocols.mqtt import Mqtt
from protocols.mqtt import link as link_module
from protocols.mqtt.window import AckWindow
from tests.protocols.mqtt.broker import Broker, Publisher, settings, tag


class Running:
    """An adapter that subscribes and keeps its deliveries; acknowledges at once unless told otherwise."""

    def __init__(self, adapter: Mqtt, acknowledge: bool) -> None:
        self.adapter = adapter
        self.deliveries: list[Delivery] = []
        self.count = 0
        """Of all values in them."""
        self.gate = asyncio.Event()
        self.gate.set()
        self.task: asyncio.Task[None] | None = None
        self._acknowledge = acknowledge

    async def deliver(self, delivery: Delivery) -> None:
        await self.gate.wait()
        self.deliveries.append(delivery)
        self.count += len(delivery.reading.value)
        if self._acknowledge:
            delivery.acknowledge()

    @property
    def values(self) -> list[float]:
        return [value for delivery in self.deliveries for value in delivery.reading.value.tolist()]

    async def has(self, values: Collection[float], seconds: float = 30.0) -> None:
        """Until each of these has come, at least once."""
        async with asyncio.timeout(seconds):
            while not set(values) <= set(self.values):
                await asyncio.sleep(0.01)
                if self.task is not None and self.task.done():
                    await self.task

    async def until(self, count: int, seconds: float = 30.0) -> None:
        async with asyncio.timeout(seconds):
            while self.count < count:
                await asyncio.sleep(0.01)
                if self.task is not None and self.task.done():
                    await self.task


@asynccontextmanager
async def running(
    port: int, tags: Sequence[Tag], *, acknowledge: bool = True, closed: bool = False, **more: Any
) -> AsyncIterator[Running]:
    adapter = Mqtt(Mqtt.Settings.model_validate(settings(port, **more)))
    await adapter.connect()
    run = Running(adapter, acknowledge)
    if closed:
        run.gate.clear()
    run.task = asyncio.create_task(adapter.subscribe(tags, run.deliver))
    try:
        await asyncio.sleep(0.1)
        # What is published before the broker has our subscription goes to nobody. Behind a closed gate its answer may
        # stand behind what the broker kept for us, and does not come.
        with suppress(TimeoutError):
            async with asyncio.timeout(2 if closed else 10):
                while adapter._link is not None and adapter._link._granted:
                    await asyncio.sleep(0.01)
        yield run
    finally:
        run.task.cancel()
        await asyncio.gather(run.task, return_exceptions=True)
        await adapter.close()


TAG = tag(0, "plant/+#n")


async def test_nothing_is_lost_though_the_consumer_is_killed_again_and_again(
    broker: Broker, publisher: Publisher, tmp_path: Path
) -> None:
    written = tmp_path / "written"
    command = [sys.executable, "-m", "tests.protocols.mqtt.consumer", str(broker.port), str(written)]

    def start(*fatal: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([*command, *fatal], stdout=subprocess.PIPE)
        assert process.stdout is not None and process.stdout.readline() == b"connected\n"
        return process

    total, chance = 3000, random.Random(1)
    consumer = await asyncio.to_thread(start, "3")
    sent = []
    try:
        for number in range(total):
            sent.append(publisher.send(f"plant/{number % 7}", {"n": number}))
            if number % 20 == 19:
                await asyncio.sleep(0.01)
            if number % 700 == 699:
                await asyncio.sleep(chance.uniform(0, 0.05))
                if number > 700:  # the first one ends by itself, certainly between write and acknowledgement
                    consumer.kill()
                await asyncio.to_thread(consumer.wait, 60)
                consumer = await asyncio.to_thread(start)
        async with asyncio.timeout(60):
            lines: list[str] = []
            while len(set(lines)) < total:
                await asyncio.sleep(0.1)
                lines = written.read_text().split()
    finally:
        consumer.kill()
        consumer.wait()
        assert consumer.stdout is not None
        consumer.stdout.close()
    assert all(info.is_published() for info in sent)
    assert sorted(map(int, set(lines))) == list(range(total))
    assert len(lines) > total, "what was written and not acknowledged did not come again"


async def test_what_was_not_acknowledged_comes_again_and_what_was_does_not(
    broker: Broker, publisher: Publisher
) -> None:
    async with running(broker.port, [TAG], acknowledge=False) as first:
        for number in range(10):
            await publisher.publish("plant/a", {"n": number})
            await first.until(number + 1)
        for delivery in first.deliveries[:4]:
            delivery.acknowledge()
        await asyncio.sleep(0.1)
    async with running(broker.port, [TAG]) as second:
        await second.until(6)
        await asyncio.sleep(0.2)
        assert second.values == [4, 5, 6, 7, 8, 9]
        assert second.adapter.counters()["redelivered_total"] == 6
        assert second.adapter.counters()["sessions_resumed_total"] == 1
        async with asyncio.timeout(15):
            while second.adapter.counters()["acknowledged_total"] != 6:
                await asyncio.sleep(0.01)
    async with running(broker.port, [TAG]) as third:
        await asyncio.sleep(0.2)
        assert third.values == []


async def test_a_late_acknowledgement_holds_back_those_after_it(broker: Broker, publisher: Publisher) -> None:
    async with running(broker.port, [TAG], acknowledge=False) as first:
        for number in range(3):
            await publisher.publish("plant/a", {"n": number})
            await first.until(number + 1)
        first.deliveries[2].acknowledge()
        await asyncio.to_thread(first.deliveries[1].acknowledge)
        await asyncio.sleep(0.1)
        assert first.adapter.counters()["acknowledged_total"] == 0
    async with running(broker.port, [TAG]) as second:
        await second.until(3)


def test_the_window_sends_in_the_order_of_arrival() -> None:
    sent: list[tuple[int, int]] = []
    window = AckWindow(lambda mid, qos: sent.append((mid, qos)))
    numbers = [window.arrived(mid, 1) for mid in (7, 9, 8, 7)]
    window.finished([numbers[2], numbers[1]])
    assert sent == [] and len(window) == 4
    window.finished([numbers[0], numbers[0]])
    assert sent == [(7, 1), (9, 1), (8, 1)]
    window.forget()
    window.finished([numbers[3]])
    assert len(sent) == 3 and len(window) == 0
    window.finished([window.arrived(1, 1)])
    assert sent[-1] == (1, 1)


async def test_messages_kept_while_away_come_and_survive_the_brokers_own_restart(
    broker: Broker, publisher: Publisher
) -> None:
    async with running(broker.port, [TAG]) as run:
        await publisher.publish("plant/a", {"n": 1})
        await run.until(1)
    for number in range(2, 52):
        await publisher.publish("plant/a", {"n": number})
    publisher.close()
    await asyncio.to_thread(broker.stop)
    await asyncio.to_thread(broker.start)
    async with running(broker.port, [TAG]) as run:
        await run.until(50)
        assert run.values == list(range(2, 52))


async def test_a_killed_broker_is_link_lost_soon(broker: Broker) -> None:
    async with running(broker.port, [TAG]) as run:
        await asyncio.to_thread(broker.stop, signal.SIGKILL)
        assert run.task is not None
        with pytest.raises(LinkLost):
            await asyncio.wait_for(asyncio.shield(run.task), 15)


async def test_many_pending_messages_are_one_delivery(broker: Broker, publisher: Publisher) -> None:
    async with running(broker.port, [TAG], closed=True) as run:
        await publisher.publish("plant/a", {"n": 0})
        for number in range(1, 1501):
            publisher.send("plant/a", {"n": number})
        async with asyncio.timeout(30):
            while run.adapter.counters()["messages_total"] < 1501:
                await asyncio.sleep(0.05)
        run.gate.set()
        await run.until(1501)
        assert run.values == list(range(1501))
        assert len(run.deliveries) < 20


async def test_a_reader_that_falls_behind_leaves_the_rest_with_the_broker(broker: Broker, publisher: Publisher) -> None:
    """Also past the keep-alive, and nothing is lost or sent twice."""
    async with running(broker.port, [TAG], closed=True, max_queued=100, keepalive_s=4) as run:
        total = 20_000
        padding = "x" * 500
        for number in range(total):
            publisher.send("plant/a", {"n": number, "padding": padding})
        await asyncio.sleep(7)
        assert run.adapter.counters()["messages_total"] <= 300
        run.gate.set()
        await run.until(total, 60)
        assert run.values == list(range(total))
        assert run.adapter.counters()["redelivered_total"] == 0


async def test_the_queue_is_bounded_in_bytes(
    broker: Broker, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "MAX_QUEUED_BYTES", 1_000_000)
    async with running(broker.port, [TAG], closed=True) as run:
        for number in range(60):
            publisher.send("plant/a", {"n": number, "padding": "x" * 100_000})
        await asyncio.sleep(1)
        assert run.adapter.counters()["messages_total"] < 40
        run.gate.set()
        await run.until(60)
        assert run.values == list(range(60))


async def test_more_was_kept_for_us_than_fits_and_the_consumer_is_slow(broker: Broker, publisher: Publisher) -> None:
    """The answer to our subscription then stands behind what we do not read yet."""
    async with running(broker.port, [TAG]):
        pass
    for number in range(2000):
        publisher.send("plant/a", {"n": number})
    await publisher.publish("plant/a", {"n": 2000})
    async with running(broker.port, [TAG], closed=True, max_queued=100) as run:
        await asyncio.sleep(2.5)
        run.gate.set()
        await run.until(2001)
        await publisher.publish("plant/b", {"n": 2001})
        await run.until(2002)
        assert run.values == list(range(2002))
        assert run.adapter.counters()["redelivered_total"] == 0
