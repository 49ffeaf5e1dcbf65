"""Whatever a server sends: nothing crashes, nothing stalls, nothing grows, and each rejection is seen."""

from __future__ import annotations

import asyncio
import random
import struct
import tracemalloc
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from asyncua import ua

from models.quality import GOOD, UNCERTAIN
from protocols.adapter import Delivery, LinkLost, Occurrence, Tag
from protocols.opcua import OpcUa
from protocols.opcua.alarms import FIELDS, Alarms, Conditions
from protocols.opcua.feed import Feeds
from protocols.opcua.inbox import Feed
from protocols.opcua.session import Session
from protocols.opcua.settings import EventSettings
from protocols.opcua.states import dictionaries
from protocols.opcua.variant import reading, type_name
from protocols.opcua.watch import EVENTS
from tests.protocols.opcua.machine import Machine, tag
from tests.protocols.opcua.test_sign_in import started

MANY = pytest.param(1_000_000, marks=[pytest.mark.proof, pytest.mark.timeout(3600)])
TYPES = ("", "text", "float64", "int16", "bool")
TAGS = [Tag(n, "p", "i=2258", kind) for n, kind in enumerate(TYPES)]
TAGS.append(Tag(len(TYPES), "p", "i=2258", options={"states": "machinery_item_state"}))

MAKERS: list[Callable[[random.Random], Any]] = [
    lambda r: None,
    lambda r: r.choice([float("nan"), float("inf"), -float("inf"), 1e308, -0.0, 5e-324]),
    lambda r: r.choice([0, 1, -1, 2**63, 2**64 - 1, -(2**63), True, False]),
    lambda r: r.random() * 100,
    lambda r: "".join(chr(r.randrange(0x20, 0xD7FF)) for _ in range(r.randrange(40))),
    lambda r: r.choice(["\ud800", "\x00", "Executing", "x" * 100_000, "𠀀"]),
    lambda r: r.randbytes(r.randrange(40)),
    lambda r: [r.random()] * r.randrange(4),
    lambda r: [[1, 2], [3, "x"]],
    lambda r: {"a": 1},
    lambda r: ua.LocalizedText(r.choice([None, "", "NotExecuting", "\udfff"])),
    lambda r: ua.QualifiedName("q", r.randrange(70_000)),
    lambda r: ua.NodeId(r.choice([5005, "s", uuid.UUID(int=7), b"\x00"]), r.randrange(5)),
    lambda r: ua.StatusCode(ua.UInt32(r.getrandbits(32))),
    lambda r: uuid.UUID(int=r.getrandbits(128)),
    lambda r: datetime(r.choice([1, 1601, 1970, 2026, 9999]), 12, 31, tzinfo=r.choice([None, UTC])),
    lambda r: ua.Range(5, 1),
    lambda r: ua.ExtensionObject(),
    lambda r: object(),
]


def odd(r: random.Random) -> Any:
    return r.choice(MAKERS)(r)


def data_value(r: random.Random) -> Any:
    held = odd(r)
    value = ua.DataValue()
    value.Value = r.choice([None, *[_variant(held)] * 8])
    value.StatusCode = r.choice([None, ua.StatusCode(ua.UInt32(r.getrandbits(32))), ua.StatusCode(), ua.StatusCode()])
    value.SourceTimestamp = r.choice(
        [None, datetime(r.choice([1, 1601, 2026, 9999]), 1, 1, tzinfo=r.choice([None, UTC]))]
    )
    return value


def _variant(held: Any) -> Any:
    made = ua.Variant(0.0, ua.VariantType.Double)
    made.Value = held
    return made


def item(r: random.Random) -> Any:
    made = ua.MonitoredItemNotification()
    made.ClientHandle = r.choice([0, 1, 2, 3, 4, 5, 6, 7, 10**9, 2**32 - 1])
    made.Value = data_value(r)
    return made


@pytest.mark.parametrize("count", [10_000, MANY])
def test_no_value_that_a_server_can_send_breaks_a_reading(count: int) -> None:
    r = random.Random(20261125)
    spaces = ["", "urn:x", "http://opcfoundation.org/UA/Machinery/"]
    states = {len(TYPES): lambda held: dictionaries()["machinery_item_state"].number(held, spaces)}
    types = {one.index: type_name(one.type) for one in TAGS}
    done = refused = 0
    while done < count:
        index = [r.randrange(len(TAGS)) for _ in range(r.randrange(1, 60))]
        found = reading(index, [data_value(r) for _ in index], types, states)
        assert found.index.tolist() == index
        good = found.quality >= UNCERTAIN
        has_text = np.zeros(len(index), bool) if found.text is None else found.text.is_valid().to_numpy(False)
        assert not (good & np.isnan(found.value) & ~has_text).any(), "a row that is not bad has a value"
        assert not np.isinf(found.value).any()
        bad = set(found.index[found.quality < UNCERTAIN].tolist())
        assert bad <= set(found.reasons)
        refused += int((found.quality < GOOD).sum())
        done += len(index)
    assert refused > count // 4


@pytest.mark.parametrize("count", [10_000, MANY])
async def test_no_event_that_a_server_can_send_breaks_the_feed_and_each_wrong_one_is_counted(count: int) -> None:
    r = random.Random(7)
    settings = OpcUa.Settings(url="opc.tcp://h:1", events=EventSettings(sources={"a": "b"}))
    counts = dict.fromkeys(("malformed_events_total", "overflows_total", "gaps_total"), 0)
    feeds = Feeds(Session(settings, lambda _: None), settings, TAGS, counts, {})
    conditions = Conditions()
    assert settings.events is not None
    feeds._alarms = Alarms(settings.events, conditions, ["", "urn:x"], {})
    told: list[Occurrence] = []
    right = {
        "event_type": ua.NodeId(2915),
        "source_node": ua.NodeId("M", 1),
        "time": datetime(2026, 1, 1, tzinfo=UTC),
        "condition_id": ua.NodeId("C", 1),
        "active": True,
        "severity": 5,
    }
    tracemalloc.start()
    for number in range(count):
        event = ua.EventFieldList()
        event.ClientHandle = r.choice([EVENTS, EVENTS, EVENTS, 3])
        fields = [right.get(name) if r.random() < 0.6 else odd(r) for name, _, _ in FIELDS]
        event.EventFields = r.choice([[_variant(held) for held in fields]] * 9 + [[], fields[:3], None])
        feeds._tell([event], told)
        if len(told) > 1000:
            del told[:900]
        if number == count // 2:
            half, _ = tracemalloc.get_traced_memory()
    end, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert end - half < 20e6
    assert counts["malformed_events_total"] > count // 50
    assert all(one.kind in ("alarm", "event") and one.key for one in told)


@pytest.mark.parametrize("count", [10_000, MANY])
async def test_no_notification_breaks_the_feed(count: int) -> None:
    r = random.Random(9)
    settings = OpcUa.Settings(url="opc.tcp://h:1")
    counts = dict.fromkeys(("samples_total", "malformed_events_total", "overflows_total", "gaps_total"), 0)
    feeds = Feeds(Session(settings, lambda _: None), settings, TAGS, counts, {})
    feed = Feed(1, 0.0)
    rows = 0
    for _ in range(count // 20):
        message = ua.NotificationMessage()
        message.SequenceNumber = r.choice([feed.sequence + 1, feed.sequence + 1, feed.sequence + 1, r.getrandbits(32)])
        part = ua.DataChangeNotification()
        part.MonitoredItems = r.choice([[item(r) for _ in range(20)]] * 9 + [None])
        message.NotificationData = r.choice([[part]] * 9 + [[object(), part]])
        await feeds._inbox.put(feed, message)
        index, values, _ = feeds._drain()
        found = reading(index, values, feeds._types, feeds._states)
        rows += len(found)
    assert rows > count // 3 and counts["gaps_total"] > 0 and feeds._inbox.lost is not None


@asynccontextmanager
async def spoiling(port: int, r: random.Random) -> AsyncIterator[tuple[int, list[bool]]]:
    """A relay in front of a server that changes bytes of what the server says once it is told to."""
    spoil = [False]

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: bool) -> None:
        try:
            while data := await reader.read(65536):
                if back and spoil[0]:
                    changed = bytearray(data)
                    for _ in range(r.randrange(1, 4)):
                        changed[r.randrange(len(changed))] = r.randrange(256)
                    if r.random() < 0.2:
                        changed[4:8] = struct.pack("<I", r.choice([0, 8, 2**31, 2**32 - 1]))
                    data = bytes(changed)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, to_server = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(relay(reader, to_server, False), relay(theirs, writer, True))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], spoil
    finally:
        server.close()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("count", [6, pytest.param(2_000, marks=[pytest.mark.proof, pytest.mark.timeout(7200)])])
async def test_bytes_that_are_spoilt_on_the_wire_end_in_a_lost_link_and_nothing_is_left_behind(count: int) -> None:
    r = random.Random(3)
    before = asyncio.all_tasks()
    async with started(Machine(none=True)) as machine, spoiling(machine.port, r) as (port, spoil):
        for _ in range(count):
            spoil[0] = False
            adapter = machine.adapter(url=f"opc.tcp://127.0.0.1:{port}/test", watchdog_s=1, timeout_s=1)
            found: list[float] = []

            async def deliver(delivery: Delivery, found: list[float] = found) -> None:
                found += delivery.reading.value.tolist()

            await adapter.connect()
            task = asyncio.create_task(adapter.subscribe([tag(0, "Speed")], deliver))
            async with asyncio.timeout(30):
                while not found:
                    await asyncio.sleep(0.01)
            spoil[0] = True
            for number in range(200):
                await machine.set(Speed=number)
                if task.done():
                    break
                await asyncio.sleep(0.005)
            done, _ = await asyncio.wait({task}, timeout=30)
            if done:
                assert isinstance(task.exception(), LinkLost), task.exception()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.wait_for(adapter.close(), 15)
    left = {one for one in asyncio.all_tasks() - before if "serve" not in repr(one) and "relay" not in repr(one)}
    assert not left
