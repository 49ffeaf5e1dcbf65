"""The MQTT device against a real mosquitto, which goes away and comes back."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from pathlib import Path

import numpy as np
import paho.mqtt.client as paho
import pytest
import structlog

from simulators.devices.device import DeviceError
from simulators.devices.json_path import place, steps
from simulators.devices.mqtt import MqttPoints
from tests.protocols.mqtt.broker import PASSWORD, Broker
from tests.simulators.points import connection, point

TS = 1_790_000_000_123_456
OPTIONS = {"options": {"time": "ts"}, "unit": "x"}
POINTS = [
    point("level", "mine/pump/state#values.level", "", "pump", factor=0.01, **OPTIONS),
    point("flow2", "mine/pump/state#values.pumps[1].flow", "", "pump", **OPTIONS),
    point("flow1", "mine/pump/state#values.pumps[0].flow", "", "pump", **OPTIONS),
    point("ch4", "mine/+/gas#values.lel", "", "gas1", factor=0.05, options={"time": "at.ms"}, unit="x"),
]


class Listener:
    """Keeps every message that came, in a session that the broker remembers."""

    def __init__(self, port: int) -> None:
        self.messages: list[tuple[str, dict]] = []
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="listener", clean_session=False)
        self._client.username_pw_set("gateway", PASSWORD)
        self._client.on_message = lambda _c, _u, m: self.messages.append((m.topic, json.loads(m.payload)))
        self._client.on_connect = lambda client, *_: client.subscribe("mine/#", 1)
        self._client.reconnect_delay_set(0.1, 0.3)
        there = threading.Event()
        self._client.on_subscribe = lambda *_: there.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert there.wait(30), "what is sent before it has subscribed is not kept for it"

    def of(self, topic: str) -> list[dict]:
        return [document for name, document in self.messages if name == topic]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def device(port: int, **settings: str) -> MqttPoints:
    facts = {"host": "127.0.0.1", "port": port, "user": "device", "password": PASSWORD, **settings}
    return MqttPoints(connection("c1", "mqtt", facts), POINTS, iso={"pump"})


async def until(condition: object, seconds: float = 30.0) -> None:
    for _ in range(int(seconds / 0.05)):
        if condition():  # type: ignore[operator]
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come about in time")


async def test_messages_have_the_layout_of_their_addresses(broker: Broker) -> None:
    listener, made = Listener(broker.port), device(broker.port)
    try:
        await made.start()
        shown = made.hold(np.array([2.31, 0.0, 281.5, 0.471]), [""] * 4)
        assert shown.tolist() == [231.0 * 0.01, 0.0, 281.5, 9.42 * 0.05]
        assert made.stamp(TS) == TS - 456
        await made.serve(made.stamp(TS), np.ones(4, bool))
        await until(lambda: len(listener.messages) == 2)
        assert listener.of("mine/pump/state") == [
            {"values": {"level": 231.0, "pumps": [{"flow": 281.5}, {"flow": 0.0}]}, "ts": "2026-09-21T14:13:20.123Z"}
        ]
        assert listener.of("mine/gas1/gas") == [{"values": {"lel": 9.42}, "at": {"ms": TS // 1000}}]
    finally:
        await made.close()
        listener.close()


async def test_nothing_is_lost_while_the_broker_is_away(broker: Broker) -> None:
    listener, made = Listener(broker.port), device(broker.port)
    try:
        await made.start()
        for n in range(1, 61):
            made.hold(np.array([n / 100.0, n, n, 0.0]), [""] * 4)
            await made.serve(TS + n * 1_000_000, np.ones(4, bool))
            await asyncio.sleep(0.02)
            if n == 20:
                broker.stop(signal.SIGTERM)  # it keeps the listener's session, so only the device can lose
            if n == 40:
                assert made.waiting >= 20
                broker.start()
        await until(lambda: made.waiting == 0)
        await until(lambda: bool(listener.of("mine/pump/state")[-1:]))
        await until(lambda: listener.of("mine/pump/state")[-1]["values"]["level"] == 60.0)
        levels = [document["values"]["level"] for document in listener.of("mine/pump/state")]
        assert set(range(1, 61)) - set(levels) == set()
        assert made.dropped == 0
        assert made.acknowledged >= 120
    finally:
        await made.close()
        listener.close()


async def test_a_broker_that_is_slow_to_acknowledge_does_not_hold_the_device_back(broker: Broker) -> None:
    listener, made = Listener(broker.port), device(broker.port)
    try:
        await made.start()
        await until(lambda: made.link.pairs)
        made.link.fault("delay", 0.5)
        for n in range(1, 21):
            made.hold(np.array([n / 100.0, n, n, 0.0]), [""] * 4)
            await made.serve(TS + n * 1_000_000, np.ones(4, bool))
        # 40 messages one by one would take 40 round trips of half a second.
        await until(lambda: made.waiting == 0, 15.0)
        await until(lambda: len(listener.of("mine/pump/state")) == 20)
        levels = [document["values"]["level"] for document in listener.of("mine/pump/state")]
        assert levels == [float(n) for n in range(1, 21)], "in their order"
        assert (made.dropped, made.acknowledged) == (0, 40)
    finally:
        await made.close()
        listener.close()


async def test_the_queue_is_bounded_and_says_what_it_dropped(broker: Broker) -> None:
    made = device(broker.port)
    made.hold(np.array([1.0, 1.0, 1.0, 1.0]), [""] * 4)
    for _ in range(1000):
        await made.serve(TS, np.ones(4, bool))
    assert (made.waiting, made.dropped) == (1800, 200)
    await made.close()


async def test_a_wrong_password_is_never_let_in(broker: Broker) -> None:
    made = device(broker.port, password="wrong")
    made.hold(np.array([1.0, 1.0, 1.0, 1.0]), [""] * 4)
    await made.serve(TS, np.ones(4, bool))
    await made.start()
    await asyncio.sleep(0.6)
    assert (made.waiting, made.acknowledged) == (2, 0)
    await made.close()


async def test_a_broker_that_refuses_again_and_again_is_told_of_once(broker: Broker) -> None:
    made = device(broker.port, password="wrong")
    with structlog.testing.capture_logs() as said:
        await made.start()
        await asyncio.sleep(3.0)  # several attempts, each a little later than the one before
        await made.close()
    assert [each["event"] for each in said].count("mqtt_away") == 1


def test_the_bus_credential_comes_before_the_connections(tmp_path: Path) -> None:
    folder = tmp_path / "bus" / "credentials"
    folder.mkdir(parents=True)
    (folder / "mqtt-simulator.json").write_text(json.dumps({"user": "simulator", "password": "s", "hash": "h"}))
    facts = {"user": "gateway", "password": "g"}
    assert MqttPoints(connection("c1", "mqtt", facts), POINTS, tmp_path).user == "simulator"
    assert MqttPoints(connection("c1", "mqtt", facts), POINTS, tmp_path / "other").user == "gateway"


def test_paths_build_documents() -> None:
    assert steps("a.b[2].c") == ("a", "b", 2, "c")
    assert steps("$") == ()
    assert steps("['a.b'].c") == ("a.b", "c")
    assert place(None, steps("a[1].b"), 3) == {"a": [None, {"b": 3}]}
    with pytest.raises(ValueError, match="cannot be read"):
        steps("a..b")


def test_a_pattern_that_names_no_topic_is_refused() -> None:
    with pytest.raises(DeviceError, match="names no single topic"):
        MqttPoints(connection("c1", "mqtt", {}), [point("a", "mine/##x", "")])
    with pytest.raises(DeviceError, match="JSON path"):
        MqttPoints(connection("c1", "mqtt", {}), [point("a", "mine/a", "")])
