"""An edge node in the test's hands: every message by itself, so that it can be late, missing or wrong."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Any

import paho.mqtt.client as paho

from protocols.sparkplug.values import CODES, NAMES
from protocols.sparkplug.wire import Payload
from tests.protocols.mqtt.broker import PASSWORD

_FIELDS = {
    "Int8": "int_value",
    "Int16": "int_value",
    "Int32": "int_value",
    "UInt8": "int_value",
    "UInt16": "int_value",
    "UInt32": "int_value",
    "Int64": "long_value",
    "UInt64": "long_value",
    "DateTime": "long_value",
    "Float": "float_value",
    "Double": "double_value",
    "Boolean": "boolean_value",
    "String": "string_value",
    "Text": "string_value",
}


def add(payload: Any, name: str, kind: str, value: Any, *, alias: int | None = None, **more: Any) -> Any:
    """One metric; without a name it goes by its alias, None as a value is null."""
    metric = payload.metrics.add(datatype=CODES[kind], **more)
    if name:
        metric.name = name.encode()
    if alias is not None:
        metric.alias = alias
    if value is None:
        metric.is_null = True
    else:
        field = _FIELDS.get(kind, "bytes_value")
        if field == "int_value":
            value &= 0xFFFFFFFF
        elif field == "long_value":
            value &= 0xFFFFFFFFFFFFFFFF
        setattr(metric, field, value.encode() if isinstance(value, str) else value)
    return metric


Metrics = Mapping[str, tuple[str, Any]]
"""Type and value by name; aliases are given by position, devices' after the node's."""


class EdgeNode:
    """`metrics` of the node are under the device "". `connect` sets the will, `birth` sends all births."""

    def __init__(self, port: int, metrics: Mapping[str, Metrics], group: str = "mine", name: str = "belt") -> None:
        self.group, self.name = group, name
        self.metrics = {device: dict(some) for device, some in metrics.items()}
        self.bd = 0
        self.seq = 0
        self.asked = 0
        self.answers = True
        self.obeys = True
        self.behind_ms = 0
        self.commands: list[tuple[str, str, str]] = []
        self._port = port
        self._client: Any = None
        self._places = [(device, metric) for device, some in metrics.items() for metric in some]

    # ---- the link

    async def connect(self) -> None:
        client: Any = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        client.username_pw_set("device", PASSWORD)
        client.will_set(self.topic("NDEATH"), self.death().SerializeToString(), qos=1)
        client.on_message = self._on_command
        commands = [(f"spBv1.0/{self.group}/NCMD/{self.name}", 1), (f"spBv1.0/{self.group}/DCMD/{self.name}/+", 1)]
        client.on_connect = lambda c, *_: c.subscribe(commands)
        granted = asyncio.Event()
        loop = asyncio.get_running_loop()
        client.on_subscribe = lambda *_: loop.call_soon_threadsafe(granted.set)
        await asyncio.to_thread(client.connect, "127.0.0.1", self._port, 30)
        client.loop_start()
        self._client = client
        await asyncio.wait_for(granted.wait(), 30)

    async def drop(self) -> None:
        """Go without a goodbye: the broker publishes the death."""
        client, self._client = self._client, None
        if client is not None:
            sock = client.socket()
            await asyncio.to_thread(client.loop_stop)
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.close()

    def leave(self) -> None:
        """Go with a goodbye: there is no death."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def _on_command(self, _client: Any, _data: Any, message: Any) -> None:
        """A request for births, or new values: those it takes, and says so."""
        payload = Payload.FromString(message.payload)
        if any(metric.name == b"Node Control/Rebirth" for metric in payload.metrics):
            self.asked += 1
            if self.answers:
                self.birth()
            return
        device = message.topic.split("/")[4] if "DCMD" in message.topic else ""
        for metric in payload.metrics:
            self.commands.append((device, metric.name.decode(), NAMES[metric.datatype]))
            if self.obeys:
                value = getattr(metric, metric.WhichOneof("value"))
                self.data(device, {metric.name.decode(): value.decode() if isinstance(value, bytes) else value})

    # ---- the messages

    def topic(self, kind: str, device: str = "") -> str:
        return f"spBv1.0/{self.group}/{kind}/{self.name}{'/' + device if device else ''}"

    def payload(self, *, seq: bool = True) -> Any:
        payload = Payload(timestamp=time.time_ns() // 1_000_000 - self.behind_ms)
        if seq:
            payload.seq = self.seq
            self.seq = (self.seq + 1) & 255
        return payload

    def death(self, bd: int | None = None) -> Any:
        payload = self.payload(seq=False)
        add(payload, "bdSeq", "Int64", self.bd if bd is None else bd)
        return payload

    def send(self, kind: str, payload: Any, device: str = "", qos: int = 0) -> None:
        data = payload if isinstance(payload, bytes) else payload.SerializeToString()
        self._client.publish(self.topic(kind, device), data, qos=qos)

    async def arrived(self) -> None:
        """All that was sent is with the broker: it answers a last message, which goes to nobody, in its turn."""
        await asyncio.to_thread(self._client.publish("arrived", b"", qos=1).wait_for_publish, 30)

    def alias(self, device: str, metric: str) -> int:
        return self._places.index((device, metric))

    def birth(self, *devices: str) -> None:
        """The node's birth, and those of its devices (all, or those that are named)."""
        self.seq = 0
        node = self.payload()
        add(node, "bdSeq", "Int64", self.bd)
        add(node, "Node Control/Rebirth", "Boolean", False)
        self._describe(node, "")
        self.send("NBIRTH", node)
        for device in devices or [name for name in self.metrics if name]:
            self.device_birth(device)

    def device_birth(self, device: str) -> None:
        born = self.payload()
        self._describe(born, device)
        self.send("DBIRTH", born, device)

    def _describe(self, payload: Any, device: str) -> None:
        for name, (kind, value) in self.metrics.get(device, {}).items():
            add(payload, name, kind, value, alias=self.alias(device, name), timestamp=payload.timestamp)

    def data(self, device: str, values: Mapping[str, Any], *, qos: int = 0, **more: Any) -> None:
        """New values, by alias."""
        payload = self.payload()
        for name, value in values.items():
            kind = self.metrics[device][name][0]
            self.metrics[device][name] = (kind, value)
            more.setdefault("timestamp", payload.timestamp)
            add(payload, "", kind, value, alias=self.alias(device, name), **more)
        self.send("DDATA" if device else "NDATA", payload, device, qos)
