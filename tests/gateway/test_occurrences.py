"""What a device tells as an event, through the gateway to the stream on a real bus."""

import asyncio
import time

import pytest

from bus import subjects
from gateway.numbers import BatchNumbers
from gateway.occurrences import FUTURE_US, Occurrences
from gateway.outbox import Outbox
from gateway.pressure import Pressure
from models.events import MAX_ATTRIBUTES, EventBatch, event_id
from protocols.adapter import Delivery, Occurrence
from tests.gateway.sites import CODE, point
from tests.gateway.test_connection import Rig, device, plc  # noqa: F401 - a fixture
from tests.gateway.under_way import running
from tests.servers import mine_bus

NOW = 1_800_000_000_000_000


async def until(condition, within=15.0):
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within, "it did not happen"
        await asyncio.sleep(0.01)


async def kept_in(server):
    async with await server.connect("store") as store:
        consumer = await store.consumer(subjects.EVENTS, "store")
        found = []
        while messages := await consumer.fetch(100, None, 1.0):
            found += [EventBatch.decode(message.data) for message in messages]
            await consumer.acknowledge(messages)
        return found


async def test_an_event_is_acknowledged_when_the_bus_has_it_and_its_end_is_a_version(tmp_path, device):  # noqa: F811
    async with mine_bus(tmp_path, CODE) as server, await server.connect("gateway-edge1") as bus:
        numbers = BatchNumbers(tmp_path / "gateway")
        outbox = Outbox(CODE, "edge1", numbers, lambda: time.time_ns() // 1000, Pressure(lambda _: None))
        done = []
        begun = time.time_ns() // 1000 - 5_000_000
        opened = Occurrence("alarm", "belt/7", begun, attributes={"severity": 700, "message": "跑偏"}, tag=0)
        closed = Occurrence("alarm", "belt/7", begun, begun + 2_000_000, attributes={"severity": 700}, tag=0)
        async with (
            running(outbox, bus),
            Rig(plc({}, "told"), [point("a", group="")], outbox) as rig,
        ):
            await device.inbox.put(Delivery(events=[opened], acknowledge=lambda: done.append("opened")))
            await until(lambda: done == ["opened"])
            await server.process.kill()
            await device.inbox.put(Delivery(events=[closed], acknowledge=lambda: done.append("closed")))
            await device.inbox.put(Delivery(acknowledge=lambda: done.append("nothing")))
            await until(lambda: rig.connection.occurrences.events == 2)
            await asyncio.sleep(0.3)
            assert done == ["opened"], "without a bus nothing is acknowledged"
            await server.process.start()
            await until(lambda: len(done) == 3, within=30)
        batches = await kept_in(server)
        assert [len(batch.events) for batch in batches] == [1, 1]
        first, second = (batch.events[0] for batch in batches)
        assert first.id == second.id == event_id(f"{CODE}/e", "alarm", "belt/7")
        assert (first.start, first.end, first.source) == (begun, None, "plc")
        assert first.attributes == {"severity": 700, "message": "跑偏"}
        assert (second.start, second.end) == (begun, begun + 2_000_000)
        assert batches[0].number < batches[1].number, "the later telling holds"


def taken(told, points=None):
    sent = []
    points = [point("a"), point("b")] if points is None else points
    made = Occurrences("kj", points, lambda events, receipt: sent.extend(events))
    made.take(told, NOW)
    return made, sent


def test_an_event_finds_its_equipment_or_is_refused_and_counted():
    other = point("c", path=f"{CODE}/f/c", equipment="f")
    assert taken([Occurrence("x", "1")])[1][0].equipment == f"{CODE}/e"
    assert taken([Occurrence("x", "1", tag=2)], [point("a"), point("b"), other])[1][0].equipment == f"{CODE}/f"
    assert taken([Occurrence("x", "1", equipment="kj_1")])[1][0].equipment == f"{CODE}/kj_1"
    for told, points, words in (
        (Occurrence("x", "1"), [point("a"), other], "names no equipment"),
        (Occurrence("x", "1", equipment="../x"), None, "names the equipment"),
        (Occurrence("X Y", "1"), None, "kind"),
        (Occurrence("x", ""), None, "no key"),
        (Occurrence("x", "1"), [], "names no equipment"),
    ):
        made, sent = taken([told, Occurrence("x", "2", tag=0)], points)
        assert made.refused == (2 if points == [] else 1) and len(sent) == 2 - made.refused
        assert words in made.reason


@pytest.mark.parametrize(
    ("start", "end", "expected", "corrected"),
    [
        (NOW - 5, None, (NOW - 5, None, 192), 0),
        (NOW - 5, NOW - 9, (NOW - 5, NOW - 5, 192), 0),
        (0, None, (NOW, None, 192), 0),
        (0, NOW - 7, (NOW - 7, NOW - 7, 192), 0),
        (1, None, (NOW, None, 64), 1),
        (NOW + FUTURE_US + 1, None, (NOW, None, 64), 1),
        (2**62, 2**62, (NOW, NOW, 64), 1),
    ],
)
def test_a_time_that_cannot_be_is_ours_and_uncertain(start, end, expected, corrected):
    made, sent = taken([Occurrence("x", "1", start, end)])
    assert (sent[0].start, sent[0].end, sent[0].quality) == expected and made.corrected == corrected


@pytest.mark.parametrize("odd", [{"a": float("nan")}, {"a": object()}, {"a": "x" * MAX_ATTRIBUTES}, {"a": b"\x00"}])
def test_attributes_that_cannot_be_carried_do_not_cost_the_event(odd):
    made, sent = taken([Occurrence("x", "1", NOW, attributes=odd), Occurrence("x", "2", NOW, attributes={"a": 1})])
    assert made.corrected == 1 and made.refused == 0
    assert sent[0].attributes["left_out"] and sent[1].attributes == {"a": 1}
    EventBatch("edge1", 1, NOW, sent).encode()


def test_of_two_tellings_at_once_the_later_holds():
    _, sent = taken([Occurrence("x", "1", NOW - 9), Occurrence("x", "2", NOW), Occurrence("x", "1", NOW - 9, NOW)])
    assert [(event.start, event.end) for event in sent] == [(NOW, None), (NOW - 9, NOW)]


async def test_many_events_become_batches_that_the_bus_takes(tmp_path):
    async with mine_bus(tmp_path, CODE) as server, await server.connect("gateway-edge1") as bus:
        outbox = Outbox(CODE, "edge1", BatchNumbers(tmp_path / "gateway"), lambda: NOW, Pressure(lambda _: None))
        made = Occurrences("kj", [point("a")], outbox.emit_events)
        async with running(outbox, bus):
            made.take([Occurrence("x", str(number), NOW - number) for number in range(25_000)], NOW)
            await until(lambda: outbox.bridge.depth_bytes == 0)
        batches = await kept_in(server)
        assert [event.start for batch in batches for event in batch.events] == [NOW - n for n in range(25_000)]
        assert max(len(batch.events) for batch in batches) <= 10_000
