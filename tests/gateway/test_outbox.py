"""The outbox on a real bus where it matters, on a stand-in where the bus must misbehave on cue."""

import asyncio
import itertools
import time

import numpy as np
import pytest

from bus import subjects
from bus.errors import BusUnavailable, StreamFull
from bus.streams import Limits as StreamLimits
from gateway.chunk import Chunk, Receipt
from gateway.numbers import BatchNumbers
from gateway.outbox import Limits, Outbox, newest_of_each
from gateway.pressure import Pressure
from gateway.receipts import Outstanding
from models.samples import Batch, Samples, concat
from tests.gateway.sites import CODE
from tests.gateway.under_way import running
from tests.servers import mine_bus

NOW = 1_800_000_000_000_000


def samples(*rows):
    point, ts, value = zip(*rows, strict=True)
    return Samples(
        np.array(point, np.uint64), np.array(ts, np.int64), np.array(value, float), np.full(len(rows), 192, np.uint8)
    )


class Bus:
    """A bus that keeps what it takes, or does what `trouble` says."""

    def __init__(self):
        self.connected = True
        self.trouble = None
        self.taken = []
        self.shown = []
        self.order = []

    async def publish(self, subject, data, message_id, timeout=5.0):
        await asyncio.sleep(0)
        if self.trouble is not None:
            raise self.trouble("as the test wants it")
        self.taken.append((subject, Batch.decode(data), message_id))
        self.order.append("kept")

    async def live(self, subject, data):
        self.shown.append((subject, Batch.decode(data)))
        self.order.append("live")

    async def wait_connected(self, wait_s=None):
        return True

    def rows(self, kind):
        return concat([batch.samples for subject, batch, _ in self.taken if f".{kind}." in subject])


@pytest.fixture
async def outbox(tmp_path):
    made = Outbox(CODE, "edge1", BatchNumbers(tmp_path), lambda: NOW, Pressure(lambda _: None), Limits(flush_s=0.02))
    yield made


async def until(condition, within=20.0):
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within, "it did not happen"
        await asyncio.sleep(0.01)


async def test_statutory_samples_go_their_own_way_and_all_go_live_first(outbox):
    bus = Bus()
    outbox.put(Chunk(samples((1, NOW, 1.0), (2, NOW, 2.0), (3, NOW, 3.0)), np.array([True, False, False]), "a"))
    outbox.put(Chunk(samples((4, NOW, 4.0)), True, "b"))
    async with running(outbox, bus):
        await until(lambda: len(bus.taken) == 2)
    assert sorted(bus.rows("samples").point.tolist()) == [2, 3]
    assert sorted(bus.rows("safety").point.tolist()) == [1, 4]
    assert sorted(concat([b.samples for _, b in bus.shown]).point.tolist()) == [1, 2, 3, 4]
    assert bus.order.index("kept") > bus.order.index("live")
    numbers = [batch.number for _, batch, _ in bus.taken]
    assert len(set(numbers)) == 2
    assert {message_id for _, _, message_id in bus.taken} == {f"edge1-{n}" for n in numbers}


async def test_live_shows_the_newest_of_each_point_and_nothing_late(outbox):
    bus = Bus()
    outbox.put(Chunk(samples((1, NOW, 1.0), (2, NOW, 2.0)), False, "a"))
    outbox.put(Chunk(samples((1, NOW + 5, 1.5)), False, "a"))
    outbox.put(Chunk(samples((2, NOW - 90_000_000, 9.0), (3, NOW, 3.0)), False, "b", np.array([True, False])))
    await outbox.flush(bus)
    shown = concat([batch.samples for _, batch in bus.shown])
    assert sorted(zip(shown.point.tolist(), shown.value.tolist(), strict=True)) == [(1, 1.5), (2, 2.0), (3, 3.0)]


async def test_live_goes_on_while_the_stream_takes_nothing(outbox):
    bus = Bus()
    bus.trouble = BusUnavailable
    async with running(outbox, bus):
        for number in range(5):
            outbox.put(Chunk(samples((1, NOW + number, number)), False, "a"))
            await until(lambda number=number: any(b.samples.value[-1] == number for _, b in bus.shown))
        assert not bus.taken
        bus.trouble = None
        await until(lambda: len(bus.taken) == 5)
        assert bus.rows("samples").value.tolist() == [0, 1, 2, 3, 4], "in the order in which they were put"


async def test_a_delivery_is_acknowledged_only_when_all_of_it_is_in_the_bus(outbox):
    bus, done = Bus(), []
    bus.trouble = BusUnavailable
    async with running(outbox, bus):
        receipt = Receipt(lambda: done.append("first"))
        chunk = Chunk(samples((1, NOW, 1.0), (2, NOW, 2.0)), np.array([True, False]), "m", receipt=receipt)
        outbox.put(chunk)
        receipt.release()
        # The same delivery again brings nothing new. It must not be acknowledged before the first is safe.
        again = Receipt(lambda: done.append("again"))
        outbox.settle(again)
        again.release()
        await asyncio.sleep(0.1)
        later = Receipt(lambda: done.append("later"))
        outbox.settle(later)
        later.release()
        await asyncio.sleep(0.1)
        assert done == []
        bus.trouble = None
        await until(lambda: len(done) == 3)
        assert sorted(done) == ["again", "first", "later"] and len(bus.taken) == 2
        empty = Receipt(lambda: done.append("empty"))
        outbox.settle(empty)
        empty.release()
        assert done[-1] == "empty", "with nothing on its way there is nothing to wait for"


def test_receipts_wait_for_all_older_batches():
    outstanding, done = Outstanding(), []
    tokens = []
    for name in "abc":
        receipt = Receipt(lambda name=name: done.append(name))
        tokens.append(outstanding.begin([receipt]))
    outstanding.finish(tokens[1])
    assert done == []
    outstanding.finish(tokens[0])
    assert done == ["a", "b"]
    outstanding.finish(tokens[2])
    assert done == ["a", "b", "c"] and len(outstanding) == 0


async def test_full_buffer_drops_the_oldest_bulk_by_point_never_safety_nor_what_a_device_keeps(tmp_path):
    limits = Limits(flush_s=0.02, buffer_bytes=60_000)
    outbox = Outbox(CODE, "edge1", BatchNumbers(tmp_path), lambda: NOW, Pressure(lambda _: None), limits)
    bus = Bus()
    bus.trouble = StreamFull
    random = np.random.default_rng(1)
    receipt = Receipt(lambda: None)
    async with running(outbox, bus):
        outbox.put(Chunk(samples((7, NOW, 1.0)), False, "kept", receipt=receipt))
        outbox.put(Chunk(samples((8, NOW, 1.0)), True, "safety"))
        await outbox.flush(bus)
        for number in range(40):
            rows = [(point, NOW + number, float(random.random())) for point in range(100, 300)]
            outbox.put(Chunk(samples(*rows), False, "bulk"))
            await outbox.flush(bus)
        assert outbox.bridge.depth_bytes <= 60_000
        assert outbox.rows_dropped % 200 == 0 and outbox.rows_dropped > 1000
        assert outbox.dropped_by_point == dict.fromkeys(range(100, 300), outbox.rows_dropped // 200)
        waiting = asyncio.create_task(outbox.room())
        await asyncio.sleep(0.05)
        assert not waiting.done(), "a device that keeps its data is made to wait"
        bus.trouble = None
        await until(waiting.done, within=15)
        await until(lambda: outbox.bridge.depth_bytes == 0, within=15)
    assert bus.rows("safety").point.tolist() == [8]
    kept = bus.rows("samples")
    assert 7 in kept.point.tolist()
    assert int((kept.ts == NOW + 39).sum()) == 200, "the newest are kept"


def test_refusals_widen_step_by_step_and_calm_narrows_again():
    now, told = [100.0], []
    pressure = Pressure(told.append, lambda: now[0])
    for _ in range(200):
        pressure.refused()
        now[0] += 0.1
    assert told == [2.0, 4.0, 8.0]
    for _ in range(1200):
        pressure.relax()
        now[0] += 0.1
    assert told == [2.0, 4.0, 8.0, 4.0, 2.0, 1.0]


def test_newest_of_each_is_what_a_plain_loop_finds():
    random = np.random.default_rng(3)
    rows = [
        (int(p), int(t), float(i))
        for i, (p, t) in enumerate(zip(random.integers(0, 5, 200), random.integers(0, 30, 200), strict=True))
    ]
    best = {}
    for point, ts, value in rows:
        if point not in best or ts >= best[point][0]:
            best[point] = (ts, value)
    found = newest_of_each(samples(*rows))
    got = {p: (t, v) for p, t, v in zip(found.point.tolist(), found.ts.tolist(), found.value.tolist(), strict=True)}
    assert got == best


async def test_a_large_flush_becomes_batches_of_bounded_size(outbox):
    bus = Bus()
    count = 600_000
    big = Samples(
        np.random.default_rng(2).integers(0, 2**63, count).astype(np.uint64),
        np.full(count, NOW),
        np.random.default_rng(2).random(count),
        np.full(count, 192, np.uint8),
    )
    outbox.put(Chunk(big, False, "a"))
    async with running(outbox, bus):
        await until(lambda: outbox.bridge.depth_bytes == 0 and bus.taken, within=20)
    sizes = [len(batch.samples) for _, batch, _ in bus.taken]
    assert sum(sizes) == count and max(sizes) <= 250_000
    np.testing.assert_array_equal(bus.rows("samples").point, big.point)


async def test_a_full_stream_on_the_real_bus_is_survived_and_told(tmp_path):
    """Bulk is refused by a stream of one megabyte; safety goes on; the factor rises; nothing is stuck."""
    small = StreamLimits(samples_bytes=1 << 20, safety_bytes=8 << 20, events_bytes=1 << 20)
    async with mine_bus(tmp_path, CODE, limits=small) as server, await server.connect("gateway-edge1") as bus:
        told = []
        limits = Limits(flush_s=0.05, buffer_bytes=2 << 20)
        numbers = BatchNumbers(tmp_path / "gateway")
        outbox = Outbox(CODE, "edge1", numbers, lambda: time.time_ns() // 1000, Pressure(told.append), limits)
        random = np.random.default_rng(4)
        async with running(outbox, bus):
            for number in itertools.count():
                bulk = Samples(
                    random.integers(0, 1000, 20_000).astype(np.uint64),
                    random.integers(0, 2**60, 20_000),
                    random.random(20_000),
                    np.full(20_000, 192, np.uint8),
                )
                outbox.put(Chunk(bulk, False, ("bulk", number)))
                outbox.put(Chunk(samples((5, NOW + number, 1.0)), True, ("safety", number)))
                await outbox.flush(bus)
                await asyncio.sleep(0.02)
                if outbox.rows_dropped and number > 30:
                    break
                assert number < 300
            assert outbox.bridge.refusals > 0 and told[0] == 2.0
            admin = await server.connect("admin")
            async with asyncio.timeout(30):
                while (kept := (await admin.stream_state(subjects.SAFETY)).messages) <= number:
                    await asyncio.sleep(0.05)
            assert kept == number + 1
            await admin.close()


async def test_bus_away_then_back_brings_everything_once(tmp_path):
    async with mine_bus(tmp_path, CODE) as server, await server.connect("gateway-edge1") as bus:
        numbers = BatchNumbers(tmp_path / "gateway")
        outbox = Outbox(CODE, "edge1", numbers, lambda: time.time_ns() // 1000, Pressure(lambda _: None), Limits())
        async with running(outbox, bus):
            for number in range(30):
                if number == 8:
                    await server.process.kill()
                if number == 20:
                    await server.process.start()
                outbox.put(Chunk(samples((1, NOW + number, number)), False, "a"))
                await outbox.flush(bus)
                await asyncio.sleep(0.05)
            await until(lambda: outbox.rows_sent == 30, within=20)
        async with await server.connect("store") as store:
            consumer = await store.consumer(subjects.SAMPLES, "store")
            got = []
            while messages := await consumer.fetch(100, None, 1.0):
                got += [value for m in messages for value in Batch.decode(m.data).samples.value.tolist()]
                await consumer.acknowledge(messages)
            assert got == list(range(30))
