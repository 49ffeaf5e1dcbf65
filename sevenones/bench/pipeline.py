"""The way of a sample through the gateway, without network and disk, on one core.

raw registers → decoded → scaled, quality, time → exception report → a batch, encoded. 10,000 float32
points of one device; every value changes on every poll; each reading is encoded as a batch.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from gateway.acquire import SWEEP_S, Acquisition
from gateway.chunk import Chunk
from gateway.points import PointTable
from models.identity import point_id
from models.quality import GOOD
from models.samples import Batch, concat
from models.site.model import Kind, Name, Point, Retention
from protocols.adapter import Reading
from protocols.modbus.decode import decode
from protocols.modbus.planner import compile_plan

POINTS = 10_000
BLOCKS = 16
"""Different register images, taken in turn."""


def run(seconds: float = 5.0) -> dict[str, Any]:
    """Measure for about `seconds`; gives ns a sample, whole and by stage."""
    points = [_point(number) for number in range(POINTS)]
    table = PointTable.build(points, {"fast": 1.0}, SWEEP_S)
    chunks: list[Chunk] = []
    acquisition = Acquisition("bench", table, chunks.append)
    plan = compile_plan(table.tags, unit=1, gap=8, max_registers=125, max_bits=2000)
    images = _images(plan.registers)
    bits = np.zeros(plan.bits, np.uint8)
    stages = dict.fromkeys(("decode", "acquire", "encode"), 0)
    rows = size = polls = 0
    instant = time.time_ns() // 1000
    poll(acquisition, plan, images[0], bits, instant, stages, chunks)
    stages = dict.fromkeys(stages, 0)
    began, cpu = time.perf_counter_ns(), time.process_time_ns()
    while time.perf_counter_ns() - began < seconds * 1e9:
        instant += 1_000_000
        polls += 1
        sent, length = poll(acquisition, plan, images[polls % BLOCKS], bits, instant, stages, chunks)
        rows += sent
        size += length
    took, cpu = time.perf_counter_ns() - began, time.process_time_ns() - cpu
    assert rows == polls * POINTS, "every value changes, so every value must be reported"  # noqa: S101
    return {
        "bench": "pipeline",
        "samples": rows,
        "batch_rows": POINTS,
        "ns_per_sample": round(took / rows, 1),
        "cpu_ns_per_sample": round(cpu / rows, 1),
        **{f"{stage}_ns_per_sample": round(spent / rows, 1) for stage, spent in stages.items()},
        "samples_per_s": round(rows / took * 1e9),
        "bytes_per_sample": round(size / rows, 2),
    }


def poll(
    acquisition: Acquisition,
    plan: Any,
    registers: bytes,
    bits: np.ndarray[Any, Any],
    instant: int,
    stages: dict[str, int],
    chunks: list[Chunk],
) -> tuple[int, int]:
    """One poll through all stages: rows sent and bytes of the batch."""
    t0 = time.perf_counter_ns()
    value = decode(plan, registers, bits)
    reading = Reading(plan.index, value, np.full(len(plan), GOOD, np.uint8))
    t1 = time.perf_counter_ns()
    acquisition.take(reading, instant=instant, actual=instant + 20_000, current=True, source="fast")
    t2 = time.perf_counter_ns()
    samples = concat([chunk.samples for chunk in chunks])
    data = Batch("bench", instant, instant, samples).encode()
    t3 = time.perf_counter_ns()
    chunks.clear()
    stages["decode"] += t1 - t0
    stages["acquire"] += t2 - t1
    stages["encode"] += t3 - t2
    return len(samples), len(data)


def _images(registers: int) -> list[bytes]:
    """Register images of float32 values that wander as measurements do, to the last digit different."""
    chance = np.random.default_rng(7)
    value = chance.uniform(10, 90, registers // 2)
    images = []
    for _ in range(BLOCKS):
        value = value + chance.normal(0, 0.5, len(value))
        images.append(value.astype(">f4").tobytes())
    return images


def _point(number: int) -> Point:
    path = f"140581000000/bench-{number // 100:03}/p{number % 100:02}"
    return Point(
        path=path,
        id=point_id(path),
        equipment=f"bench-{number // 100:03}",
        key=f"p{number % 100:02}",
        name=Name("测试", "bench"),
        role="",
        kind=Kind.ANALOG,
        unit="mm",
        retention=Retention.BULK,
        connection="bench",
        group="fast",
        address=f"hr:{number * 2}",
        type="float32",
        order="abcd",
        factor=0.1,
        offset=3.0,
        low=-math.inf,
        high=1000.0,
        dead_band=1e-6,
        silence_s=30.0,
    )
