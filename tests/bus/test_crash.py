"""The bus server is killed at any moment: nothing acknowledged is lost or doubled, nobody gives up."""

import asyncio
import time

import pytest

from bus import subjects
from bus.connection import BusUnavailable
from tests.servers import CODE, mine_bus

SUBJECT = subjects.samples(CODE, "edge1")


@pytest.fixture
async def running(tmp_path):
    async with mine_bus(tmp_path) as running:
        yield running


async def test_killed_while_2000_messages_are_published(running):
    gateway, store = await running.connect("gateway-edge1"), await running.connect("store")
    consumer = await store.consumer(subjects.SAMPLES, "store", ack_wait_s=5)
    total, acknowledged, seen = 2000, [], []
    one_at_a_time = asyncio.Semaphore(16)

    async def publish(number: int) -> None:
        async with one_at_a_time:
            while True:
                try:
                    await gateway.publish(SUBJECT, b"%d " % number + b"." * 2000, f"edge1-{number}", timeout=2)
                except BusUnavailable:
                    await gateway.wait_connected()
                else:
                    acknowledged.append(number)
                    return

    async def consume() -> None:
        while len(set(seen)) < total:
            messages = await consumer.fetch(200, None, 0.5)
            seen.extend(int(message.data.split()[0]) for message in messages)
            await consumer.acknowledge(messages)

    async def crash() -> None:
        for part in (0.2, 0.6):
            while len(acknowledged) < total * part:
                await asyncio.sleep(0.01)
            await running.process.kill()
            await asyncio.sleep(0.3)
            await running.process.start()
            for bus in (gateway, store):  # so that each crash breaks two connections that stood
                assert await bus.wait_connected(20)

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(crash())
        group.create_task(consume())
        for number in range(total):
            group.create_task(publish(number))
    assert sorted(acknowledged) == list(range(total))
    assert set(seen) == set(range(total))
    assert gateway.reconnects >= 2 and store.reconnects >= 2

    admin = await running.connect("admin")
    assert (await admin.stream_state(subjects.SAMPLES)).messages == total
    for bus in (gateway, store, admin):
        await bus.close()


async def test_everyone_is_back_within_seconds_of_a_restart(running):
    gateway, store, api = [await running.connect(p) for p in ("gateway-edge1", "store", "api")]
    consumer = await store.consumer(subjects.SAMPLES, "store")
    heard = asyncio.Event()

    async def handler(subject: str, data: bytes) -> None:
        heard.set()

    await api.listen(subjects.live(CODE, "*"), handler)
    await running.process.kill()
    begun = time.monotonic()
    with pytest.raises(BusUnavailable):
        await gateway.publish(SUBJECT, b"x", "edge1-1", timeout=30)
    await gateway.live(subjects.live(CODE, "edge1"), b"x")
    assert gateway.live_dropped == 1
    assert await consumer.fetch(10, None, 0.3) == []
    assert time.monotonic() - begun < 3 * 3, "calls must not hang while the bus is away"
    await asyncio.sleep(2)

    fetching = asyncio.create_task(consumer.fetch(10, None, 60))
    await running.process.start()
    begun = time.monotonic()
    while True:
        try:
            await gateway.publish(SUBJECT, b"y", "edge1-2")
            break
        except BusUnavailable:
            await gateway.wait_connected()
    assert [message.data for message in await fetching] == [b"y"]
    while not heard.is_set():
        await gateway.live(subjects.live(CODE, "edge1"), b"x")
        await asyncio.sleep(0.05)
    assert time.monotonic() - begun < 3 * 10
    for bus in (gateway, store, api):
        await bus.close()


async def test_what_was_not_acknowledged_comes_again(running):
    gateway, store = await running.connect("gateway-edge1"), await running.connect("store")
    for number in range(10):
        await gateway.publish(SUBJECT, str(number).encode(), f"edge1-{number}")
    consumer = await store.consumer(subjects.SAMPLES, "store", ack_wait_s=1)
    first = await consumer.fetch(10, None, 1)
    await consumer.acknowledge(first[:4])
    await store.close()

    store = await running.connect("store")
    consumer = await store.consumer(subjects.SAMPLES, "store", ack_wait_s=1)
    again = []
    async with asyncio.timeout(10):
        while len(again) < 6:
            again += await consumer.fetch(10, None, 0.5)
    assert [message.data for message in again] == [str(number).encode() for number in range(4, 10)]
    assert all(message.redelivered for message in again)
    await gateway.close()
    await store.close()


async def test_a_consumer_may_come_before_its_stream_and_its_server(tmp_path):
    async with mine_bus(tmp_path, set_up=False) as running:
        store = await running.connect("store")
        consumer = await store.consumer(subjects.SAMPLES, "store")
        assert await consumer.fetch(1, None, 0.2) == []
        from bus import streams

        admin, gateway = await running.connect("admin"), await running.connect("gateway-edge1")
        await streams.ensure(admin, CODE)
        await gateway.publish(SUBJECT, b"x", "edge1-1")
        assert [message.data for message in await consumer.fetch(1, None, 5)] == [b"x"]
        for bus in (store, admin, gateway):
            await bus.close()


async def test_a_fetch_is_bounded_in_bytes_but_never_stuck(running):
    gateway, store = await running.connect("gateway-edge1"), await running.connect("store")
    sizes = [100_000, 100_000, 100_000, 3_000_000, 100_000]
    for number, size in enumerate(sizes):
        await gateway.publish(SUBJECT, b"." * size, f"edge1-{number}")
    consumer = await store.consumer(subjects.SAMPLES, "store")
    fetched = []
    for _ in range(10):
        messages = await consumer.fetch(100, 250_000, 1)
        fetched.append([len(message.data) for message in messages])
        await consumer.acknowledge(messages)
        if sum(map(len, fetched)) == len(sizes):
            break
    assert fetched == [[100_000, 100_000], [100_000], [3_000_000], [100_000]]
    await gateway.close()
    await store.close()


async def test_who_retries_at_once_does_not_starve_the_reconnection(running):
    """The instant between the loss of the connection and its being told is where a retry could spin."""
    gateway = await running.connect("gateway-edge1")
    for attempt in range(5):
        await gateway._link.client().close()  # the state right after nats-py has seen the loss
        async with asyncio.timeout(10):
            while True:
                try:
                    await gateway.publish(SUBJECT, b"x", f"edge1-{attempt}")
                    break
                except BusUnavailable:
                    await gateway.wait_connected()
    assert gateway.reconnects == 5
    await gateway.close()
