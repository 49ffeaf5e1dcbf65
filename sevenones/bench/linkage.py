"""From a sensor's value to the actuator's write, over loopback: many ranges side by side, with the platform gone.

Each range is a Modbus device with a methane register, a feeder's command and its feed. The gateway's own parts poll it
every 200 ms, judge, note the latch and the write on disk (fsync), and write; there is no bus, no store and no api. The
devices answer from the same process, so that their time counts, too. A trip is timed from the moment at which the
register holds 1.7 %CH4 to that at which the device has taken the command.
"""

from __future__ import annotations

import asyncio
import math
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from gateway.chunk import Chunk, Receipt
from gateway.clock import WallClock
from gateway.devices import Devices
from gateway.ledger import Ledger
from gateway.linkage.edge import Linkages
from gateway.telling import Telling
from gateway.writer import Writer
from models.identity import point_id
from models.site.model import (
    Act,
    Comparison,
    Conditions,
    Connection,
    Group,
    Kind,
    Linkage,
    Name,
    OnLost,
    Point,
    Restore,
    Retention,
    Site,
)
from simulators.devices.modbus import Area, ModbusDevice, Unit

CODE = "140581000000"
PERIOD_S = 0.2
RANGES = 25
CH4, COMMAND, FEED = 0, 1, 2
OPEN = 2


class Nowhere:
    """A sink that drops all: there is no bus."""

    def put(self, chunk: Chunk) -> None:
        return

    def emit_events(self, events: Any, receipt: Receipt | None = None) -> None:
        return

    async def room(self) -> None:
        return

    def settle(self, receipt: Receipt) -> None:
        return


@dataclass(eq=False)
class _Range:
    """One device, and when its last trip began and was written (perf_counter, s)."""

    name: str
    area: Area
    device: ModbusDevice
    began: float = 0.0
    written: float = 0.0

    def set(self, address: int, value: int) -> None:
        self.area.write(address, value.to_bytes(2, "big"))

    def took(self, _unit: int, _function: int, address: int) -> None:
        if address == COMMAND and int.from_bytes(self.area.image[2:4], "big") == OPEN:
            self.written = time.perf_counter()
            self.set(FEED, 0)


def run(trips: int = 1000) -> dict[str, Any]:
    """Measure about so many trips."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory() as folder:
        took = asyncio.run(_measure(Path(folder), max(1, round(trips / RANGES))))
    ms = np.array(took) * 1e3
    return {
        "bench": "linkage",
        "trips": len(took),
        "ranges": RANGES,
        "poll_period_ms": PERIOD_S * 1e3,
        "p50_ms": round(float(np.percentile(ms, 50)), 1),
        "p99_ms": round(float(np.percentile(ms, 99)), 1),
        "max_ms": round(float(ms.max()), 1),
    }


async def _measure(home: Path, rounds: int) -> list[float]:
    chance = random.Random(7)  # noqa: S311
    ranges = [_made(f"range-{n:02}") for n in range(RANGES)]
    for one in ranges:
        await one.device.start()
        one.device.written = one.took
    site = _site(ranges)
    clock = WallClock()
    devices = Devices("edge1", clock, Nowhere())
    writer = Writer(devices, Ledger(home / "writes.json", clock.now), clock, Telling(CODE, "edge1", lambda _: None))
    linkages = Linkages(CODE, "edge1", devices, writer, clock, lambda _: None, home / "latches.json")
    await devices.apply(site)
    linkages.apply(site)
    await _until(lambda: all(bool(one.acquisition.answered.all()) for one in devices))
    took: list[float] = []
    try:
        for _ in range(rounds):
            await asyncio.gather(*(_trip(one, chance.uniform(0, PERIOD_S)) for one in ranges))
            took += [one.written - one.began for one in ranges]
            await _until(lambda: all(latch.done for latch in linkages.latches.tripped.values()))
            for one in ranges:
                one.set(CH4, 20)
            for one in ranges:
                await _restored(linkages, one)
    finally:
        await linkages.stop(1.0)
        await devices.stop(2.0)
        for one in ranges:
            await one.device.close()
    return took


async def _trip(one: _Range, after_s: float) -> None:
    await asyncio.sleep(after_s)
    one.written = 0.0
    one.began = time.perf_counter()
    one.set(CH4, 170)
    await _until(lambda: one.written > 0)


async def _restored(linkages: Linkages, one: _Range) -> None:
    async with asyncio.timeout(10):
        while (await linkages.restoring.restore(f"cut-{one.name}", "bench"))["outcome"] != "done":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    one.set(FEED, 1)
    one.set(COMMAND, 0)


async def _until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def _made(name: str) -> _Range:
    area = Area(2, 4)
    found = _Range(name, area, ModbusDevice({1: Unit({"hr": area})}))
    found.set(FEED, 1)
    found.set(CH4, 20)
    return found


def _site(ranges: list[_Range]) -> Site:
    groups = {"fast": Group("fast", PERIOD_S)}
    connections = {
        one.name: Connection(one.name, "edge1", "modbus", {"host": "127.0.0.1", "port": one.device.port}, groups)
        for one in ranges
    }
    points = [
        point
        for one in ranges
        for point in (
            _point(one.name, "ch4", CH4, factor=0.01),
            _point(one.name, "command", COMMAND, writable=True),
            _point(one.name, "feed", FEED),
        )
    ]
    return Site(
        code=CODE, name=Name("测试", "bench"), capacity_kt=0, gas_class="", time_zone="Asia/Shanghai", version="1",
        areas={}, equipment={}, connections=connections, points=tuple(sorted(points, key=lambda p: p.path)),
        linkages=tuple(_rule(one.name) for one in ranges),
    )  # fmt: skip


def _rule(name: str) -> Linkage:
    def path(key: str) -> str:
        return f"{CODE}/{name}/{key}"

    return Linkage(
        id=f"cut-{name}", name=Name("断电", "cut"), act=Act.POWER_OFF, mine=False,
        when=Conditions((Comparison(path("ch4"), 1.5, math.inf),), every=False),
        then=(Comparison(path("feed"), 0.0, 0.0),), command={path("command"): OPEN}, within_s=2.0, source="bench",
        gateways=("edge1",), restore=Restore(Conditions((Comparison(path("ch4"), -math.inf, 0.99),), True), False),
        on_lost=OnLost.TRIP, priority=1, latched=True,
    )  # fmt: skip


def _point(equipment: str, key: str, register: int, factor: float = 1.0, writable: bool = False) -> Point:
    path = f"{CODE}/{equipment}/{key}"
    return Point(
        path=path, id=point_id(path), equipment=equipment, key=key, name=Name(key, key), role="", kind=Kind.ANALOG,
        unit="", retention=Retention.BULK, connection=equipment, group="fast", address=f"hr:{register}", type="uint16",
        order="", factor=factor, offset=0.0, low=math.nan, high=math.nan, dead_band=0.0, silence_s=30.0,
        writable=writable,
    )  # fmt: skip
