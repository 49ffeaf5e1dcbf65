"""Encoded batches → on disk and queryable, by the store's own writer; no bus, no network.

Data as the simulators make it: 10,000 points at 1 Hz per gateway batch, most of them physical
quantities that wander in steps of their resolution, some switches, some counters, some constants;
every value changes on every poll but the constants' and the switches'.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

BATCH_ROWS = 10_000
WRITE_ROWS = 100_000
"""Rows that reach one write when 400,000 a second come in and it gathers for a quarter of a second."""
GATEWAY = "edge1"


@dataclass(frozen=True)
class _Message:
    data: bytes
    subject: str
    stream_sequence: int


def run(samples: int = 5_000_000) -> dict[str, Any]:
    """The result by name, units in the keys. Runs in a process of its own, so that the memory measured
    is the writer's alone."""
    argv = [sys.executable, "-c", f"from sevenones.bench.ingest import measure; measure({int(samples)})"]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True, env=dict(os.environ))
    import json

    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(samples: int) -> None:
    """Measure in this process and print the result as one JSON object."""
    import json

    folder = Path(tempfile.mkdtemp(prefix="sevenones-bench-"))
    try:
        print(json.dumps(_measure(samples, folder)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(samples: int, folder: Path) -> dict[str, Any]:
    from middleplatform.store.audit import Audit
    from middleplatform.store.deadletters import DeadLetters
    from middleplatform.store.latest import Latest
    from middleplatform.store.quarantine import Quarantine
    from middleplatform.store.schema import open_store
    from middleplatform.store.writer import Writer

    process = psutil.Process()
    engine = open_store(folder)
    audit = Audit(folder / "audit.log")
    points = np.unique(np.random.default_rng(7).integers(0, 2**64 - 1, WRITE_ROWS, np.uint64))
    quarantine = Quarantine(engine, audit)
    writer = Writer(engine, _Listed(points), quarantine, Latest(), DeadLetters(folder / "dead"), audit)
    took: list[float] = []
    cpu = rows = peak = encoded = 0
    for messages in _messages(points, samples):
        before, started = time.process_time(), time.perf_counter()
        writer.write([("SAMPLES", message) for message in messages])
        took.append(time.perf_counter() - started)
        cpu += time.process_time() - before
        rows += WRITE_ROWS
        encoded += sum(len(message.data) for message in messages)
        peak = max(peak, process.memory_info().rss)
    stored = int(engine.query("SELECT count() AS n FROM samples FINAL").column("n")[0].as_py())
    engine.execute("OPTIMIZE TABLE samples FINAL")
    size = engine.query("SELECT sum(bytes_on_disk) AS b FROM system.parts WHERE active AND table = 'samples'")
    peak = max(peak, process.memory_info().rss)
    engine.close()
    milliseconds = np.array(took) * 1e3
    return {
        "bench": "ingest",
        "samples": rows,
        "samples_per_s": round(rows / sum(took)),
        "ns_per_sample": round(sum(took) / rows * 1e9),
        "cpu_s": round(cpu, 2),
        "batch_samples": WRITE_ROWS,
        "p50_ms": round(float(np.percentile(milliseconds, 50)), 1),
        "p99_ms": round(float(np.percentile(milliseconds, 99)), 1),
        "max_ms": round(float(milliseconds.max()), 1),
        "bytes_per_sample": round(size.column("b")[0].as_py() / stored, 2),
        "wire_bytes_per_sample": round(encoded / rows, 2),
        "rss_mb": round(peak / 1e6),
        "missing": rows - stored,
    }


class _Listed:
    """A catalogue of these points, all of one gateway."""

    def __init__(self, points: np.ndarray) -> None:
        self.points = np.sort(points)
        self.age = np.full(len(points), 60_000_000, np.int64)

    def of(self, gateway: str) -> np.ndarray:
        return self.points

    def gateways(self) -> tuple[str, ...]:
        return ("bench",)


def _messages(points: np.ndarray, samples: int) -> Iterator[list[_Message]]:
    """What one write takes, again and again: each a poll of every point, in batches of 10,000."""
    from models.quality import GOOD
    from models.samples import Batch, Samples

    random = np.random.default_rng(11)
    count = len(points)
    kind = random.choice(4, count, p=(0.75, 0.1, 0.1, 0.05))
    resolution = random.choice((0.01, 0.1, 0.001), count)
    level = random.uniform(5, 500, count)
    drift = np.zeros(count)
    switch = np.zeros(count)
    counter = random.uniform(1e3, 1e6, count).round()
    start = (time.time_ns() // 1_000_000_000 - samples // count - 10) * 1_000_000
    number = 0
    for poll in range(-(-samples // count)):
        drift = 0.98 * drift + random.normal(0, 3, count) * resolution
        switch = np.where(random.random(count) < 0.01, 1 - switch, switch)
        counter += random.integers(1, 5, count)
        value = np.select(
            [kind == 0, kind == 1, kind == 2],
            [np.round((level + drift) / resolution) * resolution, switch, counter],
            level,
        )
        messages = []
        for at in range(0, count, BATCH_ROWS):
            rows = slice(at, at + BATCH_ROWS)
            number += 1
            ts = np.full(len(points[rows]), start + poll * 1_000_000)
            batch = Samples(points[rows], ts, value[rows], np.full(len(ts), GOOD, np.uint8))
            received = start + poll * 1_000_000 + 50_000
            data = Batch(GATEWAY, number, received, batch).encode()
            messages.append(_Message(data, f"mine.140581000000.samples.{GATEWAY}", number))
        yield messages
