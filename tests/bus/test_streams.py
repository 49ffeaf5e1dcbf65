"""What the streams keep, and what a full one says."""

import asyncio

import pytest

from bus import streams, subjects
from bus.bridge import Entry, MemoryBridge
from bus.connection import BusUnavailable, MessageTooBig, StreamFull
from bus.streams import Limits
from tests.servers import CODE, SMALL, mine_bus

SUBJECT = subjects.samples(CODE, "edge1")
TINY = Limits(samples_bytes=1 << 20, safety_bytes=1 << 20, events_bytes=1 << 20)


async def test_streams_are_durable_refuse_when_full_and_may_be_changed(tmp_path):
    async with mine_bus(tmp_path) as running:
        admin = await running.connect("admin")
        for stream, hours in ((subjects.SAMPLES, 72), (subjects.SAFETY, 720), (subjects.EVENTS, 720)):
            config = (await admin.control(f"STREAM.INFO.{stream}", None))["config"]
            assert config["storage"] == "file" and config["discard"] == "new"
            assert config["duplicate_window"] == 120e9
            assert config["max_age"] == hours * 3600e9
            assert config["max_bytes"] == SMALL.of(stream)[0]
        await streams.ensure(admin, CODE, SMALL)
        await streams.ensure(admin, CODE, Limits(samples_bytes=32 << 20, samples_hours=1))
        config = (await admin.control(f"STREAM.INFO.{subjects.SAMPLES}", None))["config"]
        assert (config["max_bytes"], config["max_age"]) == (32 << 20, 3600e9)
        await admin.close()


async def test_setting_up_again_changes_nothing(tmp_path):
    edges = {"east": ["edge1", "edge2"], "west": ["edge3"]}
    async with mine_bus(tmp_path, gateways=("edge9",), leaves=edges) as running:
        admin = await running.connect("admin")
        verbs, control = [], admin.control

        async def spy(verb, *rest):
            verbs.append(verb)
            return await control(verb, *rest)

        admin.control = spy
        await streams.ensure(admin, CODE, SMALL, gateways=["edge9"], edges=edges)
        assert verbs == [f"STREAM.INFO.{stream}" for stream in (*subjects.STREAMS, subjects.SITES, subjects.ANCHORS)], (
            "an update restarts the sourcing"
        )
        await admin.close()


def test_limits_are_a_bounded_share_of_the_disk(tmp_path):
    limits = Limits.of_disk(tmp_path, share=0.2)
    assert 256 << 20 <= limits.samples_bytes <= 256 << 30
    assert limits.safety_bytes == limits.samples_bytes // 4
    assert Limits.of_disk(tmp_path, share=1e-9).samples_bytes == 256 << 20


async def test_a_full_stream_refuses_and_says_so(tmp_path):
    async with mine_bus(tmp_path, limits=TINY) as running:
        gateway, admin = await running.connect("gateway-edge1"), await running.connect("admin")
        with pytest.raises(StreamFull):
            for number in range(20):
                await gateway.publish(SUBJECT, b"." * 100_000, f"edge1-{number}")
        state = await admin.stream_state(subjects.SAMPLES)
        assert state.first_sequence == 1 and state.messages == number, "the oldest is kept, the new one refused"
        await gateway.publish(subjects.safety(CODE, "edge1"), b"safety has a quota of its own", "edge1-s1")
        with pytest.raises(MessageTooBig):
            await gateway.publish(SUBJECT, b"." * (9 << 20), "edge1-big")
        assert gateway.connected
        await gateway.publish(subjects.events(CODE, "edge1"), b"." * 900_000, "edge1-e1")
        await gateway.close()
        await admin.close()


async def test_eight_megabytes_less_headers_pass(tmp_path):
    async with mine_bus(tmp_path) as running:
        gateway = await running.connect("gateway-edge1")
        await gateway.publish(SUBJECT, b"." * ((8 << 20) - 1024), "edge1-1")
        await gateway.close()


class Book:
    """What became of each entry."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.dropped: list[str] = []

    def entry(
        self, number: int, size: int = 1000, *, safety: bool = False, rows: int = 10, kept: bool = False
    ) -> Entry:
        name = f"{'s' if safety else 'b'}{number}"
        subject = subjects.safety(CODE, "edge1") if safety else SUBJECT

        def done(taken: bool) -> None:
            (self.taken if taken else self.dropped).append(name)

        data = name.encode().ljust(size, b".")
        return Entry(subject, data, f"edge1-{name}", rows=rows, safety=safety, kept=kept, done=done)


def test_over_the_bound_the_oldest_bulk_goes_first_and_safety_last():
    book, bridge = Book(), MemoryBridge(max_bytes=5 * 1512)
    for number in range(3):
        bridge.offer(book.entry(number, safety=True))
    for number in range(4):
        bridge.offer(book.entry(number))
    assert book.dropped == ["b0", "b1"] and bridge.dropped_rows == 20
    assert bridge.depth_bytes == 5 * 1512
    for number in range(3, 6):
        bridge.offer(book.entry(number, safety=True))
    assert book.dropped == ["b0", "b1", "b2", "b3", "s0"]
    assert (bridge.dropped_rows, bridge.dropped_safety_rows) == (50, 10)
    bridge.offer(book.entry(9, size=100_000))
    assert book.dropped[-1] == "b9" and bridge.depth_bytes == 5 * 1512, "one that cannot fit drops no other"


def test_what_its_source_holds_is_never_dropped():
    book, bridge = Book(), MemoryBridge(max_bytes=3 * 1512)
    for number in range(3):
        bridge.offer(book.entry(number, kept=number < 2))
    bridge.offer(book.entry(3))
    assert book.dropped == ["b2"]
    for number in range(4, 6):
        bridge.offer(book.entry(number, kept=True))
    assert book.dropped == ["b2", "b3"] and bridge.depth_entries == 4, "the source holds back, not the bridge"


async def test_the_bridge_brings_all_over_a_restart_in_order(tmp_path):
    async with mine_bus(tmp_path) as running:
        gateway, store = await running.connect("gateway-edge1"), await running.connect("store")
        book, bridge = Book(), MemoryBridge()
        running_bridge = asyncio.create_task(bridge.run(gateway))
        for number in range(300):
            bridge.offer(book.entry(number))
            if number % 10 == 0:
                bridge.offer(book.entry(number, safety=True))
            if number == 100:
                await running.process.kill()
            if number == 200:
                await running.process.start()
            await asyncio.sleep(0.002)
        assert await bridge.drain(60)
        assert len(book.taken) == 330 and not book.dropped and bridge.depth_entries == 0
        consumer = await store.consumer(subjects.SAMPLES, "store")
        got = []
        while messages := await consumer.fetch(100, None, 0.5):
            got += [message.data.rstrip(b".").decode() for message in messages]
        assert got == [f"b{number}" for number in range(300)]
        running_bridge.cancel()
        await gateway.close()
        await store.close()


async def test_a_full_stream_holds_up_bulk_but_not_safety(tmp_path):
    async with mine_bus(tmp_path, limits=TINY) as running:
        gateway, admin = await running.connect("gateway-edge1"), await running.connect("admin")
        book, bridge = Book(), MemoryBridge()
        running_bridge = asyncio.create_task(bridge.run(gateway))
        for number in range(15):
            bridge.offer(book.entry(number, size=100_000))
        async with asyncio.timeout(30):
            while not bridge.full:
                await asyncio.sleep(0.01)
        bridge.offer(book.entry(1, safety=True))
        async with asyncio.timeout(30):
            while "s1" not in book.taken:
                await asyncio.sleep(0.01)
        assert bridge.refusals > 0 and bridge.dropped_rows == 0 and bridge.depth_entries > 0
        await streams.ensure(admin, CODE, SMALL)
        assert await bridge.drain(60)
        assert [name for name in book.taken if name[0] == "b"] == [f"b{number}" for number in range(15)]
        assert not bridge.full
        running_bridge.cancel()
        await gateway.close()
        await admin.close()


async def test_the_bridge_drops_what_can_never_be_taken(tmp_path):
    async with mine_bus(tmp_path) as running:
        gateway = await running.connect("gateway-edge1")
        book, bridge = Book(), MemoryBridge()
        running_bridge = asyncio.create_task(bridge.run(gateway))
        bridge.offer(book.entry(1, size=9 << 20))
        bridge.offer(book.entry(2))
        assert await bridge.drain(30)
        assert book.dropped == ["b1"] and book.taken == ["b2"]
        running_bridge.cancel()
        await gateway.close()


async def test_publishing_to_nothing_is_unavailable(tmp_path):
    async with mine_bus(tmp_path) as running:
        gateway = await running.connect("gateway-edge1")
        await running.process.kill()
        with pytest.raises(BusUnavailable):
            await gateway.publish(SUBJECT, b"x", "edge1-1")
        await gateway.close()
