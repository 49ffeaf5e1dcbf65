"""From when a gateway hands a sample to the bus to its alarm in the journal, where every reader finds it: alone, and
while a month is exported and the whole table asked, over and over, of the same store.

bus, store, API and watch run by their own commands on the bundled middle mine; this process is its gateways. Each
second every point has a sample; beside that some hundred points go above their limits and back, each by itself, so that
none chatters.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bus import credentials, subjects
from bus.connection import Bus
from models.quality import Quality
from models.samples import Batch, Samples
from models.site import load
from models.site.model import Point, Retention, Site
from sevenones.bench.month import DAYS, Month
from sevenones.bench.stack import Stack
from sevenones.client import Client, ClientError, Platform
from sevenones.supervisor import python
from simulators.faults.scenario import MINES

PERIOD_S = 75.0
"""Between two raises of a point: more than the minute in which three turns are chattering."""
SETTLE_S = 20.0
LOOK_S = 0.005
WAIT_S = 30.0
"""So long a change may take to be told; what takes longer is missing."""
FILLED = 100
"""Points that have a month of samples."""
TABLE = "SELECT point, count() AS n, avg(value) AS mean, max(value) AS most FROM samples GROUP BY point"

SECRETS = ("SEVENONES_MQTT_PASSWORD", "SEVENONES_OPCUA_PASSWORD")
"""What the mine's connections name; nobody connects here."""

Turn = tuple[str, str, int]
"""Subject, raise or return, time of its sample (µs)."""


@dataclass
class Gateways:
    """What goes to the bus. `sent`: each turn, and when it was handed over (monotonic s)."""

    site: Site
    buses: dict[str, Bus]
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    high: set[int] = field(default_factory=set)
    sent: dict[Turn, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.turning = [point for point in self.site.points if _turns(point)]
        self._rest = np.array([_rest(point) for point in self.site.points])
        self._above = np.array([_above(point) for point in self.site.points])
        self._ids = self.site.ids()
        self._place = {point.id: place for place, point in enumerate(self.site.points)}
        gateway = np.array([self.site.connections[point.connection].gateway for point in self.site.points])
        safe = np.array([point.retention is Retention.STATUTORY for point in self.site.points])
        read = np.array([point.formula is None for point in self.site.points])
        self._streams = {
            (name, way): np.flatnonzero((gateway == name) & (safe == (way is subjects.safety)) & read)
            for name in self.buses
            for way in (subjects.safety, subjects.samples)
        }

    async def speak(self) -> None:
        """Every point, once a second, until cancelled."""
        while True:
            for (name, way), places in self._streams.items():
                if len(places):
                    await self._publish(name, way, places, time.time_ns() // 1000)
            await asyncio.sleep(1.0 - time.time() % 1.0)

    async def turn(self, seconds: float) -> None:
        """One point after the other above its limit, and back half a period later."""
        pace, begin = PERIOD_S / len(self.turning) / 2, time.monotonic()
        half = len(self.turning)
        for number in itertools.count():
            if number * pace > seconds:
                return
            await asyncio.sleep(max(0.0, begin + number * pace - time.monotonic()))
            which, back = number // 2 % half, number % 2 == 1
            point = self.turning[(which + half // 2) % half if back else which]
            if back == (point.id in self.high):
                await self._turn(point, back=back)

    async def calm(self) -> None:
        """All that is high goes back."""
        for point in [each for each in self.turning if each.id in self.high]:
            await self._turn(point, back=True)

    async def _turn(self, point: Point, *, back: bool) -> None:
        (self.high.discard if back else self.high.add)(point.id)
        ts = time.time_ns() // 1000
        self.sent[point.path, "return" if back else "raise", ts] = time.monotonic()
        way = subjects.safety if point.retention is Retention.STATUTORY else subjects.samples
        gateway = self.site.connections[point.connection].gateway
        await self._publish(gateway, way, np.array([self._place[point.id]]), ts)

    async def _publish(self, name: str, way: Any, places: Any, ts: int) -> None:
        high = np.isin(self._ids[places], np.fromiter(self.high, np.uint64, len(self.high)))
        value = np.where(high, self._above[places], self._rest[places])
        samples = Samples(
            self._ids[places], np.full(len(places), ts), value, np.full(len(places), Quality.GOOD, np.uint8)
        )
        number = next(self.numbers)
        data = Batch(name, number, ts, samples).encode()
        await self.buses[name].publish(way(self.site.code, name), data, f"{name}-{number}")


class Reader(threading.Thread):
    """Reads what is new in the journal, again and again. `seen`: when each turn was there (monotonic s)."""

    def __init__(self, home: Path, mine: str) -> None:
        super().__init__(daemon=True)
        self._home, self._mine = home, mine
        self.seen: dict[Turn, float] = {}
        self._done = threading.Event()

    def run(self) -> None:
        from sqlalchemy import select

        from middleplatform.database import connect
        from middleplatform.database.tables.alarms import alarm_journal as journal
        from middleplatform.database.tables.alarms import alarms

        last, query = 0, select(journal.c.number, alarms.c.subject, journal.c.what, journal.c.ts)
        query = query.join(alarms, alarms.c.id == journal.c.alarm).where(alarms.c.rule == "limit.hi")
        while not self._done.wait(LOOK_S):
            with connect(self._home).connect() as connection:
                rows = connection.execute(query.where(journal.c.number > last)).all()
            now = time.monotonic()
            for number, subject, what, ts in rows:
                last = max(last, number)
                self.seen[subject, str(what), ts] = now

    def wait_for(self, turns: set[Turn]) -> None:
        """Until all are there, or it has taken too long."""
        deadline = time.monotonic() + WAIT_S
        while not turns <= self.seen.keys() and time.monotonic() < deadline:
            time.sleep(0.1)

    def stop(self) -> None:
        self._done.set()
        self.join()


class Asker(threading.Thread):
    """Somebody who asks, over and over, until it is stopped; `done`: how often, `refused` likewise; `rows`: the most
    that one export had."""

    def __init__(self, ask: Any) -> None:
        super().__init__(daemon=True)
        self._ask, self._end = ask, threading.Event()
        self.done = self.refused = self.rows = 0

    def run(self) -> None:
        while not self._end.is_set():
            try:
                self._ask()
                self.done += 1
            except ClientError:
                self.refused += 1
                self._end.wait(1.0)

    def stop(self) -> None:
        self._end.set()


def run(samples: int = 20_000_000, seconds: int = 150) -> dict[str, Any]:
    """Fill a store with a month of so many samples, and measure for so many seconds alone and beside its readers."""
    with tempfile.TemporaryDirectory(prefix="sevenones-alarms-") as folder:
        home = Path(folder) / "home"
        home.mkdir(mode=0o700)
        mine = MINES / "middle"
        for secret in SECRETS:
            os.environ.setdefault(secret, "none")
        site = load(mine, environment=dict(os.environ))
        month = _fill(home, site, samples)
        with Stack(home, mine) as stack:
            url = stack.start_bus(site.code, site.gateways())
            api, token = stack.start_platform(url)
            stack.run("watch", python("alarm-engine", *stack.common(url)))
            return asyncio.run(_measure(home, site, url, (api, token), month, seconds))


async def _measure(
    home: Path, site: Site, url: str, door: tuple[str, str], month: Month, seconds: int
) -> dict[str, Any]:
    buses = {name: await Bus.connect(url, credentials.load(home, f"gateway-{name}")) for name in site.gateways()}
    gateways, reader = Gateways(site, buses), Reader(home, site.code)
    speaking = asyncio.create_task(gateways.speak())
    try:
        await asyncio.to_thread(_until_asked, Client(*door))
        await asyncio.sleep(SETTLE_S)
        reader.start()
        result: dict[str, Any] = {
            "bench": "alarms --beside",
            "points": len(site.points),
            "turning": len(gateways.turning),
            "month_samples": month.samples,
        }
        result |= await _phase("alone", gateways, reader, seconds)
        await asyncio.sleep(PERIOD_S)
        with _beside(home, door, month) as (exports, queries):
            await asyncio.sleep(5.0)
            result |= await _phase("beside", gateways, reader, seconds)
            result |= {"exports": exports.done, "exports_refused": exports.refused, "exported_rows": exports.rows}
            result |= {"queries": queries.done, "queries_refused": queries.refused}
        return result
    finally:
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        if reader.is_alive():
            reader.stop()
        for bus in buses.values():
            await bus.close()


async def _phase(name: str, gateways: Gateways, reader: Reader, seconds: int) -> dict[str, Any]:
    gateways.sent.clear()
    await gateways.turn(seconds)
    await asyncio.to_thread(reader.wait_for, set(gateways.sent))
    load_1m = os.getloadavg()[0]
    sent = dict(gateways.sent)
    took = np.array([reader.seen[turn] - at for turn, at in sent.items() if turn in reader.seen]) * 1e3
    await gateways.calm()
    p50, p99, most = (*np.percentile(took, (50, 99)), took.max()) if len(took) else (np.nan,) * 3
    return {
        f"{name}_turns": len(sent),
        f"{name}_missing": len(sent) - len(took),
        f"{name}_p50_ms": round(float(p50), 1),
        f"{name}_p99_ms": round(float(p99), 1),
        f"{name}_max_ms": round(float(most), 1),
        f"{name}_machine_load": round(load_1m, 1),
    }


@contextmanager
def _beside(home: Path, door: tuple[str, str], month: Month) -> Iterator[tuple[Asker, Asker]]:
    """Somebody exports the month, and somebody asks for all of the table."""
    client, platform = Client(*door, timeout_s=120), Platform(*door)
    names = {"start": str(month.start), "end": str(month.end)}
    file = home / "month.parquet"

    def export() -> None:
        platform.export(file, **names, progress=told)
        file.unlink()

    def told(facts: Mapping[str, Any]) -> None:
        exports.rows = max(exports.rows, int(facts["rows"] or 0))

    readers = exports, _ = Asker(export), Asker(lambda: client.sql(TABLE))
    for each in readers:
        each.start()
    try:
        yield readers
    finally:
        for each in readers:
            each.stop()


def _fill(home: Path, site: Site, samples: int) -> Month:
    """A month of samples in the store of `home`, rolled up."""
    from middleplatform.store.rollups import RollUps
    from middleplatform.store.schema import open_store
    from middleplatform.store.windows import Windows
    from sevenones.bench.query import write

    month = Month.of(samples)
    month = Month(site.ids()[:FILLED].copy(), max(60, min(86_400, samples // DAYS // FILLED)), month.start)
    engine = open_store(home / "store")
    try:
        windows = Windows(engine, quiet_s=0)
        for columns in month.pieces():
            write(engine, windows, *columns)
        rollups = RollUps(engine, windows, lambda asked: np.full(len(asked), 60_000_000, np.int64))
        while rollups.step():
            pass
    finally:
        engine.close()
    return month


def _until_asked(client: Client) -> None:
    """Wait until the platform answers."""
    deadline = time.monotonic() + 120
    while True:
        try:
            client.get("points", limit=1)
            return
        except ClientError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def _turns(point: Point) -> bool:
    """Whether it has an upper limit that is judged at once."""
    kinds = {limit.kind for limit in point.limits}
    return "hi" in kinds and not kinds & {"lo", "lolo"} and point.role != "support.leg_pressure"


def _rest(point: Point) -> float:
    """A value at which nothing is wrong, as far as one can be."""
    back = [limit.value if limit.restore is None else limit.restore for limit in point.limits]
    return min(back) * 0.5 if _turns(point) else max(back, default=0.0)


def _above(point: Point) -> float:
    return next((limit.value * 1.01 for limit in point.limits if limit.kind == "hi"), 0.0)
