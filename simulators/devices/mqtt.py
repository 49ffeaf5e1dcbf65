"""A device that publishes the points of one connection as JSON, QoS 1.

A message waits in a bounded queue until the broker has acknowledged it; what was not is published
again after a reconnect, in order. So the broker may be away for as long as the queue is deep.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Collection, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import aiomqtt
import numpy as np
import structlog
from numpy.typing import NDArray

from models.site.model import Connection, Point
from simulators.devices.broker import user_of
from simulators.devices.device import LINK_FAULTS, Device, DeviceError
from simulators.devices.json_path import steps
from simulators.devices.link import Link
from simulators.devices.mqtt_payload import UNIT_US, Topic, commands_of, words_of
from simulators.encode import EncodeError, Typed

log = structlog.get_logger(__name__)

IN_FLIGHT = 10
"""Messages that are sent before the first of them is acknowledged."""
KEPT_S = 900
"""How long messages are kept for a broker that is away."""


class MqttPoints(Device):
    """Publishes once a second. `iso`: ids of the equipment whose controller writes its time as ISO
    8601 with Z; others write whole ms, or the unit that their points' options name. `dropped` counts
    messages that were given up because the broker was away for too long."""

    period_s = 1.0
    tells_all = True
    kinds = frozenset({"reset", "hang", "slow", "garbage", "clock_jump"}) | LINK_FAULTS

    def __init__(
        self, connection: Connection, points: Sequence[Point], home: Path | None = None, iso: Collection[str] = ()
    ) -> None:
        super().__init__(connection, points)
        self._iso = iso
        settings = connection.settings
        self.host = str(settings.get("host", "127.0.0.1"))
        self.port = int(settings.get("port", 1883))
        self.user, self._password = user_of(connection, home)
        try:
            self._typed = Typed(self.points)
            self._words = [words_of(point) for point in self.points]
            self._commands = commands_of(self.points)
        except (EncodeError, ValueError) as error:
            raise DeviceError(f"connection '{connection.name}': {error}") from None
        self.link = Link("127.0.0.1", 0, self.host, self.port)
        self._topics = self._by_topic()
        self._queue: deque[tuple[str, bytes, float]] = deque()
        self._faults: dict[str, float] = {}
        self._noise = random.Random(1)
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0
        self.acknowledged = 0

    def _by_topic(self) -> list[Topic]:
        topics: dict[str, Topic] = {}
        for row, point in enumerate(self.points):
            name, mark, path = point.address.rpartition("#")
            if not mark or not path:
                raise DeviceError(f"{point.path}: '{point.address}' is not <topic>#<JSON path>")
            # A pattern that takes many equipments' topics is published for each under its own name.
            name = name.replace("+", point.equipment)
            if "#" in name:
                raise DeviceError(f"{point.path}: the topic '{name}' names no single topic to publish on")
            topic = topics.setdefault(name, Topic(name))
            try:
                topic.rows.append((row, steps(path)))
                if "time" in point.options:
                    topic.time = steps(str(point.options["time"]))
                    if "[*]" in path and not str(point.options["time"]).startswith("$"):
                        topic.time = (*steps(path[: path.index("[*]") + 3]), *topic.time)
            except ValueError as error:
                raise DeviceError(f"{point.path}: {error}") from error
            unit = str(point.options.get("time_unit", "auto"))
            topic.form = str(point.options.get("format", "json"))
            topic.separator = {"tab": "\t"}.get(mark := str(point.options.get("separator", ",")), mark)
            if point.options.get("columnar") or not point.options.get("header", True):
                raise DeviceError(f"{point.path}: the simulated device writes a CSV with a header, not columnar")
            topic.encoding = str(point.options.get("encoding", "utf-8"))
            topic.unit = unit if unit in UNIT_US else ("iso" if point.equipment in self._iso else "ms")
        return list(topics.values())

    @property
    def waiting(self) -> int:
        """Messages that the broker has not acknowledged."""
        return len(self._queue)

    def stamp(self, ts: int) -> int:
        coarsest = max((UNIT_US[topic.unit] for topic in self._topics), default=1)
        return ts - ts % coarsest

    async def start(self) -> None:
        await self.link.start()
        self._task = asyncio.create_task(self._publish())

    def _hold(self, values: NDArray[np.float64], texts: Sequence[str]) -> NDArray[np.float64]:
        return self._typed.hold(values, texts)

    def _said(self, row: int) -> Any:
        """What a payload says of a point."""
        held, words = self._typed[row], self._words[row]
        if words and held is not None and not isinstance(held, str):
            held = words.get(float(held), held)
        return str(held) if self.points[row].type == "number_text" and held is not None else held

    async def serve(self, ts: int, changed: NDArray[np.bool_]) -> None:
        if self._faults.get("hang"):
            return
        for topic in self._topics:
            data = topic.payload(self._said, ts + self.clock_off_us)
            if self._faults.get("garbage"):
                data = self._noise.randbytes(len(data))
            self._enqueue(topic.name, data)
        slow = self._faults.get("slow")
        if slow:
            asyncio.get_running_loop().call_later(slow, self._more.set)
        else:
            self._more.set()

    def _enqueue(self, topic: str, data: bytes) -> None:
        most = max(1, int(KEPT_S / self.period_s)) * len(self._topics)
        if len(self._queue) >= most:
            self._queue.popleft()
            self.dropped += 1
        due = asyncio.get_running_loop().time() + self._faults.get("slow", 0.0)
        self._queue.append((topic, data, due))

    def _begin(self, kind: str, amount: float) -> None:
        if kind == "reset":
            self._queue.clear()
            self.link.fault("reset", amount)
        elif kind in LINK_FAULTS:
            self.link.fault(kind, amount)
        else:
            self._faults[kind] = amount

    async def _publish(self) -> None:
        """Publish what waits until it is acknowledged; connect again and again."""
        wait, said = 0.2, ""
        while True:
            try:
                async with aiomqtt.Client(
                    self.link.host,
                    self.link.port,
                    username=self.user or None,
                    password=self._password or None,
                    identifier=f"simulator-{self.connection.name}",
                    keepalive=10,
                    timeout=5.0,
                ) as client:
                    log.info("mqtt_connected", connection=self.connection.name, waiting=len(self._queue))
                    wait, said = 0.2, ""
                    for topic in self._commands:
                        await client.subscribe(topic, qos=1)
                    listening = asyncio.create_task(self._listen(client))
                    try:
                        while not listening.done():
                            await self._send(client)
                    finally:
                        listening.cancel()
                        await asyncio.gather(listening, return_exceptions=True)
            except (aiomqtt.MqttError, OSError) as error:
                if str(error) != said:  # once for a broker that stays away, not at every attempt
                    said = str(error)
                    log.warning("mqtt_away", connection=self.connection.name, error=said, waiting=len(self._queue))
            await asyncio.sleep(wait * random.uniform(0.7, 1.3))
            wait = min(wait * 2.0, 5.0)

    async def _listen(self, client: aiomqtt.Client) -> None:
        """Take commands; what became of them the next message says."""
        async for message in client.messages:
            if self._faults.get("hang"):
                continue
            for command in self._commands.get(str(message.topic), ()):
                value = command.value(bytes(message.payload or b""))
                if value is not None:
                    self.command(command.row, self._typed.meaning(command.row, value))

    async def _send(self, client: aiomqtt.Client) -> None:
        while self._queue:
            now = asyncio.get_running_loop().time()
            due = [each for each in islice(self._queue, IN_FLIGHT) if each[2] <= now]
            if not due:
                await asyncio.sleep(min(self._queue[0][2] - now, 2.0))
                return
            # Begun in their order, so on the wire in their order. A broker that takes its time to put one on disk
            # is then no limit to how many it takes a second.
            answers = await asyncio.gather(
                *(client.publish(topic, data, qos=1) for topic, data, _ in due), return_exceptions=True
            )
            for message, answer in zip(due, answers, strict=True):
                if isinstance(answer, BaseException):
                    raise answer  # this and what came after it is published again, in order
                self.acknowledged += 1
                if self._queue and self._queue[0] is message:
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
        await self.link.close()
