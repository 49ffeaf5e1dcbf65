"""What `simulate --mine big` serves, read by a gateway of its own into its own bus: values a second by protocol,
compared with the formula, and the CPU of simulators, broker and gateway."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bus import credentials, subjects
from bus.connection import Bus
from models.quality import GOOD
from models.samples import Batch
from models.site import load
from sevenones.bench.stack import Meter, Stack
from sevenones.supervisor import python
from simulators.load import GATEWAY, MINE_CODE, value_at
from simulators.load.big import shares

PROTOCOLS = ("modbus", "opcua", "mqtt")
SETTLE_S = 10.0
"""So long after the last point's first value the counting begins."""


def run(points: int, seconds: int) -> dict[str, Any]:
    """Serve, read, and compare, for so many seconds."""
    with tempfile.TemporaryDirectory(prefix="sevenones-served-") as folder:
        home = Path(folder) / "home"
        home.mkdir(mode=0o700)
        site = home / "big"
        with Stack(home, site) as stack:
            began = time.monotonic()
            stack.run("simulators", python("simulate", "--mine", "big", "--points", str(points), "--home", str(home)))
            _until(lambda: _ready(stack), 300, "the simulators")
            started_s = time.monotonic() - began
            url = stack.start_bus(MINE_CODE, [GATEWAY])
            stack.start_gateways(url, [GATEWAY])
            found = asyncio.run(_count(stack, url, points, seconds))
            return {"points": points, "start_s": round(started_s, 1), **found}


def _ready(stack: Stack) -> bool:
    if stack.processes["simulators"].poll() is not None:
        sys.exit((stack.home / "logs" / "simulators.log").read_text())
    return b"gateway --site" in (stack.home / "logs" / "simulators.log").read_bytes()


def _until(condition: Any, within_s: float, what: str) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not start within {within_s:g} s")
        time.sleep(0.1)


async def _count(stack: Stack, url: str, points: int, seconds: int) -> dict[str, Any]:
    paths = np.array([point.id for point in sorted(load(stack.folder).points, key=lambda point: point.path)], np.uint64)
    order = np.argsort(paths)
    ids = paths[order]
    kinds = np.repeat(np.arange(3), shares(points))
    seen = np.zeros(points, bool)
    counts, wrong = np.zeros(3, np.int64), np.zeros(3, np.int64)
    begin_us = end_us = 0
    meter: Meter | None = None
    broker = cpu0 = None
    deadline = time.monotonic() + 300 + seconds
    async with await Bus.connect(url, credentials.load(stack.home, "store")) as bus:
        consumer = await bus.consumer(subjects.SAMPLES, "store")
        while time.monotonic() < deadline and not (end_us and time.time() * 1e6 > end_us + 3e6):
            fetched = await consumer.fetch(500, 64 << 20, 1.0)
            for message in fetched:
                samples = Batch.decode(message.data).samples
                good = samples.quality >= GOOD
                at = order[np.searchsorted(ids, samples.point[good])]
                seen[at] = True
                ts, value = samples.ts[good], samples.value[good]
                if begin_us:
                    inside = (ts >= begin_us) & (ts < end_us)
                    at, ts, value = at[inside], ts[inside], value[inside]
                    counts += np.bincount(kinds[at], minlength=3)
                    off = value != value_at(at, ts // 1_000_000)
                    wrong += np.bincount(kinds[at[off]], minlength=3)
            await consumer.acknowledge(fetched)
            if meter is None and seen.all():
                begin_us = (int(time.time() + SETTLE_S)) * 1_000_000
                end_us = begin_us + seconds * 1_000_000
                await asyncio.sleep(max(0.0, begin_us / 1e6 - time.time()))
                broker = _broker(stack)
                cpu0 = sum(broker.cpu_times()[:2]) if broker else 0.0
                meter = Meter(stack)
                meter.start()
                until = time.monotonic()
    if meter is None:
        missing = np.bincount(kinds[~seen], minlength=3)
        raise TimeoutError(f"no value of {dict(zip(PROTOCOLS, missing.tolist(), strict=True))} points")
    took = time.monotonic() - until
    use = meter.stop()
    result: dict[str, Any] = {"seconds": seconds}
    for kind, name in enumerate(PROTOCOLS):
        result[f"{name}_points"] = shares(points)[kind]
        result[f"{name}_values_per_s"] = round(int(counts[kind]) / seconds)
        result[f"{name}_not_the_second"] = int(wrong[kind])
    result["simulators_cores"] = round(use["simulators"].cpu_s / took, 3)
    result["broker_cores"] = round((sum(broker.cpu_times()[:2]) - cpu0) / took, 3) if broker and cpu0 is not None else 0
    result["gateway_cores"] = round(use[f"gateway-{GATEWAY}"].cpu_s / took, 3)
    result["simulators_rss_mb"] = round(use["simulators"].rss_mb)
    return result


def _broker(stack: Stack) -> psutil.Process | None:
    children = psutil.Process(stack.processes["simulators"].pid).children()
    return next((child for child in children if "mosquitto" in child.name()), None)
