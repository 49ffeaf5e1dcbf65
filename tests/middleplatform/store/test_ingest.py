"""Between bus and writer: nothing is acknowledged that is not written, nothing held is taken twice."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from bus import subjects
from middleplatform.store import ingest as ingest_module
from middleplatform.store.engine import EngineError
from middleplatform.store.ingest import Ingest
from tests.servers import CODE, mine_bus


class Slate:
    """A writer that notes what it is given; `fail` times it refuses, and it takes `slow` seconds."""

    def __init__(self) -> None:
        self.fail, self.slow, self.tries = 0, 0.0, 0
        self.written: list[bytes] = []

    def write(self, messages) -> None:
        self.tries += 1
        time.sleep(self.slow)
        if self.fail:
            self.fail -= 1
            raise EngineError("no space left on device")
        self.written += [message.data for _, message in messages]


@asynccontextmanager
async def ingesting(tmp_path):
    async with mine_bus(tmp_path) as running:
        bus, gateway = await running.connect("store"), await running.connect("gateway-edge1")
        slate = Slate()
        with ThreadPoolExecutor(1) as thread:
            ingest = Ingest(bus, slate, thread)
            task = asyncio.create_task(ingest.run())

            async def publish(*payloads: bytes) -> None:
                for data in payloads:
                    await gateway.publish(subjects.samples(CODE, "edge1"), data, f"edge1-{data.decode()}")

            async def until(condition, within: float = 45.0) -> None:
                async with asyncio.timeout(within):
                    while not condition():
                        await asyncio.sleep(0.02)

            async def lag() -> int:
                consumer = await bus.consumer(subjects.SAMPLES, "store", ack_wait_s=ingest_module.ACK_WAIT_S)
                left = await consumer.lag()
                await consumer.close()
                return left

            try:
                yield ingest, slate, publish, until, lag
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await gateway.close()
                await bus.close()


async def test_what_the_disk_refuses_stays_on_the_bus_and_is_written_later(tmp_path):
    async with ingesting(tmp_path) as (ingest, slate, publish, until, lag):
        slate.fail = 1_000
        await publish(b"1", b"2")
        await until(lambda: ingest.failing)
        assert ingest.failing == "no space left on device"
        assert await lag() == 2, "acknowledged although it is not on disk"
        slate.fail = 0
        await until(lambda: sorted(slate.written) == [b"1", b"2"])
        await until(lambda: ingest.pending == 0 and ingest.failing is None)
        async with asyncio.timeout(15):
            while await lag():
                await asyncio.sleep(0.1)


async def test_what_is_held_and_comes_again_is_taken_once(tmp_path, monkeypatch):
    monkeypatch.setattr(ingest_module, "ACK_WAIT_S", 1.5)
    async with ingesting(tmp_path) as (ingest, slate, publish, until, lag):
        slate.slow = 4.0
        await publish(b"1")
        await until(lambda: slate.tries == 1)
        await asyncio.sleep(3.5)  # it comes again, twice
        slate.slow = 0.0
        await publish(b"2")
        await until(lambda: b"2" in slate.written)
        async with asyncio.timeout(15):
            while await lag():
                await asyncio.sleep(0.1)
        await until(lambda: ingest.pending == 0)
        assert sorted(slate.written) == [b"1", b"2"]


async def test_a_question_does_not_wait_for_others_to_gather_but_many_share_one_write(tmp_path, monkeypatch):
    monkeypatch.setattr(ingest_module, "GATHER_S", 30.0)
    async with ingesting(tmp_path) as (ingest, slate, publish, until, _):
        await publish(b"1", b"2", b"3")
        await until(lambda: ingest.pending == 3)
        assert slate.written == []
        started = time.monotonic()
        await asyncio.gather(*(ingest.settle() for _ in range(50)))
        assert sorted(slate.written) == [b"1", b"2", b"3"]
        assert slate.tries == 1 and time.monotonic() - started < 15, "half of what others gather for"
        assert await ingest.settle() is True
        assert slate.tries == 1, "with nothing new there is nothing to write"


async def test_what_is_fetched_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(ingest_module, "MAX_BYTES", 3000)
    monkeypatch.setattr(ingest_module, "_FETCH_BYTES", 2000)
    async with ingesting(tmp_path) as (ingest, slate, publish, until, _):
        slate.slow = 2.0
        payloads = [b"%04d" % n + b"x" * 496 for n in range(40)]
        await publish(*payloads)
        await until(lambda: slate.tries == 1)
        await asyncio.sleep(1.0)
        assert 0 < ingest.pending * 500 <= 3000 + 2 * 2000
        slate.slow = 0.0
        await until(lambda: sorted(slate.written) == payloads)


async def test_while_writing_fails_an_answer_is_not_held_up_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(ingest_module, "SETTLE_S", 0.5)
    async with ingesting(tmp_path) as (ingest, slate, publish, until, _):
        slate.fail = 1_000
        await publish(b"1")
        await until(lambda: ingest.pending == 1)
        started = time.monotonic()
        assert await ingest.settle() is False, "what is answered now may lack something, and that is said"
        assert 0.4 < time.monotonic() - started < 15
        assert ingest.pending == 1
