"""Edge nodes of Sparkplug B with their devices, each node over a session of its own, against a broker.

A node is born (NBIRTH, then DBIRTH for each device) after it connected and whenever the host asks by
`Node Control/Rebirth`; it dies by its will. Data go by alias, QoS 0, and say only what changed; while the
broker is away they are lost, and the next birth brings the present (Eclipse Sparkplug 3.0.0, chapter 5).
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path

import aiomqtt
import numpy as np
import structlog
from numpy.typing import NDArray

from models.site.model import Connection, Point
from simulators.devices.broker import user_of
from simulators.devices.device import LINK_FAULTS, Device, DeviceError
from simulators.devices.link import Link
from simulators.devices.sparkplug_wire import DATATYPES, Metric, Value, WireError, metrics, payload
from simulators.encode import EncodeError, Typed

log = structlog.get_logger(__name__)

MOST_WAITING = 10_000
"""Messages of a node that wait at most."""
REBIRTH = "Node Control/Rebirth"
_ADDRESS = re.compile(r"(?P<group>[^/+#:]+)/(?P<node>[^/+#:]+)(?:/(?P<device>[^/+#:]+))?:(?P<metric>.+)")
_INT64, _BOOLEAN = DATATYPES["int64"], DATATYPES["bool"]


class SparkplugNodes(Device):
    """All nodes that a connection's addresses name. `births` counts theirs. Raises DeviceError."""

    period_s = 1.0
    kinds = frozenset({"reset", "hang", "slow", "garbage", "clock_jump"}) | LINK_FAULTS

    def __init__(self, connection: Connection, points: Sequence[Point], home: Path | None = None) -> None:
        super().__init__(connection, points)
        settings = connection.settings
        self.user, self.password = user_of(connection, home)
        self.link = Link("127.0.0.1", 0, str(settings.get("host", "127.0.0.1")), int(settings.get("port", 1883)))
        try:
            self.typed = Typed(self.points)
        except EncodeError as error:
            raise DeviceError(f"connection '{connection.name}': {error}") from None
        self.datatypes = [DATATYPES[kind] for kind in self.typed.kinds]
        found: dict[tuple[str, str], _Node] = {}
        for row, point in enumerate(self.points):
            match = _ADDRESS.fullmatch(point.address)
            if match is None:
                raise DeviceError(f"{point.path}: '{point.address}' is not <group>/<node>[/<device>]:<metric>")
            if "element" in point.options:
                raise DeviceError(f"{point.path}: no simulated node has arrays")
            key = match["group"], match["node"]
            found.setdefault(key, _Node(self, *key)).add(row, match["device"] or "", match["metric"])
        self.nodes = tuple(found.values())
        self.present: dict[str, float] = {}
        """The faults of the devices themselves that go on."""
        self.ms = 0
        self.noise = random.Random(1)
        self._again: set[int] = set()

    @property
    def births(self) -> int:
        return sum(node.births for node in self.nodes)

    async def start(self) -> None:
        await self.link.start()
        for node in self.nodes:
            node.start()

    def stamp(self, ts: int) -> int:
        """Times are whole ms."""
        return ts - ts % 1000

    def _hold(self, values: NDArray[np.float64], texts: Sequence[str]) -> NDArray[np.float64]:
        return self.typed.hold(values, texts)

    async def serve(self, ts: int, changed: NDArray[np.bool_]) -> None:
        self.ms = (ts + self.clock_off_us) // 1000
        again, self._again = self._again, set()
        told = changed.copy()
        told[list(again)] = True
        for node in self.nodes:
            node.tell(told)

    def take(self, row: int, value: Value) -> None:
        """A command for a point; what is taken is told anew, also where nothing changes."""
        held = value if isinstance(value, str) else float(value)
        if self.command(row, self.typed.meaning(row, held)) is None:
            self._again.add(row)

    def _begin(self, kind: str, amount: float) -> None:
        if kind == "reset" or kind in LINK_FAULTS:
            self.link.fault(kind, amount)
        elif kind != "clock_jump":
            self.present[kind] = amount

    async def close(self) -> None:
        await asyncio.gather(*(node.stop() for node in self.nodes))
        await self.link.close()


class _Node:
    """One edge node: its session, its sequence, and the aliases of its metrics (an alias is a row)."""

    def __init__(self, of: SparkplugNodes, group: str, name: str) -> None:
        self.of, self.group, self.name = of, group, name
        self.births = 0
        self._rows: dict[str, list[int]] = {"": []}
        self._names: dict[tuple[str, str], int] = {}
        self._metric: dict[int, str] = {}
        self._bd_seq, self._seq = -1, 0
        self._client: aiomqtt.Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._leaving = asyncio.Event()
        self._out: deque[tuple[float, str, bytes]] = deque()
        self._more = asyncio.Event()

    def add(self, row: int, device: str, metric: str) -> None:
        self._rows.setdefault(device, []).append(row)
        if self._names.setdefault((device, metric), row) != row:
            raise DeviceError(f"{self.of.points[row].path}: another point has the metric '{metric}' already")
        self._metric[row] = metric

    def start(self) -> None:
        self._task = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """Say goodbye, and end."""
        task, self._task = self._task, None
        if task is None:
            return
        self._leaving.set()
        _, late = await asyncio.wait([task], timeout=2.0)
        for each in late:
            each.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _live(self) -> None:
        wait, said = 0.2, ""
        while not self._leaving.is_set():
            self._bd_seq = (self._bd_seq + 1) % 256
            will = aiomqtt.Will(self._topic("NDEATH"), self._death(), qos=1)
            try:
                async with aiomqtt.Client(
                    self.of.link.host,
                    self.of.link.port,
                    username=self.of.user or None,
                    password=self.of.password or None,
                    identifier=f"simulator-{self.of.connection.name}-{self.group}-{self.name}",
                    keepalive=10,
                    timeout=5.0,
                    will=will,
                ) as client:
                    wait, said = 0.2, ""
                    await self._session(client)
            except (aiomqtt.MqttError, OSError) as error:
                if str(error) != said:  # once for a broker that stays away, not at every attempt
                    said = str(error)
                    log.warning("sparkplug_away", node=f"{self.group}/{self.name}", error=said)
            finally:
                self._client = None
            if not self._leaving.is_set():
                await asyncio.sleep(wait * random.uniform(0.7, 1.3))
                wait = min(wait * 2.0, 5.0)

    async def _session(self, client: aiomqtt.Client) -> None:
        await client.subscribe([(self._topic("NCMD"), 1), (f"{self._topic('DCMD')}/+", 1)])
        self._out.clear()
        self._client = client
        self._birth()
        tasks = [asyncio.create_task(each) for each in (self._listen(client), self._pump(client), self._leaving.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
            if self._leaving.is_set():
                await client.publish(self._topic("NDEATH"), self._death(), qos=1)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            if self.of.present.get("hang"):
                continue
            parts = str(message.topic).split("/")
            device = parts[4] if len(parts) > 4 else ""
            try:
                asked = metrics(bytes(message.payload or b""))
            except WireError:
                continue
            for metric in asked:
                if metric.name == REBIRTH and not device:
                    if metric.value:
                        self._birth()
                    continue
                row = self._names.get((device, metric.name)) if metric.name else metric.alias
                if row in self._metric and metric.value is not None:
                    self.of.take(row, metric.value)

    def tell(self, changed: NDArray[np.bool_]) -> None:
        """The values that changed, by alias."""
        if self._client is None or self.of.present.get("hang"):
            return
        for device, rows in self._rows.items():
            told = [row for row in rows if changed[row]]
            if told:
                self._send("DDATA" if device else "NDATA", device, self._of_rows(told, named=False))

    def _birth(self) -> None:
        if self.of.present.get("hang"):
            return
        self._seq = 0
        self.births += 1
        ms = self.of.ms
        own = [Metric("bdSeq", _INT64, self._bd_seq, ms=ms), Metric(REBIRTH, _BOOLEAN, False, ms=ms)]
        self._send("NBIRTH", "", [*own, *self._of_rows(self._rows[""], named=True)])
        for device, rows in self._rows.items():
            if device:
                self._send("DBIRTH", device, self._of_rows(rows, named=True))

    def _of_rows(self, rows: Iterable[int], *, named: bool) -> list[Metric]:
        of = self.of
        return [
            Metric(self._metric[row] if named else "", of.datatypes[row], of.typed[row], row, of.ms) for row in rows
        ]

    def _send(self, kind: str, device: str, told: Sequence[Metric]) -> None:
        data = payload(self.of.ms, told, self._seq)
        self._seq = (self._seq + 1) % 256
        if self.of.present.get("garbage"):
            data = self.of.noise.randbytes(len(data))
        due = asyncio.get_running_loop().time() + self.of.present.get("slow", 0.0)
        if len(self._out) < MOST_WAITING:
            self._out.append((due, self._topic(kind) + (f"/{device}" if device else ""), data))
        self._more.set()

    async def _pump(self, client: aiomqtt.Client) -> None:
        """Publish what is to be told, each when it is due, in its order."""
        while True:
            while self._out:
                due, topic, data = self._out.popleft()
                early = due - asyncio.get_running_loop().time()
                if early > 0.0:
                    await asyncio.sleep(early)
                await client.publish(topic, data)
            self._more.clear()
            await self._more.wait()

    def _death(self) -> bytes:
        return payload(self.of.ms, [Metric("bdSeq", _INT64, self._bd_seq, ms=self.of.ms)], None)

    def _topic(self, kind: str) -> str:
        return f"spBv1.0/{self.group}/{kind}/{self.name}"
