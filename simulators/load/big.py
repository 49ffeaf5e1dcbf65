"""The big mine: `points` points at 1 Hz, 80 % of them over Modbus, 10 % over OPC UA, 10 % over MQTT."""

from __future__ import annotations

import asyncio
import itertools
import socket
import time
from pathlib import Path

import structlog

from simulators.devices.device import DeviceError
from simulators.load.folder import Box, Way, path_of, write_site
from simulators.load.modbus import LoadMine
from simulators.load.mqtt import MqttLoad
from simulators.load.opcua import NAMESPACE, OpcUaLoad

log = structlog.get_logger(__name__)

EACH = 1000
"""Points an equipment."""
PHASES_MS = (150, 350, 550, 750)
"""A read that straddles the second may see both: polls are laid apart from it."""


def shares(points: int) -> tuple[int, int, int]:
    """How many points go over Modbus, OPC UA and MQTT."""
    tenth = points // 10
    return points - 2 * tenth, tenth, tenth


class BigMine:
    """Points by index: first Modbus', then OPC UA's, then MQTT's. `folder`: the server's certificate and the
    broker's configuration."""

    def __init__(self, points: int, seed: int, folder: Path) -> None:
        modbus, opcua, mqtt = shares(points)
        if opcua < 1:
            raise DeviceError(f"--points {points}：至少 10 个 · at least 10")
        self.points = points
        self.modbus = LoadMine(modbus, -(-modbus // EACH), seed)
        self.opcua = OpcUaLoad(modbus, opcua, seed, _free_port(), folder / "opcua")
        self.mqtt = MqttLoad(modbus + opcua, mqtt, seed, _free_port(), folder / "mqtt")

    def ways(self) -> dict[str, Way]:
        found = self.modbus.ways(PHASES_MS)
        # Sampled twice a second: at the very rate of the change a second would be left out now and then.
        settings = {"url": self.opcua.url, "max_items_per_subscription": EACH, "sampling_ms": 500}
        found["opcua"] = Way("opcua", settings, {"second": {"period": "1 s"}})
        found["mqtt"] = Way("mqtt", {"host": "127.0.0.1", "port": self.mqtt.port, "client_id": "load-gateway"})
        return found

    def boxes(self) -> list[Box]:
        made = self.modbus.boxes()
        for low, high in itertools.pairwise([*range(0, self.opcua.count, EACH), self.opcua.count]):
            made.append(
                Box(
                    f"load_{len(made):04d}",
                    high - low,
                    "opcua",
                    lambda n, low=low: f"nsu={NAMESPACE};i={low + n + 1}",  # type: ignore[misc]
                    group="second",
                )
            )
        for number, (low, high) in enumerate(self.mqtt.ranges):
            made.append(
                Box(
                    f"load_{len(made):04d}",
                    high - low,
                    "mqtt",
                    lambda n, number=number: f"load/{number}#v.m{n}",  # type: ignore[misc]
                    options="time=ts",
                )
            )
        return made

    def paths(self) -> list[str]:
        """The paths of all points, by index."""
        return [path_of(box, n) for box in self.boxes() for n in range(box.points)]

    def write_site(self, folder: Path) -> None:
        """The site folder, once it was started."""
        write_site(folder, self.ways(), self.boxes())

    async def start(self) -> None:
        self._turn_columns()
        await self.opcua.start()
        await self.modbus.start()
        await self.mqtt.start()

    def _turn_columns(self) -> int:
        second = int(time.time())
        self.opcua.columns.turn(second)
        return second

    async def run(self, stop: asyncio.Event) -> None:
        """A new value for each point at each whole second, until `stop`."""
        while not stop.is_set():
            now = time.time()
            await asyncio.sleep(1.0 - now % 1.0 + 0.0005)
            await self.mqtt.turn(self._turn_columns())

    async def close(self) -> None:
        for part in (self.mqtt, self.modbus, self.opcua):
            await part.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def serve(points: int, home: Path, seed: int, stop: asyncio.Event) -> None:
    """Serve until `stop`; the site folder goes to `<home>/big`. Raises DeviceError."""
    mine = BigMine(points, seed, home / "simulators" / "big")
    folder = home / "big"
    try:
        await mine.start()
        mine.write_site(folder)
        print(
            f"{points} 个测点 · points: Modbus/OPC UA/MQTT {shares(points)}\n"
            f"配置目录 · site folder: {folder}\n"
            f"  sevenones gateway --site {folder} --name edge1 …",
            flush=True,
        )
        await mine.run(stop)
    finally:
        await mine.close()
