"""`bench modbus`: simulated Modbus devices → poll, decode, scale, quality, exception report, encode →
durable on the bus. The gateway alone is the measured process; no store, no API.

Each device has 1,000 registers, listed one by one as a point table lists them; every value changes
on every poll. `wire_to_bus` is from the poll's scheduled instant to the bus's own time stamp of the
message on its disk.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bus import credentials, subjects
from bus.connection import Bus
from models.samples import Batch
from sevenones.bench.stack import Meter, Stack, Use
from simulators.load import GATEWAY, MINE_CODE

REGISTERS = 1_000
"""Registers, and values, of a device."""
SETTLE_S = 4.0
BATCH = 500


@dataclass(frozen=True, slots=True)
class Load:
    """`devices` of 1,000 values each, all of them every `period_ms`."""

    devices: int
    period_ms: int
    target_us: float
    """CPU of the gateway a value that is aimed at, µs; infinity for none."""

    @property
    def values_per_s(self) -> float:
        return self.devices * REGISTERS * 1000 / self.period_ms


SHORT = Load(100, 1000, 2.0)
LOADS = (Load(20, 1000, 5.0), SHORT, Load(100, 400, 1.5))
FAST = Load(1, 100, float("inf"))
"""A 100 ms group: it has to make its ten polls a second."""


def run(*, short: bool = False, seconds: int = 20) -> dict[str, Any]:
    """Ours alone: all loads, or one within 40 s."""
    if short:
        return {"bench": "modbus", **measure(SHORT, 12)}
    fast = measure(FAST, seconds)
    return {
        "bench": "modbus",
        "loads": [measure(load, seconds) for load in LOADS],
        "polls_per_s_at_100_ms": round(fast["values_per_s"] / REGISTERS, 2),
    }


def measure(load: Load, seconds: int) -> dict[str, Any]:
    """One load for so many seconds, on a bus and a gateway of its own."""
    with tempfile.TemporaryDirectory(prefix="sevenones-modbus-") as folder:
        home, site_folder = Path(folder) / "home", Path(folder) / "site"
        home.mkdir(mode=0o700)
        with Stack(home, site_folder) as stack:
            start_devices(stack, load, site_folder)
            url = stack.start_bus(MINE_CODE, [GATEWAY])
            stack.start_gateways(url, [GATEWAY])
            return _measure(stack, load, url, seconds)


def start_devices(stack: Stack, load: Load, folder: Path, *more: str) -> None:
    """Serve the load's devices, and wait for the site folder that names them."""
    argv = [sys.executable, "-m", "simulators.load", "--site", str(folder), "--words", *more]
    argv += ["--points", str(load.devices * REGISTERS), "--devices", str(load.devices)]
    # The devices switch at each full period: polls lie apart from that boundary.
    phases = [str(round(load.period_ms * part / 20)) for part in range(2, 16)]
    stack.run("simulators", [*argv, "--period-ms", str(load.period_ms), "--phase-ms", *phases])
    deadline = time.monotonic() + 60
    while not (folder / "points" / "load.csv").exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the simulated devices did not start: see {stack.home}/logs/simulators.log")
        time.sleep(0.1)
    time.sleep(1.0)


def _measure(stack: Stack, load: Load, url: str, seconds: int) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while sum(group["answered"] for group in _groups(stack)) < 2 * load.devices:
        if time.monotonic() > deadline:
            raise TimeoutError(f"not all devices were polled within 60 s: see {stack.home}/logs")
        time.sleep(0.5)
    time.sleep(SETTLE_S)
    skipped = sum(group["skipped"] for group in _groups(stack))
    meter = Meter(stack)
    meter.start()
    first = time.time_ns() // 1000
    time.sleep(seconds)
    last = time.time_ns() // 1000
    use = meter.stop()
    skipped = sum(group["skipped"] for group in _groups(stack)) - skipped
    stack.end(f"gateway-{GATEWAY}")
    stored = asyncio.run(_stored(stack, url, first, last))
    expected = load.values_per_s * (last - first) / 1e6
    gateway = use[f"gateway-{GATEWAY}"]
    return {
        "devices": load.devices,
        "period_ms": load.period_ms,
        "asked_values_per_s": round(load.values_per_s),
        "values_per_s": round(stored.rows / (last - first) * 1e6),
        "cpu_us_per_value": _each(gateway, stored.rows),
        "target_cpu_us_per_value": load.target_us if np.isfinite(load.target_us) else None,
        "bus_cpu_us_per_value": _each(use["bus"], stored.rows),
        "p50_ms": round(float(np.percentile(stored.delay_ms, 50)), 1),
        "p99_ms": round(float(np.percentile(stored.delay_ms, 99)), 1),
        "max_ms": round(float(stored.delay_ms.max()), 1),
        # Polls at the window's edges belong to it or not: up to one a device.
        "missing": max(0, round(expected - stored.rows - load.devices * REGISTERS)),
        "doubled": stored.doubled,
        "polls_skipped": skipped,
        "gateway_rss_mb": round(gateway.rss_mb),
    }


def _groups(stack: Stack) -> list[dict[str, Any]]:
    connections = stack.state(GATEWAY).get("connections", {})
    return [group for connection in connections.values() for group in connection["groups"].values()]


def _each(use: Use, rows: int) -> float:
    return round(use.cpu_s / max(rows, 1) * 1e6, 3)


@dataclass
class Stored:
    """What the stream holds of a span of source time: rows, pairs of (point, ts) that came twice, and
    each row's way from its instant to the bus's disk, ms."""

    rows: int
    doubled: int
    delay_ms: np.ndarray[Any, Any]


async def _stored(stack: Stack, url: str, first: int, last: int) -> Stored:
    """Read the whole stream back and count. `first` ≤ ts < `last`, µs."""
    point, ts, delay = [], [], []
    async with await Bus.connect(url, credentials.load(stack.home, "store")) as bus:
        consumer = await bus.consumer(subjects.SAMPLES, "store")
        while messages := await consumer.fetch(BATCH, 64 << 20, 3.0):
            for message in messages:
                samples = Batch.decode(message.data).samples
                inside = (samples.ts >= first) & (samples.ts < last)
                point.append(samples.point[inside])
                ts.append(samples.ts[inside])
                delay.append((_kept_us(message.reply) - samples.ts[inside]) / 1e3)
            await consumer.acknowledge(messages)
    points, times = np.concatenate(point), np.concatenate(ts)
    order = np.lexsort((times, points))
    again = (np.diff(points[order]) == 0) & (np.diff(times[order]) == 0)
    return Stored(len(points), int(again.sum()), np.concatenate(delay))


def _kept_us(reply: str) -> int:
    """When the bus kept a message, µs UTC: the last but one part of its acknowledgement's subject."""
    parts = reply.split(".")
    return int(parts[7] if len(parts) == 9 else parts[9]) // 1000
