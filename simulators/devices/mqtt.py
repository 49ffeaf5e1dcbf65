"""A device that publishes the points of one connection as JSON, QoS 1.

A message waits in a bounded queue until the broker has acknowledged it; what was not is published
again after a reconnect, in order. So the broker may be away for as long as the queue is deep.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import deque
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import numpy as np
import orjson
import structlog
from numpy.typing import NDArray

from models.site.model import Connection, Point
from simulators.devices.device import STRING, Device, DeviceError, secret, type_of
from simulators.encode import TYPES, quantise

log = structlog.get_logger(__name__)

DECIMALS = 6
"""Digits after the point that a message writes."""

KEPT_S = 900
"""How long messages are kept for a broker that is away."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = re.compile(r"""\.?([^.\[\]'"\s][^.\[\]'"]*)|\[(\d+)\]|\[["']([^"']+)["']\]""")
_UNIT_US = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1, "iso": 1_000}

JsonPath = tuple[str | int, ...]


def steps(path: str) -> JsonPath:
    """`a.b[0]` → ("a", "b", 0); `$` → (). Raises ValueError."""
    rest = path[1:] if path.startswith("$") else path
    found: list[str | int] = []
    at = 0
    while at < len(rest):
        match = _STEP.match(rest, at)
        if match is None:
            raise ValueError(f"the JSON path '{path}' cannot be read from '{rest[at:]}' on")
        found.append(int(match[2]) if match[2] is not None else match[1] or match[3])
        at = match.end()
    return tuple(found)


def place(document: Any, path: JsonPath, value: Any) -> Any:
    """The document with the value at the end of the path, growing it where needed."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(key, str):
        document = document if isinstance(document, dict) else {}
        document[key] = place(document.get(key), rest, value)
    else:
        document = document if isinstance(document, list) else []
        document += [None] * (key + 1 - len(document))
        document[key] = place(document[key], rest, value)
    return document


class _Topic:
    """One topic: which rows it carries, and where its time goes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[tuple[int, JsonPath]] = []
        self.time: JsonPath | None = None
        self.unit = "ms"


class MqttPoints(Device):
    """Publishes once a second. `iso`: ids of the equipment whose controller writes its time as ISO
    8601 with Z; others write whole ms, or the unit that their points' options name. `dropped` counts
    messages that were given up because the broker was away for too long."""

    period_s = 1.0
    tells_all = True

    def __init__(
        self, connection: Connection, points: Sequence[Point], home: Path | None = None, iso: Collection[str] = ()
    ) -> None:
        super().__init__(connection, points)
        self._iso = iso
        settings = connection.settings
        self.host = str(settings.get("host", "127.0.0.1"))
        self.port = int(settings.get("port", 1883))
        self.user, self._password = _user(connection, home)
        self._kinds = [type_of(point) for point in points]
        for point, kind in zip(points, self._kinds, strict=True):
            if kind not in (*TYPES, STRING):
                raise DeviceError(f"{point.path}: no simulated MQTT message holds the type '{kind}'")
        self._factor = np.array([point.factor for point in points])
        self._offset = np.array([point.offset for point in points])
        self._topics = self._by_topic()
        self._held: list[float | int | bool | str] = []
        self._queue: deque[tuple[str, bytes]] = deque()
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0
        self.acknowledged = 0

    def _by_topic(self) -> list[_Topic]:
        topics: dict[str, _Topic] = {}
        for row, point in enumerate(self.points):
            name, mark, path = point.address.rpartition("#")
            if not mark or not path:
                raise DeviceError(f"{point.path}: '{point.address}' is not <topic>#<JSON path>")
            # A pattern that takes many equipments' topics is published for each under its own name.
            name = name.replace("+", point.equipment)
            if "#" in name:
                raise DeviceError(f"{point.path}: the topic '{name}' names no single topic to publish on")
            topic = topics.setdefault(name, _Topic(name))
            try:
                topic.rows.append((row, steps(path)))
                if "time" in point.options:
                    topic.time = steps(str(point.options["time"]))
            except ValueError as error:
                raise DeviceError(f"{point.path}: {error}") from error
            unit = str(point.options.get("time_unit", "auto"))
            topic.unit = unit if unit in _UNIT_US else ("iso" if point.equipment in self._iso else "ms")
        return list(topics.values())

    @property
    def waiting(self) -> int:
        """Messages that the broker has not acknowledged."""
        return len(self._queue)

    def stamp(self, ts: int) -> int:
        coarsest = max((_UNIT_US[topic.unit] for topic in self._topics), default=1)
        return ts - ts % coarsest

    async def start(self) -> None:
        self._task = asyncio.create_task(self._publish())

    def _hold(self, values: NDArray[np.float64], texts: Sequence[str]) -> NDArray[np.float64]:
        raw = np.round((values - self._offset) / self._factor, DECIMALS)
        shown = raw.copy()
        self._held = []
        for row, kind in enumerate(self._kinds):
            if kind == STRING:
                self._held.append(texts[row])
                continue
            value = quantise(raw[row : row + 1], kind)[0]
            # What JSON writes is read back as float64, so a float32 is held as one.
            shown[row] = value
            self._held.append(bool(value) if kind == "bool" else value.item())
        return shown * self._factor + self._offset

    async def serve(self, ts: int, changed: NDArray[np.bool_]) -> None:
        most = max(1, int(KEPT_S / self.period_s)) * len(self._topics)
        for topic in self._topics:
            document: Any = {}
            for row, path in topic.rows:
                document = place(document, path, self._held[row])
            if topic.time is not None:
                document = place(document, topic.time, _written(ts, topic.unit))
            if len(self._queue) >= most:
                self._queue.popleft()
                self.dropped += 1
            self._queue.append((topic.name, orjson.dumps(document)))
        self._more.set()

    async def _publish(self) -> None:
        """Publish the queue's head until it is acknowledged; connect again and again."""
        wait = 0.2
        while True:
            try:
                async with aiomqtt.Client(
                    self.host,
                    self.port,
                    username=self.user or None,
                    password=self._password or None,
                    identifier=f"simulator-{self.connection.name}",
                    keepalive=10,
                    timeout=5.0,
                ) as client:
                    log.info("mqtt_connected", connection=self.connection.name, waiting=len(self._queue))
                    wait = 0.2
                    while True:
                        await self._send(client)
            except (aiomqtt.MqttError, OSError) as error:
                log.warning("mqtt_away", connection=self.connection.name, error=str(error), waiting=len(self._queue))
            await asyncio.sleep(wait * random.uniform(0.7, 1.3))
            wait = min(wait * 2.0, 5.0)

    async def _send(self, client: aiomqtt.Client) -> None:
        while self._queue:
            head = self._queue[0]
            await client.publish(head[0], head[1], qos=1)
            self.acknowledged += 1
            if self._queue and self._queue[0] is head:
                self._queue.popleft()
        self._more.clear()
        # Woken now and then to learn of a connection that is gone while nothing is due.
        try:
            await asyncio.wait_for(self._more.wait(), 2.0)
        except TimeoutError:
            return

    async def close(self) -> None:
        """Give the queue's rest a moment to get out, then end."""
        task, self._task = self._task, None
        if task is None:
            return
        for _ in range(20):
            if not self._queue or task.done():
                break
            await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _written(ts: int, unit: str) -> int | str:
    """The time in a payload: a whole number in its unit, or ISO 8601."""
    if unit == "iso":
        return (_EPOCH + timedelta(microseconds=ts)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return ts * 1000 if unit == "ns" else ts // _UNIT_US[unit]


def _user(connection: Connection, home: Path | None) -> tuple[str, str]:
    """The device's own user where the bus has made one, else the connection's. Raises DeviceError."""
    own = None if home is None else home / "bus" / "credentials" / "mqtt-simulator.json"
    if own is not None and own.exists():
        try:
            found = json.loads(own.read_text())
            return str(found["user"]), str(found["password"])
        except (OSError, ValueError, KeyError) as error:
            raise DeviceError(f"the credential {own} cannot be read: {error}") from error
    return str(connection.settings.get("user") or ""), secret(connection)
