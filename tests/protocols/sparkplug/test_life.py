"""Births, deaths, gaps and the host's own state, over a real mosquitto."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import paho.mqtt.client as paho
import pytest

from models.quality import Quality
from protocols.adapter import Supports
from protocols.sparkplug import Sparkplug
from tests.protocols.mqtt.broker import PASSWORD, Broker, Publisher, settings
from tests.protocols.session import Session
from tests.protocols.sparkplug.node import EdgeNode, add
from tests.protocols.sparkplug.test_conformance import tag

TAGS = (
    tag(0, "mine/belt:Load"),
    tag(1, "mine/belt/drive:Current"),
    tag(2, "mine/belt/drive:Mode", "text"),
    tag(3, "mine/belt/brake:Oil"),
)
METRICS = {
    "": {"Load": ("UInt32", 10)},
    "drive": {"Current": ("Double", 1.5), "Mode": ("String", "自动")},
    "brake": {"Oil": ("Int16", -7)},
}
WAIT_S = 30.0


@asynccontextmanager
async def host(broker: Broker, **more: Any) -> AsyncIterator[Session]:
    made = Sparkplug(Sparkplug.Settings.model_validate(settings(broker.port, **{"rebirth_wait_s": 0.3, **more})))
    async with Session(made, TAGS, Supports.SUBSCRIBE) as session:
        yield session


@pytest.fixture
async def node(broker: Broker) -> AsyncIterator[EdgeNode]:
    node = EdgeNode(broker.port, METRICS)
    await node.connect()
    yield node
    node.leave()


async def until(met: Callable[[], bool], what: str) -> None:
    async with asyncio.timeout(WAIT_S):
        while not met():
            await asyncio.sleep(0.02)
    assert met(), what


async def born(session: Session) -> None:
    await session.until_values({0: 10.0, 1: 1.5, 3: -7.0}, WAIT_S)


async def all_bad(session: Session, words: str, *indices: int) -> None:
    def bad() -> bool:
        rows = [session.latest.get(index) for index in indices]
        return all(row is not None and row.quality < 64 and words in row.reason for row in rows)

    await session.until(bad, WAIT_S, f"{indices} bad with '{words}'")


async def test_a_host_that_comes_later_asks_for_the_births_that_it_missed(broker: Broker, node: EdgeNode) -> None:
    node.birth()
    async with host(broker) as session:
        await born(session)
        assert node.asked >= 1
        assert session.latest[2].text == "自动" and session.latest[2].good
        assert session.adapter.counters()["births_total"] >= 3


async def test_data_by_alias_alone_is_taken_with_its_own_time(broker: Broker, node: EdgeNode) -> None:
    async with host(broker) as session:
        await born(session)
        node.data("drive", {"Current": 2.5, "Mode": "检修"}, timestamp=1_800_000_000_123)
        await session.until_values({1: 2.5}, WAIT_S)
        assert session.latest[1].ts == 1_800_000_000_123_000
        assert session.latest[2].text == "检修"


async def test_a_value_that_changed_long_ago_is_of_the_births_time(broker: Broker, node: EdgeNode) -> None:
    """Else, after an outage, it would be older than the mark that said it is bad."""
    async with host(broker) as session:
        await born(session)
        node.seq = 0
        birth = node.payload()
        add(birth, "Load", "UInt32", 11, alias=0, timestamp=1_600_000_000_000)
        node.send("NBIRTH", birth)
        await session.until_values({0: 11.0}, WAIT_S)
        assert session.latest[0].ts == birth.timestamp * 1000


async def test_the_death_of_a_node_makes_all_its_points_bad_at_once(broker: Broker, node: EdgeNode) -> None:
    async with host(broker) as session:
        await born(session)
        await node.drop()
        await all_bad(session, "NDEATH", 0, 1, 2, 3)
        assert {row.quality for row in session.latest.values()} == {Quality.BAD_NOT_CONNECTED}
        node.bd += 1
        await node.connect()
        node.birth()
        await born(session)


async def test_the_death_of_a_device_leaves_node_and_other_devices_alone(broker: Broker, node: EdgeNode) -> None:
    async with host(broker) as session:
        await born(session)
        node.send("DDEATH", node.payload(), "drive")
        await all_bad(session, "DDEATH", 1, 2)
        assert session.latest[0].good and session.latest[3].good
        node.device_birth("drive")
        await born(session)
        assert session.adapter.counters()["gaps_total"] == 0


async def test_a_late_death_of_a_session_before_ends_nothing(broker: Broker, node: EdgeNode) -> None:
    """The will of the node's last session, published by the broker after the new session was born."""
    node.bd = 7
    async with host(broker) as session:
        await born(session)
        node.send("NDEATH", node.death(6), qos=1)
        node.send("NDEATH", node.death(250), qos=1)
        await until(lambda: session.adapter.counters()["late_deaths_total"] == 2, "two late deaths")
        node.data("", {"Load": 12})
        await session.until_values({0: 12.0, 1: 1.5}, WAIT_S)
        assert session.adapter.counters()["deaths_total"] == 0
        node.send("NDEATH", node.death(7), qos=1)
        await all_bad(session, "NDEATH", 0, 1, 2, 3)


async def test_a_gap_in_the_sequence_asks_for_a_new_birth_once_in_a_while(broker: Broker, node: EdgeNode) -> None:
    async with host(broker, rebirth_wait_s=2) as session:
        await born(session)
        await asyncio.sleep(2)
        asked = node.asked
        node.answers = False
        for value in (20, 21, 22, 23):
            node.seq = (node.seq + 1) & 255
            node.data("", {"Load": value})
        # What came is right all the same: only what did not come is unknown.
        await session.until_values({0: 23.0}, WAIT_S)
        assert session.adapter.counters()["gaps_total"] == 4
        await until(lambda: node.asked >= asked + 1, "one request")
        node.answers = True
        await until(lambda: node.asked == asked + 2, "one more, since the first was not answered")
        await until(lambda: session.adapter.counters()["births_total"] >= 6, "the births")
        await asyncio.sleep(0.5)
        assert node.asked == asked + 2
        gap = [finding for finding in session.adapter.findings() if finding.kind == "gap"]
        assert gap and gap[0].count == 4 and gap[0].where == "spBv1.0/mine/NDATA/belt"


async def test_what_a_lost_message_may_have_changed_is_bad_when_no_birth_comes(broker: Broker, node: EdgeNode) -> None:
    async with host(broker, rebirth_wait_s=3) as session:
        await born(session)
        node.answers = False
        node.seq = (node.seq + 1) & 255
        node.data("drive", {"Mode": "历史"}, timestamp=1_700_000_000_000, is_historical=True)
        node.data("", {"Load": 20})
        await session.until_values({0: 20.0}, WAIT_S)
        assert session.latest[1].good and session.latest[3].good, "the node has its time to answer"
        await all_bad(session, "a message of mine/belt is missing", 1, 2, 3)
        assert {session.latest[index].quality for index in (1, 2, 3)} == {Quality.BAD_LAST_KNOWN}
        assert session.latest[0].good, "told anew after what is missing"
        node.data("drive", {"Current": 2.5})
        await session.until_values({1: 2.5}, WAIT_S)
        assert session.latest[1].good and not session.latest[3].good
        await asyncio.sleep(3.5)
        assert session.latest[1].good, "one missing message is told once"
        node.answers = True
        await session.until_values({0: 20.0, 1: 2.5, 3: -7.0}, WAIT_S)
        assert all(row.good for row in session.latest.values())


async def test_a_birth_in_time_after_a_gap_leaves_nothing_bad(broker: Broker, node: EdgeNode) -> None:
    async with host(broker, rebirth_wait_s=3) as session:
        await born(session)
        node.seq = (node.seq + 1) & 255
        node.data("", {"Load": 20})
        await until(lambda: session.adapter.counters()["births_total"] >= 6, "the births")
        await asyncio.sleep(3.5)
        assert all((reading.quality != Quality.BAD_LAST_KNOWN).all() for reading in session.readings)
        assert all(row.good for row in session.latest.values())


async def test_the_sequence_rolls_over_from_255_to_0_without_a_gap(broker: Broker, node: EdgeNode) -> None:
    async with host(broker) as session:
        await born(session)
        for value in range(600):
            node.data("", {"Load": value})
        await session.until_values({0: 599.0}, WAIT_S)
        assert session.adapter.counters()["gaps_total"] == 0


async def test_an_alias_that_no_birth_has_named_is_never_guessed(broker: Broker, node: EdgeNode) -> None:
    async with host(broker) as session:
        await born(session)
        asked = node.asked
        payload = node.payload()
        add(payload, "", "Double", 99.0, alias=77, timestamp=payload.timestamp)
        node.send("DDATA", payload, "drive")
        await until(lambda: node.asked > asked, "a new birth is asked for")
        assert session.adapter.counters()["undecodable_total"] == 1
        assert all(row.value != 99.0 for row in session.latest.values())


async def test_a_node_that_does_not_run_is_told_and_so_is_a_device_that_is_not_born(
    broker: Broker, node: EdgeNode
) -> None:
    node.answers = False
    async with host(broker) as session:
        await all_bad(session, "does not answer", 0, 1, 2, 3)
        node.birth("drive")
        await all_bad(session, "brake", 3)
        assert session.latest[0].good and session.latest[1].good


async def test_unknown_nodes_and_devices_are_findings_and_not_losses(broker: Broker, node: EdgeNode) -> None:
    stranger = EdgeNode(broker.port, {"": {"x": ("Int32", 1)}}, name="unknown")
    await stranger.connect()
    async with host(broker) as session:
        await born(session)
        stranger.birth()
        node.send("DBIRTH", node.payload(), "new_device")
        await until(lambda: len(session.adapter.findings()) >= 2, "two findings")
        found = {(finding.kind, finding.where) for finding in session.adapter.findings()}
        assert ("unknown topic", "spBv1.0/mine/NBIRTH/unknown") in found
        assert ("unknown device", "spBv1.0/mine/DBIRTH/belt/new_device") in found
        assert session.adapter.counters()["gaps_total"] == 0
    stranger.leave()


async def test_rubbish_is_counted_and_a_new_birth_is_asked_for(broker: Broker, node: EdgeNode) -> None:
    async with host(broker) as session:
        await born(session)
        asked = node.asked
        node.send("NDATA", b"\xff\xff\xff")
        await until(lambda: session.adapter.counters()["malformed_total"] == 1, "counted")
        await until(lambda: node.asked > asked, "a new birth is asked for")
        finding = next(f for f in session.adapter.findings() if f.kind == "malformed")
        assert finding.payload == b"\xff\xff\xff" and "protobuf" in finding.reason


# ---- the host's state

TOPIC = "spBv1.0/STATE/control"


class Listener:
    """What the broker says of the host's state, to one that is there and to one that comes later.

    Made once the broker has granted the topic: what is said after that comes as it is said, and only what was said
    before comes as retained.
    """

    def __init__(self, port: int, topic: str) -> None:
        self.heard: list[tuple[dict[str, Any], bool]] = []
        self._client: Any = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        self._client.username_pw_set("device", PASSWORD)
        self._client.on_message = lambda _c, _u, m: self.heard.append((json.loads(m.payload), m.retain))
        self._client.on_connect = lambda c, *_: c.subscribe(topic, 1)
        granted = threading.Event()
        self._client.on_subscribe = lambda *_: granted.set()
        self._client.connect("127.0.0.1", port, 30)
        self._client.loop_start()
        assert granted.wait(WAIT_S), f"the broker does not grant {topic}"

    @classmethod
    async def of(cls, broker: Broker) -> Listener:
        return await asyncio.to_thread(cls, broker.port, TOPIC)

    def says(self, online: bool, retained: bool) -> bool:
        return any(said["online"] is online and kept == retained for said, kept in self.heard)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


async def test_the_hosts_state_is_retained_and_says_goodbye(broker: Broker, node: EdgeNode) -> None:
    there = await Listener.of(broker)
    async with host(broker, host_id="control"):
        await until(lambda: there.says(True, False), "online")
        later = await Listener.of(broker)
        await until(lambda: later.says(True, True), "online, retained")
        later.close()
    await until(lambda: there.says(False, False), "offline")
    times = {said["timestamp"] for said, _ in there.heard}
    assert len(times) == 1 and isinstance(times.pop(), int), "birth and death of a host have one time"
    there.close()


async def test_the_will_of_a_connection_before_is_answered_at_once(
    broker: Broker, publisher: Publisher, node: EdgeNode
) -> None:
    there = await Listener.of(broker)
    async with host(broker, host_id="control"):
        await until(lambda: there.says(True, False), "online")
        there.heard.clear()
        await publisher.publish(TOPIC, {"online": False, "timestamp": 1}, retain=True)
        await until(lambda: there.says(True, False), "online again")
    there.close()


async def test_a_host_that_is_killed_leaves_its_will(broker: Broker, node: EdgeNode) -> None:
    there = await Listener.of(broker)
    made = Sparkplug(Sparkplug.Settings.model_validate(settings(broker.port, host_id="control")))
    await made.connect()
    assert made._link is not None
    made._link._client.socket().shutdown(2)
    await until(lambda: there.says(False, False), "the will")
    await made.close()
    there.close()
