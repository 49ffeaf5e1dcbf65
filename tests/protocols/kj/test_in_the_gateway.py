"""From files to the streams of the bus through a whole gateway, that is killed in between."""

from __future__ import annotations

import asyncio
import time

import pytest

from bus import subjects
from models.events import EventBatch
from tests.gateway.sites import CODE
from tests.models.exchange.files import point
from tests.protocols.gatewaychild import Child, Stream, running
from tests.protocols.kj.system import Writer, local, settings
from tests.servers import mine_bus

pytestmark = pytest.mark.timeout(120)


async def test_kill_9_between_reading_and_putting_away_loses_no_file(tmp_path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    writer = Writer(inbox)
    sent: dict[int, int] = {}

    def write() -> None:
        number = len(sent)
        writer.values({1: str(number)})
        sent[number] = writer.second * 1_000_000

    def left() -> int:
        return len(list(inbox.glob("*.txt")))

    async with mine_bus(tmp_path / "bus", CODE) as server, await server.connect("store") as store:
        stream = Stream(await store.consumer(subjects.SAMPLES, "store"))
        child = Child(server, "kj", settings(inbox, timeout_s=10), {"ch4": point(1)})
        async with running(child):
            for _ in range(2):
                for _ in range(30):
                    write()
                await child.start()
                deadline = time.monotonic() + 40
                while left() > 15:  # some of them are put away, and it is at work on more
                    assert time.monotonic() < deadline, "nothing is put away"
                    write()
                    await asyncio.sleep(0.15)
                await child.end()
            for _ in range(5):
                write()
            await child.start()
            deadline = time.monotonic() + 40
            while left():
                assert time.monotonic() < deadline, "not all is put away"
                await asyncio.sleep(0.05)
            await stream.read()
            rows = stream.of("ch4")
            good = rows.take(rows.quality == 192)
            assert dict(zip(good.value.astype(int).tolist(), good.ts.tolist(), strict=True)) == sent


async def test_exceptions_are_on_the_stream_of_events(tmp_path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    writer = Writer(inbox)
    begun = local(writer.second)
    row = {"point": point(1), "exception": "001", "start": begun, "time": begun}
    writer.write("YCBJ", [row])
    writer.write("YCBJ", [{**row, "end": local(writer.second)}])
    async with mine_bus(tmp_path / "bus", CODE) as server, await server.connect("store") as store:
        consumer = await store.consumer(subjects.EVENTS, "store")
        async with running(Child(server, "kj", settings(inbox, timeout_s=10), {"ch4": point(1)})) as child:
            await child.start()
            events = []
            deadline = time.monotonic() + 40
            while len(events) < 2:
                assert time.monotonic() < deadline, events
                for message in await consumer.fetch(100, None, 0.3):
                    events += EventBatch.decode(message.data).events
            assert len({event.id for event in events}) == 1
            assert [event.end for event in events] == [None, (writer.second - 1) * 1_000_000]
            assert events[0].equipment == f"{CODE}/e" and events[0].attributes["en"] == "over-limit alarm"
