"""Load over many Modbus devices: N points, each new every period (a second), as float32 or one register.

The image of all devices switches exactly at the boundary
of a period, for it is switched by the request that is the first to be answered in the new one.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import functools
import itertools
import json
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import uvloop

from simulators.devices.modbus import Area, ModbusDevice, Unit
from simulators.load.folder import GATEWAY, MINE_CODE, Box, Way, write_site
from simulators.load.wave import value_at, word_at


class LoadMine:
    """`points` points spread evenly over `devices` Modbus devices on loopback; all new every `period_s`.
    With `words` each is one unsigned register, else a float32 in two. The last `dead` devices do not
    answer: every second of them hangs, the others refuse."""

    def __init__(
        self,
        points: int,
        devices: int,
        seed: int = 1,
        host: str = "127.0.0.1",
        *,
        period_s: float = 1.0,
        words: bool = False,
        dead: int = 0,
    ) -> None:
        if points < devices or -(-points // devices) > 32_768:
            raise ValueError(f"{points} points do not fit {devices} devices: 1 to 32768 on each")
        self.points = points
        self.seed = seed
        self.period_s = period_s
        self.words = words
        self.dead = dead
        self.registers = 1 if words else 2
        """Registers a point."""
        self.arrivals: dict[int, list[float]] | None = None
        """Set to a dict, it takes each device's requests' instants (monotonic seconds)."""
        bounds = np.linspace(0, points, devices + 1).astype(np.int64)
        self.ranges = [(int(low), int(high)) for low, high in itertools.pairwise(bounds)]
        """For each device its points' indices: from, and up to (not with)."""
        self._lows = [low for low, _ in self.ranges]
        self._areas = [Area(2, self.registers * (high - low)) for low, high in self.ranges]
        self.devices = [ModbusDevice({1: Unit({"hr": area})}, host) for area in self._areas]
        for number, device in enumerate(self.devices):
            device.before = functools.partial(self._asked, number)
        self._next: tuple[int, bytes] | None = None
        self._boundary = 0.0
        self._task: asyncio.Task[None] | None = None

    def _image(self, period: int) -> bytes:
        of = word_at if self.words else value_at
        return of(np.arange(self.points), period, self.seed).astype(">u2" if self.words else ">f4").tobytes()

    def _asked(self, number: int) -> None:
        if self.arrivals is not None:
            self.arrivals.setdefault(number, []).append(time.monotonic())
        self._switch()

    def _switch(self) -> None:
        """Show the values of the present period."""
        now = time.time()
        if now < self._boundary:
            return
        period = int(now / self.period_s)
        if self._next is None or self._next[0] != period:
            self._next = period, self._image(period)
        view = memoryview(self._next[1])
        size = 2 * self.registers
        for area, (low, high) in zip(self._areas, self.ranges, strict=True):
            area.image = view[size * low : size * high]
        self._boundary = (period + 1) * self.period_s

    async def _prepare(self) -> None:
        """Compute each period's image before it is due, in the middle of the period before."""
        while True:
            now = time.time() / self.period_s
            await asyncio.sleep(((0.5 - now) % 1.0) * self.period_s + 0.001)
            period = int(time.time() / self.period_s) + 1
            self._next = period, self._image(period)

    async def start(self) -> None:
        """Listen with all devices; their ports are then known."""
        self._switch()
        for device in self.devices:
            await device.start()
        for number, device in enumerate(self.devices[len(self.devices) - self.dead :]):
            device.fault = "hang" if number % 2 else "refuse"
        self._task = asyncio.create_task(self._prepare())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for device in self.devices:
            await device.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`."""
        await self.start()
        try:
            await stop.wait()
        finally:
            await self.close()

    def path(self, point: int) -> str:
        """The path of a point, by its index."""
        device = bisect.bisect_right(self._lows, point) - 1
        return f"{MINE_CODE}/load_{device:04d}/p{point - self._lows[device]:05d}"

    def paths(self) -> list[str]:
        """The paths of all points, by index."""
        return [
            f"{MINE_CODE}/load_{device:04d}/p{number:05d}"
            for device, (low, high) in enumerate(self.ranges)
            for number in range(high - low)
        ]

    def write_site(self, folder: Path, *, gateway: str = GATEWAY, phase_ms: Sequence[int] | None = None) -> None:
        """A site folder from which gateway and platform can work with these devices; they must have
        been started. `phase_ms`: phases given to the devices in turn, None lets the gateway stagger."""
        write_site(folder, self.ways(phase_ms), self.boxes(), gateway=gateway)

    def ways(self, phase_ms: Sequence[int] | None = None) -> dict[str, Way]:
        """A connection for each device."""
        found = {}
        for number, device in enumerate(self.devices):
            group = {"period": f"{self.period_s * 1000:g} ms"}
            if phase_ms:
                group["phase"] = f"{phase_ms[number % len(phase_ms)]} ms"
            settings = {"host": device.host, "port": device.port, "unit": 1}
            found[f"device_{number:04d}"] = Way("modbus", settings, {"second": group})
        return found

    def boxes(self) -> list[Box]:
        """An equipment for each device."""
        kind, size = ("uint16", 1) if self.words else ("float32", 2)
        return [
            Box(
                *(f"load_{number:04d}", high - low, f"device_{number:04d}", lambda n: f"hr:{size * n}"),
                type=kind,
                order="abcd",
                group="second",
            )
            for number, (low, high) in enumerate(self.ranges)
        ]


async def _serve(mine: LoadMine, folder: Path, phase_ms: Sequence[int], arrivals: Path | None) -> None:
    if arrivals is not None:
        mine.arrivals = {}
    await mine.start()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        mine.write_site(folder, phase_ms=phase_ms)
        ports = [device.port for device in mine.devices]
        print(json.dumps({"site": str(folder), "points": mine.points, "seed": mine.seed, "ports": ports}), flush=True)
        await stop.wait()
        if arrivals is not None:
            await asyncio.to_thread(arrivals.write_text, json.dumps(mine.arrivals))
        print(json.dumps({"requests": sum(device.requests for device in mine.devices)}), flush=True)
    finally:
        await mine.close()


def main() -> None:
    """`python -m simulators.load`: serve, write the site folder, print one JSON line when ready; end on
    SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="simulators.load", description="Serve a mine that only makes load.")
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--devices", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--site", type=Path, required=True, help="the folder to write the site to")
    parser.add_argument("--phase-ms", type=int, nargs="*", default=[], help="phases for the devices in turn")
    parser.add_argument("--period-ms", type=float, default=1000.0, help="how often all values change")
    parser.add_argument("--words", action="store_true", help="points of one unsigned register, not float32")
    parser.add_argument("--dead", type=int, default=0, help="so many of the devices hang or refuse")
    parser.add_argument("--arrivals", type=Path, help="write each device's requests' instants here at the end")
    given = parser.parse_args()
    mine = LoadMine(
        *(given.points, given.devices, given.seed),
        period_s=given.period_ms / 1000,
        words=given.words,
        dead=given.dead,
    )
    uvloop.run(_serve(mine, given.site, given.phase_ms, given.arrivals))
