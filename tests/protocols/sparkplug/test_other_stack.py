"""The other end is a node on a stack that is not ours: npm's sparkplug-client, over a real mosquitto."""

from __future__ import annotations

from protocols.adapter import Supports
from protocols.sparkplug import Sparkplug
from tests.protocols.mqtt.broker import PASSWORD, Broker, settings
from tests.protocols.session import Session
from tests.protocols.sparkplug.test_conformance import tag
from tests.protocols.sparkplug.test_life import all_bad, until
from tests.stacks.node import stack

TAGS = (
    tag(0, "mine/fan:Load"),
    tag(1, "mine/fan/motor:Motor/Speed"),
    tag(2, "mine/fan/motor:Motor/Count"),
    tag(3, "mine/fan/motor:Motor/Total"),
    tag(4, "mine/fan/motor:Motor/On", "bool"),
    tag(5, "mine/fan/motor:Motor/Mode", "text"),
)
WAIT_S = 20.0


async def test_births_data_gap_and_deaths_of_a_foreign_node(broker: Broker) -> None:
    made = Sparkplug(Sparkplug.Settings.model_validate(settings(broker.port, rebirth_wait_s=0.3)))
    async with (
        stack("sparkplug_node.js", str(broker.port), "device", PASSWORD) as node,
        Session(made, TAGS, Supports.SUBSCRIBE) as session,
    ):
        await session.until_values({0: 0.25, 1: 740.5, 2: -12.0, 3: 5e9, 4: 1.0}, WAIT_S)
        assert session.latest[5].text == "自动"
        asked = made.counters()["rebirths_asked_total"]
        assert asked >= 1, "it was born before we came"
        await node.ask(set=741.5)
        await session.until_values({1: 741.5}, WAIT_S)
        assert made.counters()["gaps_total"] == 0
        await node.ask(skip=True)
        await node.ask(set=742.5)
        await session.until_values({1: 742.5}, WAIT_S)
        await until(lambda: made.counters()["rebirths_asked_total"] > asked, "a new birth is asked for")
        await node.ask(device_death=True)
        await all_bad(session, "DDEATH", 1, 2, 3, 4, 5)
        assert session.latest[0].good
        await node.ask(crash=True)
        await all_bad(session, "NDEATH", 0, 1, 2, 3, 4, 5)
        assert made.counters()["malformed_total"] == 0
