"""Looking around on a real broker, unknown devices, and writing that is verified by what the device says."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import paho.mqtt.client as paho
import pytest

from protocols.adapter import AdapterError, LinkLost, WriteUnknown
from protocols.mqtt import Mqtt
from tests.protocols.mqtt.broker import PASSWORD, Broker, Publisher, settings, tag
from tests.protocols.mqtt.test_delivery import running


@asynccontextmanager
async def adapter(broker: Broker, **more: Any) -> AsyncIterator[Mqtt]:
    made = Mqtt(Mqtt.Settings.model_validate(settings(broker.port, **more)))
    await made.connect()
    yield made
    await made.close()


async def keep_sending(publisher: Publisher, topic: str, payload: Any) -> None:
    while True:
        await publisher.publish(topic, payload)
        await asyncio.sleep(0.05)


@asynccontextmanager
async def sending(*what: tuple[Publisher, str, Any]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(keep_sending(*one)) for one in what]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_browse_lists_topics_and_their_fields_with_examples(broker: Broker, publisher: Publisher) -> None:
    state = {"level": 1.5, "on": True, "motor": {"phase": [1, 2]}, "list": [{"v": 3}], "a.b": "词"}
    async with (
        adapter(broker, browse_s=1) as mqtt,
        sending((publisher, "mine/p1/state", state), (publisher, "plain", b"12.5")),
    ):
        topics = await mqtt.browse()
        assert [node.name for node in topics] == ["mine/p1/state", "plain"]
        assert all(node.address == "" and node.parent == "" for node in topics)
        fields = await mqtt.browse("mine&/p1&/state")
        assert [(node.address, node.type) for node in fields] == [
            ("mine/p1/state#level", "number, e.g. 1.5"),
            ("mine/p1/state#on", "bool, e.g. True"),
            ("mine/p1/state#motor.phase[0]", "number, e.g. 1"),
            ("mine/p1/state#motor.phase[1]", "number, e.g. 2"),
            ("mine/p1/state#list[*].v", "number, e.g. 3"),
            ("mine/p1/state#['a.b']", "text, e.g. 词"),
        ]
        for node in fields:
            Mqtt.check(tag(0, node.address))
        assert [(node.address, node.name) for node in await mqtt.browse("plain")] == [("plain#$", "$")]
        assert await mqtt.browse("no/such") == []
        values = [tag(number, node.address, "text") for number, node in enumerate(fields)]
    async with running(broker.port, values) as run, sending((publisher, "mine/p1/state", state)):
        await run.until(6)
        assert not any(delivery.reading.reasons for delivery in run.deliveries), "what browse gives can be read"


async def test_unknown_devices_of_a_discovered_pattern_are_findings(broker: Broker, publisher: Publisher) -> None:
    async with running(broker.port, [tag(0, "mine/p1/state#v")], discover=["mine/+/state"]) as run:
        for device in ("p1", "p2", "p3"):
            await publisher.publish(f"mine/{device}/state", {"v": 1})
        await publisher.publish("mine/p1/other", {"v": 1})
        async with asyncio.timeout(30):
            while len(run.adapter.findings()) < 2:
                await asyncio.sleep(0.02)
        assert [finding.where for finding in run.adapter.findings()] == ["mine/p2/state", "mine/p3/state"]
        assert "'p2'" in run.adapter.findings()[0].reason
        assert run.values == [1.0], "one subscription, one message"
        async with asyncio.timeout(30):
            while run.adapter.counters()["acknowledged_total"] < 3:
                await asyncio.sleep(0.02)
        nodes = await run.adapter.browse("mine/p3/state")
        assert [node.address for node in nodes] == ["mine/p3/state#v"], "known without listening anew"


# ---- writing

SET = {"command": "mine/p1/set", "template": '{"cmd": "set", "v": {value}}'}


@asynccontextmanager
async def device(broker: Broker, answer: Callable[[Publisher, Any], None]) -> AsyncIterator[list[Any]]:
    """Obeys commands as `answer` does; gives the list of those that came."""
    publisher, got = await asyncio.to_thread(Publisher, broker.port), []

    def heard(payload: bytes) -> None:
        got.append(json.loads(payload))
        answer(publisher, got[-1])

    await asyncio.to_thread(publisher.listen, "mine/p1/set", heard)
    yield got
    publisher.close()


def obey(publisher: Publisher, command: Any) -> None:
    publisher.send("mine/p1/state", {"v": command["v"]})


@pytest.mark.parametrize(
    ("kind", "value", "options", "written"),
    [
        ("", 42.0, {}, 42),
        ("", -1.5, {}, -1.5),
        ("bool", 1.0, {}, True),
        ("text", '自动"模式', {"template": '{"cmd": "set", "v": "{value}"}'}, '自动"模式'),
    ],
)
async def test_a_write_is_verified_by_what_the_device_says(
    broker: Broker, kind: str, value: Any, options: Any, written: Any
) -> None:
    async with adapter(broker) as mqtt, device(broker, obey) as got:
        await mqtt.write(tag(0, "mine/p1/state#v", kind, **{**SET, **options}), value)
        assert got == [{"cmd": "set", "v": written}]


async def test_a_word_is_written_as_the_word(broker: Broker) -> None:
    async with adapter(broker) as mqtt, device(broker, obey) as got:
        words = {"command": "mine/p1/set", "template": '{"v": "{value}"}', "words": "开=1,关=0"}
        await mqtt.write(tag(0, "mine/p1/state#v", **words), 1.0)
        assert got == [{"v": "开"}]
        with pytest.raises(AdapterError, match="none of the values"):
            await mqtt.write(tag(0, "mine/p1/state#v", **words), 2.0)


async def test_a_write_is_read_back_from_another_topic_and_field(broker: Broker) -> None:
    def answer(publisher: Publisher, command: Any) -> None:
        publisher.send("mine/p1/state", {"v": -1})
        publisher.send("mine/p1/ack", {"set": {"now": command["v"]}})

    async with adapter(broker) as mqtt, device(broker, answer):
        await mqtt.write(tag(0, "mine/p1/state#v", **SET, read_back="mine/p1/ack#set.now"), 7.0)
        with pytest.raises(WriteUnknown, match="still said -1"):
            await mqtt.write(tag(0, "mine/p1/state#v", **SET), 7.0)


async def test_a_device_that_says_nothing_leaves_the_write_unverified(broker: Broker, publisher: Publisher) -> None:
    await publisher.publish("mine/p1/state", {"v": 7}, retain=True)
    async with adapter(broker) as mqtt, device(broker, lambda *_: None) as got:
        with pytest.raises(WriteUnknown, match="not verified"):
            await mqtt.write(tag(0, "mine/p1/state#v", **SET), 7.0)
        assert len(got) == 1, "what the broker retained is no answer"


async def test_a_write_leaves_the_connections_own_values_alone(broker: Broker) -> None:
    async with running(broker.port, [tag(0, "mine/p1/state#v")]) as run, device(broker, obey):
        for value in (1.0, 2.0, 3.0):
            await run.adapter.write(tag(0, "mine/p1/state#v", **SET), value)
        await run.until(3)
        assert run.values == [1.0, 2.0, 3.0]


async def test_writing_through_a_dead_broker_is_link_lost_in_time(broker: Broker) -> None:
    async with adapter(broker) as mqtt:
        await asyncio.to_thread(broker.stop)
        began = time.monotonic()
        with pytest.raises(LinkLost):
            await mqtt.write(tag(0, "mine/p1/state#v", **SET), 7.0)
        assert time.monotonic() - began < 15


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_a_device_that_was_away_does_not_carry_out_a_command_late(broker: Broker, protocol: str) -> None:
    """Its broker keeps messages of QoS 1 for it; nobody waits for this one any more when it comes back."""
    got: list[Any] = []

    def dial() -> Any:
        client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id="pump-1", clean_session=False, protocol=paho.MQTTv311
        )
        client.username_pw_set("device", PASSWORD)
        client.on_message = lambda _client, _data, message: got.append(message.payload)
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        client.subscribe("mine/p1/set", 1)
        time.sleep(0.3)
        return client

    def leave(client: Any) -> None:
        client.disconnect()
        client.loop_stop()

    await asyncio.to_thread(leave, await asyncio.to_thread(dial))
    async with adapter(broker, protocol=protocol) as mqtt:
        with pytest.raises(WriteUnknown):
            await mqtt.write(tag(0, "mine/p1/state#v", **SET), 5.0)
    await asyncio.sleep(1.5)
    again = await asyncio.to_thread(dial)
    await asyncio.sleep(0.5)
    await asyncio.to_thread(leave, again)
    assert not got
