"""`bench opcua`: a server's subscriptions → columns → scale, quality, exception report. How many samples a
second pass with none lost, and what one costs.

The connection of a gateway runs in this process, over a signed and encrypted channel; the server is a
process of its own, and writes every value at rates that rise until it or we cannot follow. Each
value counts up, so that one left out, doubled or out of order is found.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gateway.chunk import Chunk, Receipt
from gateway.clock import WallClock
from gateway.connection import DeviceConnection
from gateway.schedule import phases
from models.events import Event
from models.identity import point_id
from models.quality import GOOD
from models.site.model import Connection, Group, Kind, Name, Point, Retention
from sevenones.bench.stack import free_port
from simulators.opcua_load import NAMESPACE

VALUES = 2_000
RATES = (1, 2, 3, 4, 6, 8, 12, 16)
"""Rounds a second: samples a second are so many times VALUES."""
LATE = 1.15
"""A server that takes so much longer than it should is at its end."""
BEHIND_S = 3.0
"""So long after the last write all of it must be here."""


class Counter:
    """A gateway's sink that checks: every value one more than the last of its point."""

    def __init__(self, ids: np.ndarray[Any, Any]) -> None:
        self._order = np.argsort(ids)
        self._ids = ids[self._order]
        self.last = np.full(len(ids), np.nan)
        self.samples = 0
        self.wrong = 0
        self.lag_s: list[float] = []

    def put(self, chunk: Chunk) -> None:
        samples = chunk.samples
        good = samples.quality >= GOOD
        row = self._order[np.searchsorted(self._ids, samples.point[good])]
        value = samples.value[good]
        # What holds is said again after some time: that is no new sample.
        new = ~(value == self.last[row])
        row, value = row[new], value[new]
        self.wrong += int((~np.isnan(self.last[row]) & (value != self.last[row] + 1)).sum())
        self.last[row] = value
        self.samples += len(row)
        if len(row):
            self.lag_s.append(time.time() - int(samples.ts[good].max()) / 1e6)

    def emit_events(self, events: Sequence[Event], receipt: Receipt | None = None) -> None:
        raise AssertionError("this server has no events")

    async def room(self) -> None:
        return

    def settle(self, receipt: Receipt) -> None:
        raise AssertionError("this server keeps nothing")


def run(*, seconds: float = 4.0, values: int = VALUES, rates: Sequence[int] = RATES) -> dict[str, Any]:
    """The rates in turn until one is too much, each for so many seconds."""
    with tempfile.TemporaryDirectory(prefix="sevenones-opcua-") as folder:
        return asyncio.run(_run(Path(folder), seconds, values, rates))


async def _run(folder: Path, seconds: float, values: int, rates: Sequence[int]) -> dict[str, Any]:
    argv = ["-m", "simulators.opcua_load", "--port", str(free_port()), "--folder", str(folder / "server")]
    server = await asyncio.create_subprocess_exec(
        sys.executable, *argv, "--values", str(values), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        url = (await _told(server, 60))["url"]
        settings = {"url": url, "certificate_dir": str(folder / "client"), "queue_size": 100}
        spec = Connection("load", "edge", "opcua", settings, {"fast": Group("fast", 0.1)})
        points = _points(values)
        counter = Counter(np.array([point.id for point in points], np.uint64))
        connection = DeviceConnection(spec, points, phases([spec]), WallClock(), counter)
        task = asyncio.create_task(connection.run())
        try:
            await _until(lambda: not np.isnan(counter.last).any(), 60)
            found = []
            for rate in rates:
                step = await _step(server, counter, connection, rate, seconds)
                found.append(step)
                if not step["kept_up"]:
                    break
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    finally:
        server.kill()
        await server.wait()
    kept = [step for step in found if step["kept_up"]]
    best = kept[-1] if kept else found[0]
    return {
        "bench": "opcua",
        "values": values,
        "samples_per_s": best["samples_per_s"],
        "cpu_us_per_sample": best["cpu_us_per_sample"],
        "none_lost": all(step["lost"] == 0 for step in found),
        "steps": found,
    }


async def _step(
    server: asyncio.subprocess.Process, counter: Counter, connection: DeviceConnection, rate: int, seconds: float
) -> dict[str, Any]:
    rounds = max(1, math.ceil(rate * seconds))
    before, cpu, began = counter.samples, time.process_time(), time.monotonic()
    counter.lag_s.clear()
    told = await _told(server, 60 + 20 * seconds, f"{rounds} {rate}\n")
    await _until(lambda: bool((counter.last == told["last"]).all()), BEHIND_S, must=False)
    samples, cpu_s, took = counter.samples - before, time.process_time() - cpu, time.monotonic() - began
    offered = rounds * len(counter.last)
    return {
        "offered_per_s": rate * len(counter.last),
        "samples_per_s": round(offered / told["seconds"]),
        "cpu_us_per_sample": round(cpu_s / max(samples, 1) * 1e6, 2),
        "cpu_percent": round(cpu_s / took * 100),
        "lag_p99_s": round(float(np.quantile(counter.lag_s or [0.0], 0.99)), 2),
        "lost": offered - samples + counter.wrong + connection.counters().get("overflows_total", 0),
        "kept_up": samples == offered and counter.wrong == 0 and told["seconds"] <= LATE * rounds / rate,
    }


async def _told(server: asyncio.subprocess.Process, within_s: float, order: str = "") -> Any:
    """What the server says next, after an order."""
    if server.stdin is None or server.stdout is None:
        raise RuntimeError("the server was started without pipes")
    server.stdin.write(order.encode())
    return json.loads(await asyncio.wait_for(server.stdout.readline(), within_s))


async def _until(condition: Any, within_s: float, *, must: bool = True) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            if must:
                raise TimeoutError("the server's values did not come")
            return
        await asyncio.sleep(0.02)


def _points(values: int) -> tuple[Point, ...]:
    paths = [f"140500000000/load/v{number}" for number in range(values)]
    return tuple(
        Point(
            path=path,
            id=point_id(path),
            equipment="load",
            key=f"v{number}",
            name=Name(path, path),
            role="",
            kind=Kind.ANALOG,
            unit="",
            retention=Retention.BULK,
            connection="load",
            group="fast",
            address=f"nsu={NAMESPACE};i={number + 1}",
            type="",
            order="",
            factor=1.0,
            offset=0.0,
            low=math.nan,
            high=math.nan,
            dead_band=0.0,
            silence_s=30.0,
        )
        for number, path in enumerate(paths)
    )
